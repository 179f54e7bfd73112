//! What the store takes of the disk.

use crate::error::{Error, io};
use crate::store::{Artifacts, CONTENT, DERIVED, PACKAGES, content_path};

/// Counts, and bytes as the files' lengths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Artifacts: their number and bytes.
    pub artifacts: (u64, u64),
    /// Derived files of every kind: their number and bytes.
    pub derived: (u64, u64),
    /// Packages; their files are second names of artifacts.
    pub packages: u64,
}

impl Artifacts {
    /// Counts what there is.
    pub async fn usage(&self) -> Result<Usage, Error> {
        self.blocking(|this| {
            let mut usage = Usage { packages: this.names(PACKAGES)?.len() as u64, ..Usage::default() };
            for head in this.names(CONTENT)? {
                for digest in this.digests(&head)? {
                    this.count(&content_path(&digest).1, &mut usage.artifacts)?;
                }
            }
            for kind in this.names(DERIVED)? {
                for name in this.names(&format!("{DERIVED}/{kind}"))? {
                    this.count(&format!("{DERIVED}/{kind}/{name}"), &mut usage.derived)?;
                }
            }
            Ok(usage)
        })
        .await
    }

    fn count(&self, path: &str, (files, bytes): &mut (u64, u64)) -> Result<(), Error> {
        // One that was removed since it was listed counts no more.
        if let Some(metadata) = self.folder.metadata(path).map_err(io(format!("looking at {path}")))? {
            *files += 1;
            *bytes += metadata.len();
        }
        Ok(())
    }
}
