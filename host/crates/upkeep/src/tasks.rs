//! What runs in the background: a slow look at every artifact, and sealing again
//! what an older key has sealed.

use std::collections::HashSet;
use std::sync::PoisonError;
use std::time::Duration;

use lamina_kit::Tasks;
use lamina_kv::Place;
use lamina_registry::Registry;
use lamina_types::{Digest, Version};

use crate::error::Error;
use crate::stats::{Scrub, Unsound};
use crate::upkeep::Upkeep;

/// When it runs, and how fast.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// From the start to the first look at the artifacts. Default an hour.
    pub scrub_after: Duration,
    /// From one look to the next. Default a day.
    pub scrub_period: Duration,
    /// Bytes of artifacts read a second at most; 0 is no bound. Default 8 MiB.
    pub scrub_bytes_per_second: u64,
    /// Records sealed again at a time. Default 100.
    pub reseal_batch: usize,
    /// From one such time to the next. Default 100 ms.
    pub reseal_pause: Duration,
    /// How often it is looked for what is to be sealed again, when nobody says that
    /// there is something. Default an hour.
    pub reseal_period: Duration,
}

impl Default for Config {
    fn default() -> Self {
        let hour = Duration::from_secs(3_600);
        Self {
            scrub_after: hour,
            scrub_period: 24 * hour,
            scrub_bytes_per_second: 8 << 20,
            reseal_batch: 100,
            reseal_pause: Duration::from_millis(100),
            reseal_period: hour,
        }
    }
}

impl Upkeep {
    /// Starts the background work as tasks of this set; it ends when `stop` does.
    /// Must be called inside a tokio runtime.
    pub fn start(&self, tasks: &Tasks, config: Config, stop: impl Future<Output = ()> + Send + 'static) {
        let this = self.clone();
        tasks.spawn(async move {
            tokio::select! {
                () = this.scrub_often(config) => {}
                () = this.reseal_often(config) => {}
                () = stop => {}
            }
        });
    }

    async fn scrub_often(&self, config: Config) {
        tokio::time::sleep(config.scrub_after).await;
        loop {
            if let Err(error) = self.scrub(config.scrub_bytes_per_second).await {
                tracing::warn!(%error, "the artifacts could not be looked at");
            }
            tokio::time::sleep(config.scrub_period).await;
        }
    }

    /// Reads every artifact, so many bytes a second, and says which are not what
    /// they were. Changes nothing. Dropped half-way, nothing of it is kept.
    pub async fn scrub(&self, bytes_per_second: u64) -> Result<Scrub, Error> {
        let scrubbed = self.deps.artifacts.scrub(bytes_per_second, |_| {}).await?;
        if !scrubbed.unopened.is_empty() {
            tracing::warn!(artifacts = ?scrubbed.unopened, "artifacts could not be read: see their permissions");
        }
        let referenced = self.deps.registry.referenced();
        // After the look at the records: what they name was put before.
        let there: HashSet<Digest> = self.deps.artifacts.list().await?.into_iter().collect();
        let missing = referenced.into_iter().filter(|digest| !there.contains(digest));
        let unsound = |digest| Unsound { functions: users(&self.deps.registry, &digest), digest };
        let scrub = Scrub {
            ended: self.now(),
            files: scrubbed.files,
            bytes: scrubbed.bytes,
            rotten: scrubbed.rotten.into_iter().map(unsound).collect(),
            missing: missing.map(unsound).collect(),
        };
        for (found, text) in [(&scrub.rotten, "damaged"), (&scrub.missing, "missing")] {
            for Unsound { digest, functions } in found {
                tracing::error!(%digest, ?functions, "an artifact is {text}: deploy these functions again");
            }
        }
        *self.scrub.lock().unwrap_or_else(PoisonError::into_inner) = Some(scrub.clone());
        Ok(scrub)
    }

    /// Has what older keys have sealed sealed again now and not within the hour: to
    /// be called when there is a new key.
    pub fn reseal_soon(&self) {
        self.reseal.notify_one();
    }

    async fn reseal_often(&self, config: Config) {
        loop {
            if let Err(error) = self.reseal(config).await {
                tracing::warn!(%error, "not all secrets could be sealed again");
            }
            // Until somebody says so, or for as long.
            let _ = tokio::time::timeout(config.reseal_period, self.reseal.notified()).await;
        }
    }

    async fn reseal(&self, config: Config) -> Result<(), Error> {
        let (mut all, mut from) = (0, Some(Place::default()));
        while let Some(place) = from {
            let resealed = self.deps.store.reseal(place, config.reseal_batch).await?;
            all += resealed.done;
            from = resealed.next;
            if from.is_some() {
                tokio::time::sleep(config.reseal_pause).await;
            }
        }
        if all > 0 {
            // What older ones have sealed, or nobody, is in the journal until then.
            self.deps.store.checkpoint().await?;
            tracing::info!(records = all, "secrets were sealed again with the current key");
        }
        Ok(())
    }
}

/// The versions that need an artifact.
pub(crate) fn users(registry: &Registry, digest: &Digest) -> Vec<String> {
    let catalog = registry.catalog();
    let mut users = Vec::new();
    for entry in catalog.functions() {
        for version in entry.versions() {
            let code = entry.view(version).map(|view| view.code);
            if code.is_some_and(|code| code.package == *digest || code.component() == Some(digest)) {
                users.push(match version {
                    Version::Latest => entry.name().to_string(),
                    Version::Number(number) => format!("{}:{number}", entry.name()),
                });
            }
        }
    }
    users
}
