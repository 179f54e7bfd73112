//! Whether the platform can do its work now.

use std::sync::Arc;
use std::time::Duration;

use lamina_invoke::Dispatcher;
use lamina_kit::Clock;
use lamina_kv::{Store, Table};
use tokio::sync::{Mutex, watch};

/// `ready`: when it was looked last, in Unix microseconds.
const PROBES: Table<u64> = Table::new("probe");
/// The answer of one look serves everybody for so long.
const KEPT: Duration = Duration::from_secs(1);
/// How long one look may take.
const TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) struct Readiness {
    pub(crate) store: Store,
    pub(crate) dispatcher: Arc<Dispatcher>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) draining: watch::Receiver<bool>,
    pub(crate) last: Mutex<Option<(Duration, Result<(), String>)>>,
}

impl Readiness {
    /// Or why not. Those who ask at once share one look.
    pub(crate) async fn check(&self) -> Result<(), String> {
        if *self.draining.borrow() {
            return Err("draining".to_owned());
        }
        let mut last = self.last.lock().await;
        let now = self.clock.monotonic();
        if let Some((at, found)) = &*last
            && now.saturating_sub(*at) < KEPT
        {
            return found.clone();
        }
        let found = tokio::time::timeout(TIMEOUT, self.look()).await;
        let found = found.unwrap_or_else(|_| Err(format!("no answer within {} s", TIMEOUT.as_secs())));
        *last = Some((self.clock.monotonic(), found.clone()));
        found
    }

    async fn look(&self) -> Result<(), String> {
        let now = self.clock.epoch_micros();
        // Only a write shows that there can be one.
        let written = self.store.commit(move |txn| txn.put(&PROBES, "ready", &now)).await;
        written.map_err(|error: lamina_kv::Error| format!("records cannot be written: {error}"))?;
        self.dispatcher.loadable().await.map_err(|reason| format!("code cannot be loaded: {reason}"))
    }
}
