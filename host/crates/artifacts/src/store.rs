//! The store: `sha256/ab/cdef...`, `derived/KIND/NAME`, `packages/DIGEST/`, `tmp/`.

use std::io::{ErrorKind, Read as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use lamina_disk::Folder;
use lamina_kit::{Clock, Ids};
use lamina_types::{Digest, limits};
use sha2::Digest as _;

use crate::error::{Error, io};

pub(crate) const CONTENT: &str = "sha256";
pub(crate) const DERIVED: &str = "derived";
pub(crate) const PACKAGES: &str = "packages";
pub(crate) const TMP: &str = "tmp";

/// Nothing larger is stored, and so nothing larger is read.
pub(crate) const BYTES_MAX: u64 = limits::PACKAGE_UNZIPPED_BYTES_MAX as u64;

/// What is read at once where a file need not be in memory whole.
const SLICE_BYTES: usize = 256 * 1024;

/// The store. Clones share it.
#[derive(Clone)]
pub struct Artifacts {
    pub(crate) folder: Folder,
    pub(crate) ids: Arc<dyn Ids>,
    clock: Arc<dyn Clock>,
    /// The number of holds that live. Locked while a file is touched, takes its
    /// name, or is judged and removed, so that none is removed that became new
    /// after it was judged.
    gate: Arc<Mutex<usize>>,
}

/// The folder of this content, and its path.
pub(crate) fn content_path(digest: &Digest) -> (String, String) {
    let hex = digest.to_string();
    let (head, rest) = hex.split_at(2);
    (format!("{CONTENT}/{head}"), format!("{CONTENT}/{head}/{rest}"))
}

/// The package made from this content.
pub(crate) fn package_path(digest: &Digest) -> String {
    format!("{PACKAGES}/{digest}")
}

impl Artifacts {
    /// Opens or makes a store in this folder; what an interrupted write left
    /// behind is removed. Ages are told by `clock`. Blocks.
    pub fn open(folder: Folder, ids: Arc<dyn Ids>, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        folder.remove_all(TMP).map_err(io("clearing tmp"))?;
        for name in [CONTENT, DERIVED, PACKAGES, TMP] {
            folder.make(name).map_err(io(format!("making {name}")))?;
        }
        folder.sync_dir(".").map_err(io("syncing the artifact directory"))?;
        Ok(Self { folder, ids, clock, gate: Arc::default() })
    }

    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let this = self.clone();
        tokio::task::spawn_blocking(move || work(&this)).await.map_err(|error| Error::Task(error.to_string()))?
    }

    pub(crate) fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_micros(self.clock.epoch_micros())
    }

    pub(crate) fn gate(&self) -> MutexGuard<'_, usize> {
        // A number cannot be left half-changed by a panic.
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn share_gate(&self) -> Arc<Mutex<usize>> {
        self.gate.clone()
    }

    /// Stores the bytes and answers their digest; on the disk when it returns.
    /// The same bytes are kept once, and count as new. Dropped half-way, the write
    /// runs on and does no harm. Until a record refers to them they are kept for
    /// the age that [`Artifacts::collect`] is given, and no longer.
    pub async fn put(&self, bytes: Bytes) -> Result<Digest, Error> {
        if bytes.len() as u64 > BYTES_MAX {
            return Err(Error::TooLarge { bytes_max: BYTES_MAX });
        }
        self.blocking(move |this| {
            let digest = Digest::of(&bytes);
            if !this.renew(&digest)? {
                let (folder, path) = this.content_folder(&digest)?;
                this.replace(&folder, &path, &bytes)?;
            }
            Ok(digest)
        })
        .await
    }

    /// Makes content that is there already count as new, and sees to it that it
    /// stays. Whether it is there and good; else it has to be written (again).
    pub(crate) fn renew(&self, digest: &Digest) -> Result<bool, Error> {
        let (folder, path) = content_path(digest);
        // Touched before it is checked: from here on it is not collected.
        let touched = {
            let _gate = self.gate();
            self.folder.touch(&path, self.now())
        };
        // A damaged file is replaced: it must not shadow the good bytes.
        if touched.is_err() || !self.is_good(&path, digest) {
            return Ok(false);
        }
        // Another writer may have renamed it and not come to this yet.
        self.folder.sync_dir(&folder).map_err(io(format!("syncing {folder}")))?;
        Ok(true)
    }

    /// The folder and path for this content; the folder is there, and stays.
    pub(crate) fn content_folder(&self, digest: &Digest) -> Result<(String, String), Error> {
        let (folder, path) = content_path(digest);
        self.folder.make(&folder).map_err(io(format!("making {folder}")))?;
        self.folder.sync_dir(CONTENT).map_err(io(format!("syncing {CONTENT}")))?;
        Ok((folder, path))
    }

    /// Whether the file can be read and has this digest.
    pub(crate) fn is_good(&self, path: &str, digest: &Digest) -> bool {
        let hash = || {
            let mut file = self.folder.dir().open(path)?;
            if file.metadata()?.len() > BYTES_MAX {
                return Err(ErrorKind::FileTooLarge.into());
            }
            let (mut hash, mut slice) = (sha2::Sha256::new(), vec![0; SLICE_BYTES]);
            loop {
                match file.read(&mut slice) {
                    Ok(0) => return Ok(Digest::from_bytes(hash.finalize().into())),
                    Ok(count) => hash.update(slice.get(..count).unwrap_or_default()),
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
        };
        hash().is_ok_and(|found| found == *digest)
    }

    /// The bytes of this digest, checked.
    pub async fn get(&self, digest: &Digest) -> Result<Bytes, Error> {
        let digest = *digest;
        self.blocking(move |this| this.read(&digest)).await
    }

    pub(crate) fn read(&self, digest: &Digest) -> Result<Bytes, Error> {
        let (_, path) = content_path(digest);
        match self.folder.read(&path, BYTES_MAX) {
            Ok(Some(bytes)) if Digest::of(&bytes) == *digest => Ok(bytes.into()),
            Ok(Some(_)) => Err(Error::Corrupt(*digest)),
            Ok(None) => Err(Error::Missing(*digest)),
            Err(error) if error.kind() == ErrorKind::FileTooLarge => Err(Error::Corrupt(*digest)),
            Err(source) => Err(Error::Io { doing: format!("reading artifact {digest}"), source }),
        }
    }

    /// The file of this digest and its length in bytes, not checked: whoever
    /// reads it computes the digest on the way. It can be read to its end even
    /// when it is removed meanwhile.
    pub async fn open_artifact(&self, digest: &Digest) -> Result<(std::fs::File, u64), Error> {
        let digest = *digest;
        self.blocking(move |this| {
            let (_, path) = content_path(&digest);
            let open = || {
                let file = this.folder.dir().open(&path)?.into_std();
                let length = file.metadata()?.len();
                Ok((file, length))
            };
            open().map_err(|source: std::io::Error| match source.kind() {
                ErrorKind::NotFound => Error::Missing(digest),
                _ => Error::Io { doing: format!("opening artifact {digest}"), source },
            })
        })
        .await
    }

    /// Forgets the bytes of this digest and the package made from them, however
    /// young and whatever holds live. The caller knows that nothing refers to them.
    /// Dropped half-way, it runs on.
    pub async fn remove(&self, digest: &Digest) -> Result<(), Error> {
        let digest = *digest;
        self.blocking(move |this| {
            let (folder, _) = content_path(&digest);
            let gate = this.gate();
            let was_there = this.forget(&digest)?;
            drop(gate);
            if was_there {
                this.folder.sync_dir(&folder).map_err(io(format!("syncing {folder}")))?;
            }
            Ok(())
        })
        .await
    }

    /// Removes the package, and then the content: the other way round, nobody
    /// would know of the package any more. Whether the content was there.
    pub(crate) fn forget(&self, digest: &Digest) -> Result<bool, Error> {
        let ((_, path), package) = (content_path(digest), package_path(digest));
        self.folder.remove_all(&package).map_err(io(format!("removing {package}")))?;
        self.folder.remove(&path).map_err(io(format!("removing artifact {digest}")))
    }

    /// The digests of everything stored, rising. Names that are no digest are
    /// passed over.
    pub async fn list(&self) -> Result<Vec<Digest>, Error> {
        self.blocking(|this| {
            let mut digests = Vec::new();
            for head in this.names(CONTENT)? {
                digests.extend(this.digests(&head)?);
            }
            Ok(digests)
        })
        .await
    }

    /// The digests in one folder of the content, rising.
    pub(crate) fn digests(&self, head: &str) -> Result<Vec<Digest>, Error> {
        let names = self.names(&format!("{CONTENT}/{head}"))?;
        Ok(names.iter().filter_map(|rest| format!("{head}{rest}").parse().ok()).collect())
    }

    /// The names in a folder, in order; none if there is no such folder.
    pub(crate) fn names(&self, folder: &str) -> Result<Vec<String>, Error> {
        self.folder.names(folder).map_err(io(format!("listing {folder}")))
    }
}
