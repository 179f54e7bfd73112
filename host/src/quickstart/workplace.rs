//! Where the quickstart keeps its key, its components and the platform's data.

use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::cli::failure::Failure;
use crate::cli::keyfile::KeyFiles;

/// Folders for this run.
#[derive(Debug)]
pub(super) struct Workplace {
    /// The key and the signed components.
    pub(super) folder: PathBuf,
    /// The platform's data directory.
    pub(super) data: PathBuf,
    /// What is removed at the end.
    temporary: Option<PathBuf>,
}

impl Workplace {
    /// Makes the folders: in `data`, which must be empty or not there, or else in
    /// a temporary folder.
    pub(super) fn make(data: Option<&Path>) -> Result<Self, Failure> {
        let Some(data) = data else {
            let mut random = [0; 6];
            getrandom::fill(&mut random).map_err(|error| Failure::new(format!("reading randomness: {error}")))?;
            let folder = std::env::temp_dir().join(format!("lamina-quickstart-{}", hex::encode(random)));
            private_folder(&folder)?;
            return Ok(Self { data: folder.join("data"), temporary: Some(folder.clone()), folder });
        };
        let empty = match fs::read_dir(data) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) if error.kind() == ErrorKind::NotFound => true,
            Err(error) => return Err(Failure::io(format_args!("reading {}", data.display()), &error)),
        };
        if !empty {
            return Err(Failure::usage(format!("{} is not empty", data.display()))
                .next("name an empty directory, or none for a temporary one"));
        }
        let folder = data.join("quickstart");
        private_folder(&folder)?;
        Ok(Self { folder, data: data.to_owned(), temporary: None })
    }

    /// The key that signs.
    pub(super) fn key(&self) -> KeyFiles {
        KeyFiles::at(&self.folder.join("quickstart.key"))
    }

    /// Where the signed component of this function goes.
    pub(super) fn signed(&self, function: &str) -> PathBuf {
        self.folder.join(format!("{function}.wasm"))
    }

    /// Removes what was temporary; after a failure it stays, to be looked at,
    /// unless there is nothing in it.
    pub(super) fn close(self, worked: bool) -> Result<(), Failure> {
        let Some(folder) = self.temporary else { return Ok(()) };
        if worked {
            let removed = fs::remove_dir_all(&folder);
            return removed.map_err(|error| Failure::io(format_args!("removing {}", folder.display()), &error));
        }
        fs::remove_dir(&folder)
            .map_err(|_| Failure::new(format!("{} is left behind, to be looked at", folder.display())))
    }
}

fn private_folder(folder: &Path) -> Result<(), Failure> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| Failure::io(format_args!("making {}", folder.display()), &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_with_something_in_it_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let place = Workplace::make(Some(&data)).unwrap();
        assert!(place.folder.is_dir());
        place.close(true).unwrap();
        assert!(data.join("quickstart").is_dir());
        assert_eq!(Workplace::make(Some(&data)).unwrap_err().code(), 2);
    }

    #[test]
    fn a_temporary_one_goes_unless_something_failed() {
        let place = Workplace::make(None).unwrap();
        let folder = place.folder.clone();
        assert!(place.data.starts_with(&folder));
        place.close(true).unwrap();
        assert!(!folder.exists());
        let place = Workplace::make(None).unwrap();
        let folder = place.folder.clone();
        fs::write(folder.join("evidence"), "").unwrap();
        assert!(place.close(false).unwrap_err().text().contains("left behind"));
        fs::remove_dir_all(folder).unwrap();
        let place = Workplace::make(None).unwrap();
        let folder = place.folder.clone();
        place.close(false).unwrap();
        assert!(!folder.exists());
    }
}
