//! Every step of every history fails, in every way that it can.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lamina_artifacts::{Artifacts, Error};
use lamina_disk::{Seam, Step, Verdict};
use lamina_kit::FixedClock;

use crate::history::{Act, HISTORIES, Model};
use crate::support::{START_MICROS, kind, try_open};

const EIO: i32 = 5;
const ENOSPC: i32 = 28;

/// What happens to a step, and from then on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    /// It fails with EIO, once.
    Broken,
    /// So many bytes are written, once.
    Torn(usize),
    /// From here on nothing that needs room succeeds.
    Full,
    /// The process is gone: nothing passes any more, so that nothing is tidied up.
    /// A write gets two bytes on the disk.
    Gone,
}

const FAULTS: [Fault; 6] =
    [Fault::Broken, Fault::Full, Fault::Gone, Fault::Torn(0), Fault::Torn(2), Fault::Torn(usize::MAX)];

const NEED_ROOM: [&str; 5] = ["Create", "Link", "MakeDir", "Rename", "Write"];

impl Fault {
    /// Whether it can happen to such a step.
    fn suits(self, kind: &str) -> bool {
        match self {
            Self::Broken | Self::Gone => true,
            Self::Torn(_) => kind == "Write",
            Self::Full => NEED_ROOM.contains(&kind),
        }
    }

    /// The error is the step's own, so that whoever reads it knows what to do.
    fn assert_named(self, error: &Error) {
        let Error::Io { source, .. } = error else { panic!("{error}") };
        match self {
            Self::Broken => assert_eq!(source.raw_os_error(), Some(EIO), "{error}"),
            Self::Full => assert_eq!(source.raw_os_error(), Some(ENOSPC), "{error}"),
            Self::Torn(_) | Self::Gone => assert_eq!(source.to_string(), "the step was torn", "{error}"),
        }
    }
}

/// Makes a step fail, counted from 0.
struct Nth {
    nth: usize,
    fault: Fault,
    seen: Mutex<Vec<&'static str>>,
}

impl Seam for Nth {
    fn before(&self, step: &Step<'_>) -> io::Result<Verdict> {
        let mut seen = self.seen.lock().unwrap();
        let at = seen.len();
        seen.push(kind(step));
        let is_it = at == self.nth;
        match self.fault {
            _ if at < self.nth => Ok(Verdict::Go),
            Fault::Broken if is_it => Err(io::Error::from_raw_os_error(EIO)),
            Fault::Torn(bytes) if is_it => Ok(Verdict::Tear(bytes)),
            Fault::Full if NEED_ROOM.contains(&kind(step)) => Err(io::Error::from_raw_os_error(ENOSPC)),
            Fault::Gone => Ok(Verdict::Tear(if is_it { 2 } else { 0 })),
            Fault::Broken | Fault::Torn(_) | Fault::Full => Ok(Verdict::Go),
        }
    }
}

/// Opens, and once more when that fails, as an operator would.
fn open(root: &Path, seam: &Arc<Nth>, clock: &Arc<FixedClock>) -> Option<Artifacts> {
    for _ in 0..2 {
        match try_open(root, seam.clone(), clock.clone()) {
            Ok(store) => return Some(store),
            Err(error) => seam.fault.assert_named(&error),
        }
    }
    None
}

/// Runs one history and checks what is left. Answers the steps it had.
async fn run(history: &[Act], nth: usize, fault: Fault) -> Vec<&'static str> {
    let folder = tempfile::tempdir().unwrap();
    let seam = Arc::new(Nth { nth, fault, seen: Mutex::default() });
    let clock = Arc::new(FixedClock::at(START_MICROS));
    let mut model = Model::default();
    if let Some(store) = open(folder.path(), &seam, &clock) {
        for &act in history {
            clock.advance(Duration::from_secs(1));
            if let Err(error) = model.act(folder.path(), &store, act).await {
                fault.assert_named(&error);
            }
        }
    }
    model.check(folder.path(), &clock).await;
    let seen = seam.seen.lock().unwrap();
    seen.clone()
}

/// The faults that were injected, by the kinds of step and fault.
type Injected = BTreeMap<(&'static str, Fault), usize>;

async fn every_fault(history: &[Act]) -> Injected {
    let mut injected = Injected::new();
    let steps = run(history, usize::MAX, Fault::Broken).await;
    for (nth, &step) in steps.iter().enumerate() {
        for fault in FAULTS.into_iter().filter(|fault| fault.suits(step)) {
            let seen = run(history, nth, fault).await;
            assert_eq!(seen[nth], step, "a history has the same steps each time");
            *injected.entry((step, fault)).or_default() += 1;
        }
    }
    injected
}

/// Every history on a thread of its own: they wait for the disk most of the time.
#[test]
fn every_step_may_fail() {
    let on_its_own = |history: &'static &[Act]| {
        std::thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(every_fault(history))
        })
    };
    let threads: Vec<_> = HISTORIES.iter().map(on_its_own).collect();
    let mut injected = Injected::new();
    for thread in threads {
        for (key, count) in thread.join().unwrap() {
            *injected.entry(key).or_default() += count;
        }
    }
    for ((step, fault), count) in &injected {
        println!("{count:5} {step}: {fault:?}");
    }
    println!("{:5} in all", injected.values().sum::<usize>());
    let kinds: std::collections::BTreeSet<&str> = injected.keys().map(|(step, _)| *step).collect();
    let every = ["Create", "Link", "MakeDir", "Remove", "RemoveAll", "Rename", "Sync", "SyncDir", "Write"];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), every);
}
