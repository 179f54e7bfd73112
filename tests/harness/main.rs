//! The `lamina` command, built with the tests.

fn main() -> std::process::ExitCode {
    lamina_host::main()
}
