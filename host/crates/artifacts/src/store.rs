//! The store: `sha256/ab/cdef…`, `derived/KIND/NAME`, `packages/DIGEST/`, `tmp/`.

use std::io::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use cap_std::fs::{Dir, OpenOptions};
use lamina_kit::Ids;
use lamina_types::Digest;

use crate::error::Error;

const CONTENT: &str = "sha256";
const DERIVED: &str = "derived";
const PACKAGES: &str = "packages";
const TMP: &str = "tmp";
/// The name under which a component lies in its package.
const BOOTSTRAP: &str = "bootstrap.wasm";

/// The store. Clones share it.
#[derive(Clone)]
pub struct Artifacts {
    dir: Arc<Dir>,
    ids: Arc<dyn Ids>,
}

fn io(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Error {
    let doing = doing.into();
    move |source| Error::Io { doing, source }
}

fn sync(dir: &Dir, path: &str) -> std::io::Result<()> {
    // Opened as a file: a directory handle is O_PATH, which cannot be synced.
    dir.open(path)?.sync_all()
}

fn content_path(digest: &Digest) -> (String, String) {
    let hex = digest.to_string();
    let (head, rest) = hex.split_at(2);
    (format!("{CONTENT}/{head}"), format!("{CONTENT}/{head}/{rest}"))
}

fn check_name(name: &str) -> Result<(), Error> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-';
    if name.is_empty() || name.len() > 200 || name.starts_with('.') || !name.bytes().all(allowed) {
        return Err(Error::Name(name.chars().take(200).collect()));
    }
    Ok(())
}

impl Artifacts {
    /// Opens or makes a store in this directory; what an interrupted write left
    /// behind is removed.
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

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let this = self.clone();
        tokio::task::spawn_blocking(move || work(&this)).await.map_err(|error| Error::Task(error.to_string()))?
    }

    /// Stores the bytes and answers their digest; on the disk when it returns.
    /// Dropped half-way, the write runs on and does no harm.
    pub async fn put(&self, bytes: Bytes) -> Result<Digest, Error> {
        self.blocking(move |this| {
            let digest = Digest::of(&bytes);
            let (folder, path) = content_path(&digest);
            // A damaged file is replaced: it must not shadow the good bytes.
            let stored = this.dir.read(&path).ok().filter(|stored| Digest::of(stored) == digest);
            if stored.is_none() {
                this.dir.create_dir_all(&folder).map_err(io(format!("making {folder}")))?;
                sync(&this.dir, CONTENT).map_err(io("syncing sha256"))?;
                this.replace(&folder, &path, &bytes)?;
            }
            Ok(digest)
        })
        .await
    }

    /// Writes a whole file in place of another, or of none.
    fn replace(&self, folder: &str, path: &str, bytes: &[u8]) -> Result<(), Error> {
        let temporary = format!("{TMP}/{:032x}", u128::from_be_bytes(self.ids.random16()));
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

    fn read(&self, digest: &Digest) -> Result<Bytes, Error> {
        let (_, path) = content_path(digest);
        let bytes = self.dir.read(&path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => Error::Missing(*digest),
            _ => Error::Io { doing: format!("reading artifact {digest}"), source },
        })?;
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
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
                Err(source) => Err(Error::Io { doing: format!("removing artifact {digest}"), source }),
            }
        })
        .await
    }

    /// A directory that holds the component as `bootstrap.wasm`: what a guest
    /// sees at `/var/task`. Made on demand, from checked bytes.
    pub async fn package_dir(&self, component: &Digest) -> Result<Dir, Error> {
        let digest = *component;
        self.blocking(move |this| {
            let folder = format!("{PACKAGES}/{digest}");
            let path = format!("{folder}/{BOOTSTRAP}");
            let fresh = this.dir.read(&path).ok().is_some_and(|bytes| Digest::of(&bytes) == digest);
            if !fresh {
                let bytes = this.read(&digest)?;
                this.dir.create_dir_all(&folder).map_err(io(format!("making {folder}")))?;
                this.replace(&folder, &path, &bytes)?;
            }
            this.dir.open_dir(&folder).map_err(io(format!("opening {folder}")))
        })
        .await
    }

    /// Stores a derived file in place of an older one.
    pub async fn put_derived(&self, kind: &str, name: &str, bytes: Bytes) -> Result<(), Error> {
        check_name(kind)?;
        check_name(name)?;
        let (folder, path) = (format!("{DERIVED}/{kind}"), format!("{DERIVED}/{kind}/{name}"));
        self.blocking(move |this| {
            this.dir.create_dir_all(&folder).map_err(io(format!("making {folder}")))?;
            this.replace(&folder, &path, &bytes)
        })
        .await
    }

    /// A derived file's bytes, unchecked; `None` when there is none.
    pub async fn get_derived(&self, kind: &str, name: &str) -> Result<Option<Bytes>, Error> {
        check_name(kind)?;
        check_name(name)?;
        let path = format!("{DERIVED}/{kind}/{name}");
        self.blocking(move |this| match this.dir.read(&path) {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::Io { doing: format!("reading {path}"), source }),
        })
        .await
    }

    /// Forgets a derived file, if it is there.
    pub async fn remove_derived(&self, kind: &str, name: &str) -> Result<(), Error> {
        check_name(kind)?;
        check_name(name)?;
        let path = format!("{DERIVED}/{kind}/{name}");
        self.blocking(move |this| match this.dir.remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::Io { doing: format!("removing {path}"), source: error })
            }
            _ => Ok(()),
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use cap_std::ambient_authority;
    use lamina_kit::SeededIds;

    use super::*;

    fn open(path: &std::path::Path) -> Artifacts {
        let dir = Dir::open_ambient_dir(path, ambient_authority()).unwrap();
        Artifacts::open(dir, Arc::new(SeededIds::new(1))).unwrap()
    }

    #[tokio::test]
    async fn bytes_come_back_or_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let digest = store.put(Bytes::from_static(b"abc")).await.unwrap();
        assert_eq!(store.get(&digest).await.unwrap(), "abc");
        let (_, path) = content_path(&digest);
        std::fs::write(folder.path().join(&path), b"abd").unwrap();
        assert!(matches!(store.get(&digest).await, Err(Error::Corrupt(_))));
        assert!(matches!(store.package_dir(&digest).await, Err(Error::Corrupt(_))));
        store.put(Bytes::from_static(b"abc")).await.unwrap();
        assert_eq!(store.get(&digest).await.unwrap(), "abc");
        assert_eq!(store.package_dir(&digest).await.unwrap().read(BOOTSTRAP).unwrap(), b"abc");
        store.remove(&digest).await.unwrap();
        assert!(matches!(store.get(&digest).await, Err(Error::Missing(_))));
    }

    #[tokio::test]
    async fn derived_files_are_replaced_and_named_strictly() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        for text in ["a", "b"] {
            store.put_derived("images", "x.image", Bytes::from_static(text.as_bytes())).await.unwrap();
            assert_eq!(store.get_derived("images", "x.image").await.unwrap().unwrap(), text);
        }
        store.remove_derived("images", "x.image").await.unwrap();
        assert!(store.get_derived("images", "x.image").await.unwrap().is_none());
        for bad in ["", "..", "a/b", "A", ".x"] {
            assert!(matches!(store.get_derived("images", bad).await, Err(Error::Name(_))), "{bad}");
        }
    }

    #[test]
    fn leftovers_go() {
        let folder = tempfile::tempdir().unwrap();
        open(folder.path());
        std::fs::write(folder.path().join("tmp/x"), b"").unwrap();
        open(folder.path());
        assert!(!folder.path().join("tmp/x").exists());
    }
}
