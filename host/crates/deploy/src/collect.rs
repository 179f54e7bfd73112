//! Removing what no record needs: uploads whose deploy did not end, and code of
//! functions that are gone.

use std::collections::HashSet;

use lamina_types::Digest;

use crate::deployer::Deployer;
use crate::error::DeployError;

/// The kind of derived files that images are; their names begin with a digest.
const IMAGES: &str = "images";

impl Deployer {
    /// Removes artifacts and images that no version refers to; answers how many.
    /// To be called before anything is deployed: an upload under way is not yet
    /// referred to.
    pub async fn collect(&self) -> Result<usize, DeployError> {
        let artifacts = &self.deps.artifacts;
        let referenced: HashSet<Digest> = self.deps.registry.referenced();
        let mut removed = 0;
        for digest in artifacts.list().await? {
            if !referenced.contains(&digest) {
                artifacts.remove(&digest).await?;
                removed += 1;
            }
        }
        for name in artifacts.list_derived(IMAGES).await? {
            let of = name.get(..64).and_then(|digest| digest.parse::<Digest>().ok());
            if of.is_none_or(|digest| !referenced.contains(&digest)) {
                artifacts.remove_derived(IMAGES, &name).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}
