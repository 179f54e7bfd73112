//! The store: `sha256/ab/cdef...`, `derived/KIND/NAME`, `packages/DIGEST/`, `tmp/`.

use std::io::{ErrorKind, Write as _};
use std::sync::Arc;

use bytes::Bytes;
use cap_std::fs::{Dir, OpenOptions};
use lamina_kit::Ids;
use lamina_types::{Digest, limits};

use crate::error::{Error, io};

const CONTENT: &str = "sha256";
pub(crate) const DERIVED: &str = "derived";
pub(crate) const PACKAGES: &str = "packages";
const TMP: &str = "tmp";

/// The store. Clones share it.
#[derive(Clone)]
pub struct Artifacts {
    pub(crate) dir: Arc<Dir>,
    ids: Arc<dyn Ids>,
}

pub(crate) fn sync(dir: &Dir, path: &str) -> std::io::Result<()> {
    // Opened as a file: a directory handle is O_PATH, which cannot be synced.
    dir.open(path)?.sync_all()
}

/// The folder of this content, and its path.
pub(crate) fn content_path(digest: &Digest) -> (String, String) {
    let hex = digest.to_string();
    let (head, rest) = hex.split_at(2);
    (format!("{CONTENT}/{head}"), format!("{CONTENT}/{head}/{rest}"))
}

impl Artifacts {
    /// Opens or makes a store in this directory; what an interrupted write left
    /// behind is removed. Blocks.
    pub fn open(dir: Dir, ids: Arc<dyn Ids>) -> Result<Self, Error> {
        if dir.exists(TMP) {
            dir.remove_dir_all(TMP).map_err(io("clearing tmp"))?;
        }
        for name in [CONTENT, DERIVED, PACKAGES, TMP] {
            dir.create_dir_all(name).map_err(io(format!("making {name}")))?;
        }
        sync(&dir, ".").map_err(io("syncing the artifact directory"))?;
        Ok(Self { dir: Arc::new(dir), ids })
    }

    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let this = self.clone();
        tokio::task::spawn_blocking(move || work(&this)).await.map_err(|error| Error::Task(error.to_string()))?
    }

    /// Stores the bytes and answers their digest; on the disk when it returns.
    /// The same bytes are kept once. Dropped half-way, the write runs on and does
    /// no harm. The caller sees to it that nobody removes them meanwhile.
    pub async fn put(&self, bytes: Bytes) -> Result<Digest, Error> {
        self.blocking(move |this| {
            let digest = Digest::of(&bytes);
            let (folder, path) = content_path(&digest);
            // A damaged file is replaced: it must not shadow the good bytes.
            if this.read(&digest).is_ok() {
                // Another writer may have renamed it and not come to this yet.
                sync(&this.dir, &folder).map_err(io(format!("syncing {folder}")))?;
            } else {
                this.dir.create_dir_all(&folder).map_err(io(format!("making {folder}")))?;
                sync(&this.dir, CONTENT).map_err(io("syncing sha256"))?;
                this.replace(&folder, &path, &bytes)?;
            }
            Ok(digest)
        })
        .await
    }

    pub(crate) fn temporary(&self) -> String {
        format!("{TMP}/{:032x}", u128::from_be_bytes(self.ids.random16()))
    }

    /// Writes a whole file in place of another, or of none.
    pub(crate) fn replace(&self, folder: &str, path: &str, bytes: &[u8]) -> Result<(), Error> {
        let temporary = self.temporary();
        let write = || {
            let mut file = self.dir.open_with(&temporary, OpenOptions::new().write(true).create_new(true))?;
            file.write_all(bytes)?;
            file.sync_all()?;
            self.dir.rename(&temporary, &self.dir, path)?;
            sync(&self.dir, folder)
        };
        write().map_err(|source| {
            let _ = self.dir.remove_file(&temporary);
            Error::Io { doing: format!("writing {path}"), source }
        })
    }

    /// The bytes of this digest, checked.
    pub async fn get(&self, digest: &Digest) -> Result<Bytes, Error> {
        let digest = *digest;
        self.blocking(move |this| this.read(&digest)).await
    }

    pub(crate) fn read(&self, digest: &Digest) -> Result<Bytes, Error> {
        let (_, path) = content_path(digest);
        let failed = |source: std::io::Error| match source.kind() {
            ErrorKind::NotFound => Error::Missing(*digest),
            _ => Error::Io { doing: format!("reading artifact {digest}"), source },
        };
        // Nothing larger was ever put: not read to find that out.
        let length = self.dir.metadata(&path).map_err(failed)?.len();
        if length > limits::PACKAGE_UNZIPPED_BYTES_MAX as u64 {
            return Err(Error::Corrupt(*digest));
        }
        let bytes = self.dir.read(&path).map_err(failed)?;
        if Digest::of(&bytes) != *digest {
            return Err(Error::Corrupt(*digest));
        }
        Ok(bytes.into())
    }

    /// Forgets the bytes of this digest and the package made from them. The
    /// caller knows that nothing refers to them.
    pub async fn remove(&self, digest: &Digest) -> Result<(), Error> {
        let digest = *digest;
        self.blocking(move |this| {
            let (folder, path) = content_path(&digest);
            let package = format!("{PACKAGES}/{digest}");
            if this.dir.exists(&package) {
                this.dir.remove_dir_all(&package).map_err(io(format!("removing {package}")))?;
            }
            match this.dir.remove_file(&path) {
                Ok(()) => sync(&this.dir, &folder).map_err(io(format!("syncing {folder}"))),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
                Err(source) => Err(Error::Io { doing: format!("removing artifact {digest}"), source }),
            }
        })
        .await
    }

    /// The digests of everything stored, in no order. Names that are no digest
    /// are passed over.
    pub async fn list(&self) -> Result<Vec<Digest>, Error> {
        self.blocking(|this| {
            let mut digests = Vec::new();
            for head in this.names(CONTENT)? {
                for rest in this.names(&format!("{CONTENT}/{head}"))? {
                    digests.extend(format!("{head}{rest}").parse::<Digest>().ok());
                }
            }
            Ok(digests)
        })
        .await
    }

    /// The names in a folder; none if there is no such folder.
    pub(crate) fn names(&self, folder: &str) -> Result<Vec<String>, Error> {
        let entries = match self.dir.read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(Vec::new());
            }
            Err(source) => return Err(Error::Io { doing: format!("listing {folder}"), source }),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(io(format!("listing {folder}")))?;
            names.extend(entry.file_name().into_string().ok());
        }
        Ok(names)
    }
}
