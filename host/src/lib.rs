//! The platform put together, and its command line.

pub mod platform;
pub mod serve;

mod cli;
mod quickstart;

/// Runs the command line; answers the exit code.
pub fn main() -> std::process::ExitCode {
    cli::main()
}
