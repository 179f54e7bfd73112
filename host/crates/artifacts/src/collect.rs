//! Removing what nothing refers to.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lamina_types::Digest;

use crate::error::{Error, io};
use crate::store::{Artifacts, CONTENT, PACKAGES, content_path, package_path};

/// What was collected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Collected {
    /// Artifacts.
    pub removed: usize,
    /// Their bytes.
    pub bytes: u64,
    /// A hold ended it before it was through.
    pub was_held: bool,
}

/// While it lives, nothing is collected.
#[must_use]
pub struct Hold {
    gate: Arc<Mutex<usize>>,
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut holds = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        *holds = holds.saturating_sub(1);
    }
}

/// How a file was judged.
enum Judged {
    Stays,
    Held,
    Removed(u64),
}

impl Artifacts {
    /// Nothing is collected from here on until the answer is dropped, neither by
    /// this handle nor by a clone of it. May wait while one file is removed.
    pub fn hold(&self) -> Hold {
        *self.gate() += 1;
        Hold { gate: self.share_gate() }
    }

    /// Removes artifacts that are not in `referenced` and were put, or put again,
    /// at least `age` ago; and packages whose artifact is gone. `referenced` is
    /// what the records say; it may grow meanwhile by content that is put only
    /// now, which is young. One whose time lies in the future is young.
    ///
    /// Wherever it is interrupted, the rest is collected the next time. Dropped
    /// half-way, it runs on.
    pub async fn collect(&self, referenced: HashSet<Digest>, age: Duration) -> Result<Collected, Error> {
        self.blocking(move |this| {
            let mut collected = Collected::default();
            for head in this.names(CONTENT)? {
                this.collect_folder(&head, &referenced, age, &mut collected)?;
                if collected.was_held {
                    return Ok(collected);
                }
            }
            collected.was_held = !this.collect_packages()?;
            Ok(collected)
        })
        .await
    }

    fn collect_folder(
        &self,
        head: &str,
        referenced: &HashSet<Digest>,
        age: Duration,
        collected: &mut Collected,
    ) -> Result<(), Error> {
        let before = collected.removed;
        for digest in self.digests(head)?.iter().filter(|digest| !referenced.contains(digest)) {
            match self.judge(digest, age)? {
                Judged::Stays => {}
                Judged::Removed(bytes) => {
                    collected.removed += 1;
                    collected.bytes += bytes;
                }
                Judged::Held => {
                    collected.was_held = true;
                    break;
                }
            }
        }
        if collected.removed > before {
            let folder = format!("{CONTENT}/{head}");
            self.folder.sync_dir(&folder).map_err(io(format!("syncing {folder}")))?;
        }
        Ok(())
    }

    fn judge(&self, digest: &Digest, age: Duration) -> Result<Judged, Error> {
        let (_, path) = content_path(digest);
        let gate = self.gate();
        if *gate > 0 {
            return Ok(Judged::Held);
        }
        let known = || Ok((self.folder.metadata(&path)?, self.folder.modified(&path)?));
        let (Some(metadata), Some(modified)) = known().map_err(io(format!("looking at {path}")))? else {
            return Ok(Judged::Stays);
        };
        if self.now().duration_since(modified).unwrap_or_default() < age || !self.forget(digest)? {
            return Ok(Judged::Stays);
        }
        Ok(Judged::Removed(metadata.len()))
    }

    /// Removes packages that lost their artifact, which a power failure in the
    /// midst of `forget` can leave. Whether nothing held it.
    fn collect_packages(&self) -> Result<bool, Error> {
        for digest in self.names(PACKAGES)?.iter().filter_map(|name| name.parse::<Digest>().ok()) {
            let (_, content) = content_path(&digest);
            let gate = self.gate();
            if *gate > 0 {
                return Ok(false);
            }
            if self.folder.metadata(&content).map_err(io(format!("looking at {content}")))?.is_none() {
                let package = package_path(&digest);
                self.folder.remove_all(&package).map_err(io(format!("removing {package}")))?;
            }
            drop(gate);
        }
        Ok(true)
    }
}
