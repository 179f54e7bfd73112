//! A log in a directory of its own, and a seam that fails.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use lamina_audit::{Broken, Entry, Error, Head, Log, Verified};
use lamina_disk::{Folder, Seam, Step, System, Verdict};
use serde_json::{Map, json};

pub(crate) const KEY: [u8; 32] = [7; 32];
pub(crate) const FIRST_FILE: &str = "00000000000000000001.log";

pub(crate) fn entry(n: u64) -> Entry {
    let detail = Map::from_iter([("key".to_owned(), json!("00ff")), ("count".to_owned(), json!(n))]);
    let request = n.is_multiple_of(2).then(|| format!("request-{n}"));
    Entry { n, at: 1_764_000_000_000 + n, principal: "AKIA".to_owned(), request, action: "Trust".to_owned(), detail }
}

pub(crate) fn entries(range: impl Iterator<Item = u64>) -> Vec<Entry> {
    range.map(entry).collect()
}

/// A data directory.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// One with so many entries, and a head after each of these.
    pub(crate) fn with(count: u64, heads: &[u64]) -> Self {
        let this = Self::new();
        let log = this.open();
        for n in 1..=count {
            log.append(&[entry(n)]).unwrap();
            if heads.contains(&n) {
                log.sign(n).unwrap();
            }
        }
        this
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join("audit").join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    /// As a new file: one that is cut to nothing and written again is flushed by
    /// some file systems, which takes these tests a minute.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let _ = std::fs::remove_file(self.path(name));
        std::fs::write(self.path(name), bytes).unwrap();
    }

    pub(crate) fn folder(&self, seam: Arc<dyn Seam>) -> io::Result<Folder> {
        Folder::open(self.0.path(), seam)?.folder("audit")
    }

    pub(crate) fn open(&self) -> Log {
        self.try_open().unwrap()
    }

    pub(crate) fn try_open(&self) -> Result<Log, Error> {
        Log::open(self.folder(Arc::new(System)).unwrap(), &KEY)
    }

    pub(crate) fn open_with(&self, seam: Arc<dyn Seam>) -> Result<Log, Error> {
        let folder = self.folder(seam);
        let io = |source| Error::Io { doing: "opening", file: "audit".to_owned(), source };
        Log::open(folder.map_err(io)?, &KEY)
    }

    pub(crate) fn verify(&self, expect: Option<&Head>) -> Result<Verified, Broken> {
        self.verify_by(&public_key(), expect)
    }

    pub(crate) fn verify_by(&self, public_key: &[u8; 32], expect: Option<&Head>) -> Result<Verified, Broken> {
        lamina_audit::verify(&self.folder(Arc::new(System)).unwrap(), public_key, expect)
    }

    /// The names and bytes of all its files.
    pub(crate) fn files(&self) -> Vec<(String, Vec<u8>)> {
        let names = std::fs::read_dir(self.path("")).unwrap();
        let mut files: Vec<_> = names.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        files.into_iter().map(|name| (name.clone(), self.read(&name))).collect()
    }
}

/// The half of `KEY` that verifies.
pub(crate) fn public_key() -> [u8; 32] {
    Place::new().open().public_key()
}

/// What becomes of the step that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// Nothing of it happens.
    Fail,
    /// So many bytes are written.
    Tear(usize),
    /// There is no room.
    Full,
}

/// Fails one step, and perhaps all after it.
pub(crate) struct Faults {
    nth: usize,
    how: How,
    /// As when the process died there: nothing passes any more.
    is_last: bool,
    seen: AtomicUsize,
}

impl Faults {
    /// Fails the `nth` step, from 1.
    pub(crate) fn new(nth: usize, how: How, is_last: bool) -> Arc<Self> {
        Arc::new(Self { nth, how, is_last, seen: AtomicUsize::new(0) })
    }

    /// Fails none, and counts.
    pub(crate) fn none() -> Arc<Self> {
        Self::new(0, How::Fail, false)
    }

    pub(crate) fn steps(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }
}

impl Seam for Faults {
    fn before(&self, _: &Step<'_>) -> io::Result<Verdict> {
        let seen = self.seen.fetch_add(1, Ordering::SeqCst) + 1;
        let failed = || Err(io::Error::other("the step failed"));
        match self.how {
            _ if self.nth == 0 || seen < self.nth => Ok(Verdict::Go),
            _ if seen > self.nth => {
                if self.is_last {
                    failed()
                } else {
                    Ok(Verdict::Go)
                }
            }
            How::Fail => failed(),
            How::Tear(bytes) => Ok(Verdict::Tear(bytes)),
            How::Full => Err(ErrorKind::StorageFull.into()),
        }
    }
}

/// A disk that is full while it is switched so.
#[derive(Default)]
pub(crate) struct FullDisk(pub(crate) AtomicBool);

impl Seam for FullDisk {
    fn before(&self, step: &Step<'_>) -> io::Result<Verdict> {
        let takes_room = matches!(step, Step::Write { .. } | Step::Create { .. } | Step::MakeDir { .. });
        if takes_room && self.0.load(Ordering::SeqCst) { Err(ErrorKind::StorageFull.into()) } else { Ok(Verdict::Go) }
    }
}

/// Keeps the names of all steps.
#[derive(Default)]
pub(crate) struct Steps(pub(crate) Mutex<Vec<String>>);

impl Seam for Steps {
    fn before(&self, step: &Step<'_>) -> io::Result<Verdict> {
        let text = format!("{step:?}");
        self.0.lock().unwrap().push(text.split(' ').next().unwrap_or_default().to_owned());
        Ok(Verdict::Go)
    }
}

/// Gives a file in two places without copying it.
pub(crate) fn share(from: &Path, to: &Path) {
    std::fs::hard_link(from, to).unwrap();
}
