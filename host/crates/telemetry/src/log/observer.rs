//! Whoever looks at guests' lines as they are written.

use std::fmt;
use std::sync::Arc;

use lamina_types::Timestamp;

type Told = dyn Fn(&str, Timestamp) + Send + Sync;

/// Is told of each line of a guest that came into the log, on the guest's own thread:
/// it must be quick, and must not block.
#[derive(Clone)]
pub struct Observer(Arc<Told>);

impl Observer {
    /// Calls this with each line and its time.
    pub fn new(told: impl Fn(&str, Timestamp) + Send + Sync + 'static) -> Self {
        Self(Arc::new(told))
    }

    pub(crate) fn tell(&self, line: &str, time: Timestamp) {
        (self.0)(line, time);
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}
