//! Stores on temporary directories.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use cap_std::fs::Dir;
use lamina_artifacts::{Artifacts, Error};
use lamina_disk::{Folder, Seam, Step, System, Verdict};
use lamina_kit::{FixedClock, SeededIds};
use lamina_types::Digest;

/// Where every test's clock begins: 2026-01-01.
pub(crate) const START_MICROS: u64 = 1_767_225_600_000_000;

pub(crate) struct Fixture {
    pub(crate) store: Artifacts,
    pub(crate) clock: Arc<FixedClock>,
}

pub(crate) fn try_open(path: &Path, seam: Arc<dyn Seam>, clock: Arc<FixedClock>) -> Result<Artifacts, Error> {
    let folder = Folder::open(path, seam).map_err(|source| Error::Io { doing: "opening the folder".into(), source })?;
    Artifacts::open(folder, Arc::new(SeededIds::new(1)), clock)
}

pub(crate) fn new_store(path: &Path, seam: impl Seam) -> Fixture {
    let clock = Arc::new(FixedClock::at(START_MICROS));
    let store = try_open(path, Arc::new(seam), clock.clone()).unwrap();
    Fixture { store, clock }
}

pub(crate) fn open(path: &Path) -> Artifacts {
    new_store(path, System).store
}

pub(crate) fn content(root: &Path, digest: &Digest) -> PathBuf {
    let hex = digest.to_string();
    root.join("sha256").join(&hex[..2]).join(&hex[2..])
}

pub(crate) fn bootstrap(dir: &Dir) -> Vec<u8> {
    assert_eq!(dir.entries().unwrap().count(), 1);
    dir.read("bootstrap.wasm").unwrap()
}

/// All files under a directory, as paths from there, in order.
pub(crate) fn files(root: &Path) -> Vec<String> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    files.sort_unstable();
    files
}

/// Lets every step pass and keeps what they were.
#[derive(Clone, Default)]
pub(crate) struct Recorder {
    steps: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.steps.lock().unwrap())
    }
}

/// A step's name.
pub(crate) fn kind(step: &Step<'_>) -> &'static str {
    match step {
        Step::MakeDir { .. } => "MakeDir",
        Step::Create { .. } => "Create",
        Step::Write { .. } => "Write",
        Step::SetLen { .. } => "SetLen",
        Step::Sync { .. } => "Sync",
        Step::SyncDir { .. } => "SyncDir",
        Step::Rename { .. } => "Rename",
        Step::Link { .. } => "Link",
        Step::Remove { .. } => "Remove",
        Step::RemoveAll { .. } => "RemoveAll",
    }
}

impl Seam for Recorder {
    fn before(&self, step: &Step<'_>) -> io::Result<Verdict> {
        let top = |path: &str| path.split('/').next().unwrap_or_default().to_owned();
        let what = match step {
            Step::Rename { from, to } | Step::Link { from, to } => format!("{} {}", top(from), top(to)),
            Step::SyncDir { path } | Step::MakeDir { path } if !path.starts_with("packages") => (*path).to_owned(),
            Step::SyncDir { path }
            | Step::MakeDir { path }
            | Step::Create { path }
            | Step::Write { path, .. }
            | Step::SetLen { path, .. }
            | Step::Sync { path }
            | Step::Remove { path }
            | Step::RemoveAll { path } => top(path),
        };
        self.steps.lock().unwrap().push(format!("{} {what}", kind(step)));
        Ok(Verdict::Go)
    }
}
