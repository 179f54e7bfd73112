//! Log groups: one bounded ring of lines each.

mod invocation;
mod lines;
mod page;
mod ring;

pub use invocation::{InvocationLog, Opening, Source};
pub use ring::{LogEvent, Logs, LogsConfig};
