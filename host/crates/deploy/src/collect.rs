//! Removing what no record needs: uploads whose deploy did not end, and code of
//! functions that are gone; and derived files past their bound.

use std::collections::HashSet;
use std::time::Duration;

use lamina_types::Digest;

use crate::deployer::Deployer;
use crate::error::DeployError;

/// The kind of derived files that images are; their names begin with a digest.
pub(crate) const IMAGES: &str = "images";

/// The kind of derived files that bundles of packages are: `PACKAGE-RUNTIME.bundle`.
const BUNDLES: &str = "bundles";
/// Bytes of bundles that are kept; past it the one used longest ago goes, and is made
/// again when its package is loaded.
const BUNDLES_BYTES_MAX: u64 = 4 << 30;

/// The kind of derived files that snapshots are, `COMPONENT-PACKAGE-ID.snapshot`, and
/// instrumented runtimes, `COMPONENT.instrumented`.
const SNAPSHOTS: &str = "snapshots";
/// How the names of the first end.
const SNAPSHOT_END: &str = ".snapshot";
/// Bytes of snapshots that are kept, as for bundles.
const SNAPSHOTS_BYTES_MAX: u64 = 8 << 30;

/// What a file was made of, which its name says.
type MadeOf = fn(&str) -> Option<[Digest; 2]>;

/// The component and the package whose snapshot has this name; an instrumented runtime's
/// component, twice.
fn snapshot_of(name: &str) -> Option<[Digest; 2]> {
    let component = component_of(name)?;
    match name.get(64..)?.strip_prefix('-') {
        Some(rest) => Some([component, component_of(rest)?]),
        None => Some([component, component]),
    }
}

/// The package and the runtime whose bundle has this name.
fn bundle_of(name: &str) -> Option<[Digest; 2]> {
    let (package, rest) = name.split_once('-')?;
    Some([package.parse().ok()?, rest.strip_suffix(".bundle")?.parse().ok()?])
}

/// The component whose image has this name.
pub(crate) fn component_of(name: &str) -> Option<Digest> {
    name.get(..64)?.parse().ok()
}

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    /// Files of uploads, components and images.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
}

impl Deployer {
    /// Removes artifacts that no version refers to and that are older than `age`,
    /// images of code that is gone, and of the rest the oldest past `images_bytes_max`.
    /// An upload under way is younger than any sensible age. Snapshots that could not be
    /// made are tried again.
    pub async fn collect(&self, age: Duration, images_bytes_max: u64) -> Result<Removed, DeployError> {
        let artifacts = &self.deps.artifacts;
        // Taken before the files are listed, so that no later one is missed.
        let registry = &self.deps.registry;
        let referenced = registry.still(|| registry.referenced()).await?;
        let collected = artifacts.collect(referenced.clone(), age).await?;
        let mut removed = Removed { files: collected.removed, bytes: collected.bytes };
        for file in artifacts.list_derived_with(IMAGES).await? {
            if component_of(&file.name).is_none_or(|digest| !referenced.contains(&digest)) {
                artifacts.remove_derived(IMAGES, &file.name).await?;
                removed = Removed { files: removed.files + 1, bytes: removed.bytes + file.bytes };
            }
        }
        let of_two: [(&str, MadeOf); 2] = [(BUNDLES, bundle_of), (SNAPSHOTS, snapshot_of)];
        for (kind, made_of) in of_two {
            let files = artifacts.list_derived_with(kind).await?;
            // Taken after the files are listed: a snapshot comes after its version.
            let snapshots = if kind == SNAPSHOTS { self.snapshot_names() } else { HashSet::new() };
            for file in files {
                let is_needed = made_of(&file.name)
                    .is_some_and(|of| of.iter().all(|digest| referenced.contains(digest)))
                    && (!file.name.ends_with(SNAPSHOT_END) || snapshots.contains(&file.name));
                if !is_needed {
                    artifacts.remove_derived(kind, &file.name).await?;
                    removed = Removed { files: removed.files + 1, bytes: removed.bytes + file.bytes };
                }
            }
        }
        let bounds = [(IMAGES, images_bytes_max), (BUNDLES, BUNDLES_BYTES_MAX), (SNAPSHOTS, SNAPSHOTS_BYTES_MAX)];
        for (kind, bytes_max) in bounds {
            let evicted = artifacts.evict(kind, bytes_max).await?;
            removed = Removed { files: removed.files + evicted.removed, bytes: removed.bytes + evicted.bytes };
        }
        self.take_up_snapshots();
        Ok(removed)
    }

    /// The names of the snapshots that versions have or ask for.
    fn snapshot_names(&self) -> HashSet<String> {
        let catalog = self.deps.registry.catalog();
        let names = catalog.resolved().filter_map(|function| self.deps.runtime.snapshot_name(&function));
        names.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_they_are_made_of() {
        let (one, other) = (Digest::of(b"one"), Digest::of(b"other"));
        assert_eq!(bundle_of(&format!("{one}-{other}.bundle")), Some([one, other]));
        assert_eq!(snapshot_of(&format!("{one}-{other}-0011.snapshot")), Some([one, other]));
        assert_eq!(snapshot_of(&format!("{one}.instrumented")), Some([one, one]));
        for stray in ["", "x.snapshot", &format!("{one}-x.snapshot"), &format!("{one}-x.bundle")] {
            assert_eq!((bundle_of(stray), snapshot_of(stray)), (None, None), "{stray}");
        }
    }
}
