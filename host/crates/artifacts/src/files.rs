//! The directory of a package's files, as a managed runtime sees it at `/var/task`.
//!
//! Derived from the zip, and so never synced: whoever unpacks it asks first whether
//! what is there is what would be written, which a torn or edited file is not.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, ErrorKind, Read as _};

use cap_std::fs::Dir;
use lamina_disk::Folder;
use lamina_types::Digest;

use crate::error::{Error, io};
use crate::store::{Artifacts, package_path};

/// A file that is to be in a package's directory. Its name is relative, without `.`
/// and `..`, and no other file's name or folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageFile {
    /// With `/` between its parts.
    pub name: String,
    /// What is in it.
    pub content: Vec<u8>,
}

/// A directory of ours in `tmp/`; it is gone when this is dropped.
struct TemporaryFolder {
    folder: Folder,
    name: String,
}

impl Drop for TemporaryFolder {
    /// What is left when that fails is cleared at the next start.
    fn drop(&mut self) {
        if self.folder.remove_all(&self.name).is_err() {
            // What stood in a directory's place.
            let _ = self.folder.remove(&self.name);
        }
    }
}

impl Artifacts {
    /// Sees to it that the package's directory holds these files, readable only, and
    /// nothing else. What is there already is compared; what differs is made anew
    /// under a temporary name and takes its name as a whole, so that a reader finds
    /// all files or none. `files` gives them in any order, as often as it is asked,
    /// one at a time in memory. Blocks.
    pub fn unpack<I>(&self, package: &Digest, files: impl Fn() -> I) -> Result<(), Error>
    where
        I: Iterator<Item = Result<PackageFile, String>>,
    {
        let path = package_path(package);
        if self.holds(&path, files())? {
            return Ok(());
        }
        let made = self.temporary_folder(|folder| write(folder, files()))?;
        // Another may have made it meanwhile; what is damaged makes room.
        if self.folder.dir().exists(&path) && !self.holds(&path, files())? {
            self.discard(&path)?;
        }
        match self.folder.rename(&made.name, &path) {
            Err(_) if self.holds(&path, files())? => Ok(()),
            renamed => renamed.map_err(io(format!("making {path}"))),
        }
    }

    /// The package's directory; [`Error::Unpacked`] when there is none.
    pub async fn files_dir(&self, package: &Digest) -> Result<Dir, Error> {
        let package = *package;
        self.blocking(move |this| {
            let path = package_path(&package);
            this.folder.dir().open_dir(&path).map_err(|source| match source.kind() {
                ErrorKind::NotFound => Error::Unpacked(package),
                _ => Error::Io { doing: format!("opening {path}"), source },
            })
        })
        .await
    }

    /// Whether the directory holds these files and nothing else.
    fn holds(&self, path: &str, files: impl Iterator<Item = Result<PackageFile, String>>) -> Result<bool, Error> {
        let Ok(dir) = self.folder.dir().open_dir(path) else { return Ok(false) };
        let Ok(mut found) = sizes(&dir) else { return Ok(false) };
        for file in files {
            let PackageFile { name, content } = file.map_err(Error::Content)?;
            let is_same = found.remove(&name) == Some(content.len() as u64) && reads(&dir, &name, &content);
            if !is_same {
                return Ok(false);
            }
        }
        Ok(found.is_empty())
    }

    /// A new directory that `fill` has filled.
    fn temporary_folder(&self, fill: impl FnOnce(&Folder) -> Result<(), Error>) -> Result<TemporaryFolder, Error> {
        let name = self.temporary_name();
        self.folder.make(&name).map_err(io(format!("making {name}")))?;
        let made = TemporaryFolder { folder: self.folder.clone(), name };
        let folder = self.folder.existing(&made.name).map_err(io(format!("opening {}", made.name)))?;
        fill(&folder)?;
        Ok(made)
    }

    /// Takes a directory away, as a whole first.
    fn discard(&self, path: &str) -> Result<(), Error> {
        let gone = TemporaryFolder { folder: self.folder.clone(), name: self.temporary_name() };
        self.folder.rename(path, &gone.name).map_err(io(format!("removing {path}")))
    }
}

fn write(folder: &Folder, files: impl Iterator<Item = Result<PackageFile, String>>) -> Result<(), Error> {
    let mut made = HashSet::new();
    for file in files {
        let PackageFile { name, content } = file.map_err(Error::Content)?;
        let doing = || format!("unpacking {name}");
        if let Some((parent, _)) = name.rsplit_once('/')
            && made.insert(parent.to_owned())
        {
            folder.make(parent).map_err(io(doing()))?;
        }
        let file = folder.create_read_only(&name).map_err(io(doing()))?;
        file.write_at(0, &content).map_err(io(doing()))?;
    }
    Ok(())
}

/// The files in a directory and below, with their sizes; an error when there is
/// anything but files and folders that lead to one.
fn sizes(dir: &Dir) -> io::Result<BTreeMap<String, u64>> {
    let mut sizes = BTreeMap::new();
    let mut folders = vec![(String::new(), dir.try_clone()?)];
    while let Some((prefix, dir)) = folders.pop() {
        let mut is_empty = true;
        for entry in dir.entries()? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_str().ok_or(ErrorKind::InvalidData)?;
            let (path, kind) = (format!("{prefix}{name}"), entry.file_type()?);
            is_empty = false;
            if kind.is_dir() {
                folders.push((format!("{path}/"), entry.open_dir()?));
            } else if kind.is_file() {
                sizes.insert(path, entry.metadata()?.len());
            } else {
                return Err(ErrorKind::InvalidData.into());
            }
        }
        // The package's own may be.
        if is_empty && !prefix.is_empty() {
            return Err(ErrorKind::InvalidData.into());
        }
    }
    Ok(sizes)
}

/// Whether the file has this content.
fn reads(dir: &Dir, name: &str, content: &[u8]) -> bool {
    const SLICE_BYTES: usize = 64 << 10;
    let mut slice = vec![0; SLICE_BYTES.min(content.len())];
    let Ok(mut file) = dir.open(name) else { return false };
    content.chunks(SLICE_BYTES).all(|chunk| {
        let slice = slice.get_mut(..chunk.len()).unwrap_or_default();
        file.read_exact(slice).is_ok() && slice == chunk
    })
}
