//! A directory that is changed through the seam.

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use cap_std::fs::{Dir, Metadata, OpenOptions, OpenOptionsExt as _};
use cap_std::time::SystemTime as CapTime;

use crate::file::File;
use crate::seam::{Seam, Step, pass};
use crate::through::Through;

/// A directory by its handle: no path leads out of it. Clones share it.
#[derive(Clone)]
pub struct Folder {
    dir: Arc<Dir>,
    /// Before every path that a step names; empty for the data directory itself.
    label: Arc<str>,
    seam: Arc<dyn Seam>,
}

impl Folder {
    /// The directory of this path, made with its parents if it is not there.
    pub fn open(path: &Path, seam: Arc<dyn Seam>) -> io::Result<Self> {
        pass(&*seam, &Step::MakeDir { path: "" }, || std::fs::create_dir_all(path))?;
        let dir = Dir::open_ambient_dir(path, cap_std::ambient_authority())?;
        Ok(Self { dir: Arc::new(dir), label: "".into(), seam })
    }

    /// A directory in this one, made if it is not there: then its name is on the disk
    /// when this returns.
    pub fn folder(&self, name: &str) -> io::Result<Self> {
        self.make(name)?;
        // One that is there may be of a process that was killed before it got here.
        self.sync_dir(".")?;
        Ok(Self { dir: Arc::new(self.dir.open_dir(name)?), label: self.label(name).into(), seam: self.seam.clone() })
    }

    /// A directory in this one that is there. Nothing is synced.
    pub fn existing(&self, name: &str) -> io::Result<Self> {
        Ok(Self { dir: Arc::new(self.dir.open_dir(name)?), label: self.label(name).into(), seam: self.seam.clone() })
    }

    /// The handle, to read by.
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    fn label(&self, path: &str) -> String {
        if self.label.is_empty() { path.to_owned() } else { format!("{}/{path}", self.label) }
    }

    fn pass<T>(&self, step: &Step<'_>, make: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        pass(&*self.seam, step, make)
    }

    /// Makes a directory and its parents, if they are not there.
    pub fn make(&self, path: &str) -> io::Result<()> {
        if self.dir.is_dir(path) {
            return Ok(());
        }
        self.pass(&Step::MakeDir { path: &self.label(path) }, || self.dir.create_dir_all(path))
    }

    /// A new file, readable by its owner alone; an error when the name is taken.
    pub fn create(&self, path: &str) -> io::Result<File> {
        self.create_with(path, 0o600)
    }

    /// A new file that nobody can open to write but by the answer.
    pub fn create_read_only(&self, path: &str) -> io::Result<File> {
        self.create_with(path, 0o400)
    }

    fn create_with(&self, path: &str, mode: u32) -> io::Result<File> {
        let label = self.label(path);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(mode);
        let file = self.pass(&Step::Create { path: &label }, || self.dir.open_with(path, &options))?;
        Ok(self.file(file, label))
    }

    /// A file that is there, to read and write.
    pub fn edit(&self, path: &str) -> io::Result<File> {
        let file = self.dir.open_with(path, OpenOptions::new().read(true).write(true))?;
        Ok(self.file(file, self.label(path)))
    }

    /// For writes over what the file of this path has, which `file` is open on; `None`
    /// where the file system has no such writes.
    pub fn through(&self, path: &str, file: &File) -> io::Result<Option<Through>> {
        Through::open(&self.dir, path, file.clone())
    }

    fn file(&self, file: cap_std::fs::File, label: String) -> File {
        File { file: Arc::new(file.into_std()), path: label.into(), seam: self.seam.clone() }
    }

    /// Writes a whole file in place of another or of none: to `temporary`, synced,
    /// renamed, and the directory of `path` synced. It fails with nothing but
    /// `temporary` changed, which it then tries to remove; or, when the last sync
    /// fails, with the new file there and not known to stay.
    pub fn replace(&self, temporary: &str, path: &str, bytes: &[u8]) -> io::Result<()> {
        let write = || {
            let file = self.create(temporary)?;
            file.write_at(0, bytes)?;
            file.sync()?;
            self.rename(temporary, path)?;
            self.sync_parent(path)
        };
        write().inspect_err(|error| {
            // A name that was taken is not ours to remove.
            if error.kind() != ErrorKind::AlreadyExists {
                let _ = self.remove(temporary);
            }
        })
    }

    /// Renames a file, in place of what had the name.
    pub fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let step = Step::Rename { from: &self.label(from), to: &self.label(to) };
        self.pass(&step, || self.dir.rename(from, &self.dir, to))
    }

    /// Gives a file a second name; an error when that is taken.
    pub fn link(&self, from: &str, to: &str) -> io::Result<()> {
        let step = Step::Link { from: &self.label(from), to: &self.label(to) };
        self.pass(&step, || self.dir.hard_link(from, &self.dir, to))
    }

    /// Removes a file. Whether it was there.
    pub fn remove(&self, path: &str) -> io::Result<bool> {
        if self.dir.symlink_metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound) {
            return Ok(false);
        }
        match self.pass(&Step::Remove { path: &self.label(path) }, || self.dir.remove_file(path)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            removed => removed.map(|()| true),
        }
    }

    /// Removes a directory and all in it, if it is there.
    pub fn remove_all(&self, path: &str) -> io::Result<()> {
        if !self.dir.exists(path) {
            return Ok(());
        }
        self.pass(&Step::RemoveAll { path: &self.label(path) }, || self.dir.remove_dir_all(path))
    }

    /// Syncs the entries of a directory in this one; `.` is this one.
    pub fn sync_dir(&self, path: &str) -> io::Result<()> {
        let label = if path == "." { self.label.to_string() } else { self.label(path) };
        // Opened as a file: a directory handle is O_PATH, which cannot be synced.
        self.pass(&Step::SyncDir { path: &label }, || self.dir.open(path)?.sync_all())
    }

    fn sync_parent(&self, path: &str) -> io::Result<()> {
        self.sync_dir(path.rsplit_once('/').map_or(".", |(parent, _)| parent))
    }

    /// A file's bytes; `None` when there is no such file. Longer than `bytes_max`
    /// is an error, found before it is read.
    pub fn read(&self, path: &str, bytes_max: u64) -> io::Result<Option<Vec<u8>>> {
        let Some(metadata) = self.metadata(path)? else { return Ok(None) };
        if metadata.len() > bytes_max {
            let text = format!("{} has {} bytes; at most {bytes_max} are expected", self.label(path), metadata.len());
            return Err(io::Error::new(ErrorKind::FileTooLarge, text));
        }
        match self.dir.read(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What the file system knows of a file; `None` when there is no such file.
    pub fn metadata(&self, path: &str) -> io::Result<Option<Metadata>> {
        match self.dir.metadata(path) {
            Ok(metadata) => Ok(Some(metadata)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// When a file was last written or touched; `None` when there is no such file.
    pub fn modified(&self, path: &str) -> io::Result<Option<SystemTime>> {
        self.metadata(path)?.map(|metadata| metadata.modified().map(CapTime::into_std)).transpose()
    }

    /// Makes a file as new as this. Not synced, and no step: nothing but the
    /// order in which files are given up depends on it.
    pub fn touch(&self, path: &str, now: SystemTime) -> io::Result<()> {
        let file = self.dir.open_with(path, OpenOptions::new().write(true))?;
        file.into_std().set_modified(now)
    }

    /// The names in a directory, in order; none if there is no such directory.
    /// Names that are no UTF-8 are passed over: nobody here has made them.
    pub fn names(&self, path: &str) -> io::Result<Vec<String>> {
        let entries = match self.dir.read_dir(path) {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(Vec::new());
            }
            Err(error) => return Err(error),
        };
        let mut names = Vec::new();
        for entry in entries {
            names.extend(entry?.file_name().to_str().map(str::to_owned));
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Whether this name is free of path separators and of `.` and `..`.
    pub fn is_plain(name: &str) -> bool {
        Path::new(name).file_name() == Some(OsStr::new(name))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::seam::{System, Verdict};

    /// Fails the nth step, and keeps the names of all.
    #[derive(Default)]
    struct Nth {
        fails: usize,
        seen: Mutex<Vec<String>>,
    }

    impl Seam for Nth {
        fn before(&self, step: &Step<'_>) -> io::Result<Verdict> {
            let mut seen = self.seen.lock().unwrap();
            let text = format!("{step:?}");
            seen.push(text.split(' ').next().unwrap_or_default().to_owned());
            Ok(if seen.len() == self.fails { Verdict::Tear(2) } else { Verdict::Go })
        }
    }

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        for fails in 0..=7 {
            let dir = tempfile::tempdir().unwrap();
            let seam = Arc::new(Nth { fails: if fails == 0 { 0 } else { fails + 1 }, seen: Mutex::default() });
            std::fs::write(dir.path().join("a"), "old").unwrap();
            let folder = Folder::open(dir.path(), seam.clone()).unwrap();
            let replaced = folder.replace("t", "a", b"newer");
            let text = std::fs::read_to_string(dir.path().join("a")).unwrap();
            assert_eq!(replaced.is_ok(), fails == 0 || fails > 5, "{fails}");
            assert!(if replaced.is_ok() || fails == 5 { text == "newer" } else { text == "old" }, "{fails}: {text}");
            assert_eq!(folder.names(".").unwrap(), ["a"], "{fails}");
            if fails == 0 {
                let expect = ["MakeDir", "Create", "Write", "Sync", "Rename", "SyncDir"];
                assert_eq!(*seam.seen.lock().unwrap(), expect);
            }
        }
    }

    #[test]
    fn files_are_private_and_names_are_listed() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path(), Arc::new(System)).unwrap();
        let sub = folder.folder("b").unwrap();
        sub.create("z").unwrap();
        sub.create("y").unwrap();
        assert_eq!(folder.names("b").unwrap(), ["y", "z"]);
        assert_eq!(folder.names("none").unwrap(), [""; 0]);
        let mode = std::fs::metadata(dir.path().join("b/z")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(sub.remove("z").unwrap() && !sub.remove("z").unwrap());
        assert!(sub.read("y", 0).unwrap().is_some() && sub.read("z", 0).unwrap().is_none());
        assert!(folder.dir().open("../x").is_err());
        assert!(Folder::is_plain("a") && !Folder::is_plain("a/b") && !Folder::is_plain(".."));
    }
}
