//! Whoever looks at guests' lines as they are written.

use std::fmt;
use std::sync::Arc;

use lamina_types::Timestamp;

type Told = dyn Fn(&str, Timestamp) + Send + Sync;

/// Is told of lines of guests that came into the log, on the guest's own thread: it
/// must be quick, and must not block.
#[derive(Clone)]
pub struct Observer {
    wants: fn(&str) -> bool,
    told: Arc<Told>,
}

impl Observer {
    /// Calls `told` with each line that it `wants`, which every line is asked, and the
    /// time.
    pub fn new(wants: fn(&str) -> bool, told: impl Fn(&str, Timestamp) + Send + Sync + 'static) -> Self {
        Self { wants, told: Arc::new(told) }
    }

    pub(crate) fn tell(&self, line: &str, now: impl FnOnce() -> Timestamp) {
        if (self.wants)(line) {
            (self.told)(line, now());
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}
