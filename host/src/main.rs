//! The `lamina` command.

fn main() -> std::process::ExitCode {
    lamina_host::main()
}
