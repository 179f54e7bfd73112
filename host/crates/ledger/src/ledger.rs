//! Adding what the meters have counted to the records.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lamina_kit::{Clock, Tasks};
use lamina_kv::Store;
use lamina_meter::{Hourly, Meters};
use lamina_types::{AccountId, Timestamp};
use tokio::sync::Mutex;

use crate::error::Error;
use crate::record::{HOURS, key, owner};

/// Records changed by one transaction: all others wait while it runs.
pub(crate) const BATCH: usize = 200;

/// When it is written, and for how long it is kept.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// From one writing to the next; a kill loses no more. Default 5 s.
    pub flush_period: Duration,
    /// How often it is looked for what is too old. Default an hour.
    pub prune_period: Duration,
    /// Days that are kept by the hour; older ones are kept by the day. Default 400.
    pub hours_kept_days: u64,
    /// Days that are kept at all. Default 3,650.
    pub days_kept: u64,
    /// Records of each of both tables; past it the oldest days go before their time.
    /// Default 250,000, some 100 MB.
    pub records_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            flush_period: Duration::from_secs(5),
            prune_period: Duration::from_secs(3_600),
            hours_kept_days: 400,
            days_kept: 3_650,
            records_max: 250_000,
        }
    }
}

/// What the ledger works on.
pub struct Deps {
    /// Where it is kept.
    pub store: Store,
    /// What is written into it.
    pub meters: Meters,
    /// Whose usage it is.
    pub account: AccountId,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// See the crate. Clones share it.
#[derive(Clone)]
pub struct Ledger {
    pub(crate) shared: Arc<Shared>,
    /// Writing whose callers have left.
    tasks: Tasks,
}

pub(crate) struct Shared {
    pub(crate) deps: Deps,
    pub(crate) config: Config,
    /// Held by the one who writes.
    pub(crate) writer: Mutex<()>,
    failed: AtomicBool,
}

impl Ledger {
    /// A ledger over the records.
    pub fn new(config: Config, deps: Deps) -> Self {
        let shared = Shared { deps, config, writer: Mutex::new(()), failed: AtomicBool::new(false) };
        Self { shared: Arc::new(shared), tasks: Tasks::new() }
    }

    /// Writes every few seconds as a task of this set, until `stop` ends; then
    /// [`Ledger::flush`] must be called once more. Must be called inside a tokio
    /// runtime.
    pub fn start(&self, tasks: &Tasks, stop: impl Future<Output = ()> + Send + 'static) {
        let this = self.clone();
        tasks.spawn(async move {
            tokio::select! {
                () = this.flush_often() => {}
                () = this.prune_often() => {}
                () = stop => {}
            }
        });
    }

    async fn flush_often(&self) {
        loop {
            tokio::time::sleep(self.shared.config.flush_period).await;
            // What fails is said once, and tried again.
            let _ = self.flush().await;
            self.shared.deps.meters.forget(self.now());
        }
    }

    async fn prune_often(&self) {
        loop {
            if let Err(error) = self.prune().await {
                tracing::warn!(%error, "old usage could not be put together");
            }
            tokio::time::sleep(self.shared.config.prune_period).await;
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp(self.shared.deps.clock.epoch_micros())
    }

    /// Adds what was counted since the last time to the records; durable when it
    /// returns. What could not be written stays counted. Dropped half-way, it is
    /// written all the same, and the next one waits for that.
    pub async fn flush(&self) -> Result<(), Error> {
        let this = self.clone();
        self.tasks.detach_on_drop(async move { this.flush_now().await }).await
    }

    async fn flush_now(&self) -> Result<(), Error> {
        let flushed = self.write().await;
        let failed = flushed.is_err();
        if self.shared.failed.swap(failed, Ordering::Relaxed) != failed {
            match &flushed {
                Ok(()) => tracing::info!("the usage ledger is written again"),
                Err(error) => tracing::error!(%error, "usage could not be written; it is kept in memory until it can"),
            }
        }
        flushed
    }

    async fn write(&self) -> Result<(), Error> {
        let _writer = self.shared.writer.lock().await;
        let Deps { store, meters, account, .. } = &self.shared.deps;
        let mut left = meters.take_unwritten();
        while !left.is_empty() {
            let batch: Vec<Hourly> = left.split_off(left.len().saturating_sub(BATCH));
            let account = account.clone();
            let writes = batch.clone();
            let committed = store.commit(move |txn| {
                for Hourly { subject, hour, counters } in writes {
                    let key = key(hour, &owner(account.as_str(), &subject));
                    let mut sum = txn.get(&HOURS, &key)?.unwrap_or_default();
                    sum.add(&counters);
                    txn.put(&HOURS, &key, &sum)?;
                }
                Ok::<(), lamina_kv::Error>(())
            });
            if let Err(error) = committed.await {
                left.extend(batch);
                meters.untake(left);
                return Err(error.into());
            }
        }
        Ok(())
    }
}
