//! Log groups: one bounded ring of lines each.

mod invocation;
mod lines;
mod observer;
mod page;
mod ring;

pub use invocation::{InvocationLog, Opening, Source};
pub use observer::Observer;
pub use ring::{LogEvent, Logs, LogsConfig};
