//! A store in a folder of its own, with a clock that stands still.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lamina_disk::{Folder, Seam, System};
use lamina_kit::{Clock, FixedClock, Ids, SeededIds};
use lamina_logs::{Config, Damage, Error, Event, Found, LogStore, Query};
use lamina_telemetry::{Logs, LogsConfig, Opening, Report, Source};
use lamina_types::{MemoryMib, RequestId, Status, Usage, Version};

/// 24 November 2025, in microseconds.
pub(crate) const START: u64 = 1_764_000_000_000_000;

pub(crate) struct Bench {
    pub(crate) store: LogStore,
    pub(crate) logs: Logs,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) damage: Vec<Damage>,
    pub(crate) config: Config,
    dir: Arc<tempfile::TempDir>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(Config::default())
    }

    pub(crate) fn with(config: Config) -> Self {
        Self::over(Arc::new(System), config)
    }

    /// On a disk whose steps may fail.
    pub(crate) fn over(seam: Arc<dyn Seam>, config: Config) -> Self {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        Self::open(dir, seam, Arc::new(FixedClock::at(START)), config)
    }

    fn open(dir: Arc<tempfile::TempDir>, seam: Arc<dyn Seam>, clock: Arc<FixedClock>, config: Config) -> Self {
        let logs = Logs::new(LogsConfig::default());
        let root = Folder::open(dir.path(), seam).unwrap();
        let (store, damage) = LogStore::read(root, logs.clone(), clock.clone(), config).unwrap();
        Self { store, logs, clock, damage, config, dir }
    }

    /// As after a kill: nothing is said, what is in memory is gone.
    pub(crate) fn killed(self) -> Self {
        Self::open(self.dir.clone(), Arc::new(System), self.clock.clone(), self.config)
    }

    /// As after a clean stop.
    pub(crate) fn reopened(self) -> Self {
        self.store.close();
        self.killed()
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The files of all groups that end so, in order.
    pub(crate) fn files(&self, ending: &str) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for folder in std::fs::read_dir(self.path()).unwrap() {
            for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
                files.push(file.unwrap().path());
            }
        }
        files.retain(|path| path.to_str().unwrap().ends_with(ending));
        files.sort();
        files
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// One line, written by nobody.
    pub(crate) fn line(&self, group: &str, text: &str) {
        let now = lamina_types::Timestamp(self.clock.epoch_micros());
        self.logs.append(group, &"s".into(), [(now, text)]);
    }

    /// One line, kept.
    pub(crate) fn kept(&self, group: &str, text: &str) {
        self.line(group, text);
        self.store.drain();
    }

    /// A call that writes these lines; its id.
    pub(crate) fn call(&self, group: &str, stream: &str, seed: u64, lines: &[&str]) -> RequestId {
        let request_id = RequestId::from_random(SeededIds::new(seed).random16());
        let opening = Opening {
            group: &group.into(),
            stream: stream.into(),
            request_id: &request_id,
            version: Version::Latest,
            tail: false,
            observer: None,
            format: lamina_types::LogFormat::Text,
        };
        let log = self.logs.start(opening, self.clock.clone());
        for line in lines {
            log.write(Source::Stdout, format!("{line}\n").as_bytes());
        }
        let usage = Usage {
            status: Status::Success,
            duration: Duration::from_millis(1),
            init: None,
            restore: None,
            memory_bytes_peak: 1,
            fuel: 1,
        };
        let (memory, timeout) = (MemoryMib(128), Duration::from_secs(3));
        log.end(&Report {
            request_id: &request_id,
            memory,
            timeout,
            usage,
            error_type: None,
            span: None,
            timings: None,
        });
        request_id
    }

    pub(crate) fn find(&self, group: &str, query: &Query<'_>) -> Found {
        self.store.find(group, query).unwrap()
    }

    pub(crate) fn all(&self, group: &str) -> Vec<Event> {
        self.find(group, &Query::all(usize::MAX)).events
    }

    /// The texts of a group; none when it is not there.
    pub(crate) fn texts(&self, group: &str) -> Vec<String> {
        match self.store.find(group, &Query::all(usize::MAX)) {
            Ok(found) => texts(&found),
            Err(Error::NoGroup(_)) => Vec::new(),
            Err(error) => panic!("{error}"),
        }
    }
}

pub(crate) fn texts(found: &Found) -> Vec<String> {
    found.events.iter().map(|event| event.message.to_string()).collect()
}
