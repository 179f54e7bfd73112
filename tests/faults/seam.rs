//! What passes the platform's own seam: told to the shim, and made to fail.
//!
//! The shim sees every write and sync through a descriptor. Names are made,
//! renamed and removed by raw system calls in our own crates (cap-std uses rustix
//! without libc), which no shim in front of libc sees: of those the seam tells.

use std::io::{self, Write as _};
use std::sync::{Arc, Mutex};

use lamina_disk::{Seam, Step, Verdict};

use crate::shim;

/// The shim's channel for marks.
pub(crate) struct Marks(Mutex<std::fs::File>);

impl Marks {
    /// Panics when the shim is not there.
    pub(crate) fn open() -> Self {
        let file = std::fs::File::options().write(true).open(shim::MARKS);
        Self(Mutex::new(file.expect("this process runs under the shim")))
    }

    /// Adds a record of our own.
    pub(crate) fn put(&self, text: &str) {
        // One write is one record.
        self.0.lock().unwrap().write_all(text.as_bytes()).expect("a mark");
    }
}

/// Tells of the names that are changed, and fails the nth step when it is asked to.
pub(crate) struct Teller {
    pub(crate) marks: Arc<Marks>,
    /// Steps that are still let pass, and what then happens, once.
    pub(crate) fault: Mutex<Option<(usize, How)>>,
    /// Steps so far.
    pub(crate) seen: Mutex<usize>,
}

/// What happens to a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    Eio,
    Enospc,
    Torn,
    /// The process is gone before it.
    Killed,
}

impl How {
    /// The ways in which a step fails.
    pub(crate) const FAILURES: [Self; 3] = [Self::Eio, Self::Enospc, Self::Torn];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Eio => "eio",
            Self::Enospc => "enospc",
            Self::Torn => "torn",
            Self::Killed => "killed",
        }
    }

    pub(crate) fn of(name: &str) -> Option<Self> {
        [Self::Eio, Self::Enospc, Self::Torn, Self::Killed].into_iter().find(|how| how.name() == name)
    }

    fn verdict(self, step: &Step<'_>) -> io::Result<Verdict> {
        match (self, step) {
            (Self::Eio, _) => Err(io::Error::from_raw_os_error(5)),
            (Self::Enospc, _) => Err(io::Error::from_raw_os_error(28)),
            (Self::Torn, Step::Write { bytes, .. }) => Ok(Verdict::Tear(bytes.len() / 2)),
            (Self::Torn, _) => Ok(Verdict::Tear(0)),
            (Self::Killed, _) => std::process::abort(),
        }
    }
}

impl Seam for Teller {
    fn before(&self, step: &Step<'_>) -> io::Result<Verdict> {
        *self.seen.lock().unwrap() += 1;
        let mut fault = self.fault.lock().unwrap();
        match &mut *fault {
            Some((0, how)) => {
                let how = *how;
                *fault = None;
                return how.verdict(step);
            }
            Some((left, _)) => *left -= 1,
            None => {}
        }
        drop(fault);
        match step {
            Step::MakeDir { path } => self.marks.put(&format!("seam\tmkdir\t{path}")),
            Step::Create { path } => self.marks.put(&format!("seam\tcreate\t{path}")),
            Step::Rename { from, to } => self.marks.put(&format!("seam\trename\t{from}\t{to}")),
            Step::Link { from, to } => self.marks.put(&format!("seam\tlink\t{from}\t{to}")),
            Step::Remove { path } | Step::RemoveAll { path } => self.marks.put(&format!("seam\tremove\t{path}")),
            // These go through descriptors, and so past the shim.
            Step::Write { .. } | Step::SetLen { .. } | Step::Sync { .. } | Step::SyncDir { .. } => {}
        }
        Ok(Verdict::Go)
    }
}
