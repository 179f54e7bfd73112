//! The platform put together, and its command line.

pub mod platform;
pub mod serve;

mod cli;
mod quickstart;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs the command line; answers the exit code.
pub fn main() -> std::process::ExitCode {
    cli::main()
}
