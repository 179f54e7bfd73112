//! Images of an engine that has changed: made again in the background, the ones
//! used last first.
//!
//! One at a time, so that a caller whose image is not there yet waits for one
//! other at most; the compile queue has its own bound.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lamina_types::Digest;

use crate::collect::{IMAGES, component_of};
use crate::deployer::Deployer;
use crate::error::DeployError;

/// How often progress is said, in images.
const STEP: usize = 100;
/// Left to calls between two images.
const PAUSE: Duration = Duration::from_millis(5);

/// What a renewal came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Renewed {
    /// Images that were made.
    pub made: usize,
    /// Components that could not be compiled, or may not run: their functions say
    /// why when they are called.
    pub failed: usize,
    /// Images of other engines that were removed.
    pub removed: usize,
}

impl Deployer {
    /// Makes the images that this engine lacks, and then removes those of others.
    /// Dropped half-way, the next start goes on with the rest.
    pub async fn renew(&self) -> Result<Renewed, DeployError> {
        let lacking = self.lacking().await?;
        let (total, mut renewed) = (lacking.len(), Renewed::default());
        if total > 0 {
            tracing::info!(total, "compiled images of another engine are made again");
        }
        for (at, component) in lacking.iter().enumerate() {
            let is_runtime = self.deps.registry.catalog().runtimes().get(component).is_some();
            let prepared = match is_runtime {
                true => self.deps.runtime.prepare_runtime(component).await,
                false => self.deps.runtime.prepare(component).await,
            };
            match prepared {
                Ok(()) => renewed.made += 1,
                Err(error) => {
                    tracing::warn!(%component, %error, "an image could not be made again");
                    renewed.failed += 1;
                }
            }
            if (at + 1) % STEP == 0 || at + 1 == total {
                tracing::info!(done = at + 1, total, "compiled images made again");
            }
            tokio::time::sleep(PAUSE).await;
        }
        renewed.removed = self.remove_others().await?;
        Ok(renewed)
    }

    /// Components without an image of this engine, the one used last first.
    async fn lacking(&self) -> Result<Vec<Digest>, DeployError> {
        let mut used: HashMap<Digest, SystemTime> = HashMap::new();
        let mut names = HashSet::new();
        for file in self.deps.artifacts.list_derived_with(IMAGES).await? {
            if let Some(component) = component_of(&file.name) {
                let at = used.entry(component).or_insert(UNIX_EPOCH);
                *at = file.modified.max(*at);
            }
            names.insert(file.name);
        }
        let components = self.deps.registry.components();
        let catalog = self.deps.registry.catalog();
        let runtimes = catalog.runtimes().versions().map(|version| version.component);
        let mut lacking: Vec<Digest> = components
            .into_iter()
            .chain(runtimes)
            .filter(|component| !names.contains(&self.deps.runtime.image_name(component)))
            .collect();
        lacking.sort_by_key(|component| std::cmp::Reverse((used.get(component).copied(), *component)));
        Ok(lacking)
    }

    /// Removes images that another engine has made.
    async fn remove_others(&self) -> Result<usize, DeployError> {
        let mut removed = 0;
        for file in self.deps.artifacts.list_derived_with(IMAGES).await? {
            let own = component_of(&file.name).map(|component| self.deps.runtime.image_name(&component));
            if own.as_ref() != Some(&file.name) {
                self.deps.artifacts.remove_derived(IMAGES, &file.name).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}
