//! The platform's own log lines, on standard error.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

use super::environment::Environment;
use super::failure::Failure;

/// Life cycle of ours, trouble of anyone. What h2 warns of is what a client does wrong:
/// no trouble of ours, and as many lines as the client likes.
pub(crate) const SERVING: &str = "warn,h2=error,lamina=info";
/// Trouble only.
pub(crate) const QUIET: &str = "warn";

/// Starts writing lines, those that LAMINA_LOG asks for or else the default.
pub(crate) fn start(environment: &Environment, default: &str) -> Result<(), Failure> {
    let asked = environment.get("LAMINA_LOG");
    let filter = EnvFilter::try_new(asked.as_deref().unwrap_or(default)).map_err(|error| {
        Failure::usage(format!("LAMINA_LOG cannot be read: {error}")).next("give it a form like warn,lamina=debug")
    })?;
    let colour = io::stderr().is_terminal() && environment.get("NO_COLOR").is_none();
    // A second subscriber in one process is refused: the first one serves as well.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(colour).try_init();
    Ok(())
}
