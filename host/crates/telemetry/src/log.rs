//! Log groups: one bounded ring of lines each, out of which somebody keeps them.

mod dropped;
mod init;
mod invocation;
mod json;
mod lines;
mod observer;
mod page;
mod ring;

pub use dropped::Dropped;
pub use init::{Init, InitFailure};
pub use invocation::{InvocationLog, Opening, Source};
pub use observer::Observer;
pub use page::{Batch, LineRef};
pub use ring::{LogEvent, Logs, LogsConfig};
