//! The thread that takes lines out of memory.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::store::Shared;

/// How often retention is looked at.
const TIDY_PERIOD: Duration = Duration::from_secs(60);

/// Starts it; it ends when the store is stopping.
pub(crate) fn start(shared: Arc<Shared>) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("logs".into()).spawn(move || run(&shared))
}

fn run(shared: &Shared) {
    // Groups with lines that could not be written, or that had too many for a turn.
    let mut left: BTreeSet<Arc<str>> = BTreeSet::new();
    let mut failing = false;
    let mut tidied = shared.clock.monotonic();
    while !shared.stopping.load(Ordering::SeqCst) {
        // Who has more for us, and a disk that takes it, is not kept waiting.
        let wait = if left.is_empty() || failing { shared.config.period } else { Duration::ZERO };
        left.extend(shared.logs.unkept(wait));
        let mut failed = None;
        // One turn each: a flood waits for the others, and not they for it.
        for name in std::mem::take(&mut left) {
            match shared.try_keep(&name) {
                Ok(true) => {
                    left.insert(name);
                }
                Ok(false) => {}
                Err(error) => {
                    failed = Some((name.clone(), error));
                    left.insert(name);
                }
            }
        }
        let now = shared.clock.monotonic();
        let tidy = if now.saturating_sub(tidied) >= TIDY_PERIOD {
            tidied = now;
            shared.tidy()
        } else {
            shared.bound()
        };
        if let Err(error) = tidy {
            failed.get_or_insert(("".into(), error));
        }
        // Once for each time that it begins.
        match failed {
            Some((group, error)) if !failing => {
                tracing::error!(%error, %group, "log lines cannot be kept; the newest stay in memory");
                failing = true;
            }
            Some(_) => {}
            None => failing = false,
        }
    }
}
