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
/// What comes sooner after the last time belongs to the same episode.
const EPISODE_PAUSE: Duration = Duration::from_secs(60);

/// Starts it; it ends when the store is stopping.
pub(crate) fn start(shared: Arc<Shared>) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("logs".into()).spawn(move || run(&shared))
}

fn run(shared: &Shared) {
    // Groups with lines that could not be written, or that had too many for a turn.
    let mut left: BTreeSet<Arc<str>> = BTreeSet::new();
    let mut failing = false;
    let mut evictions = Episodes::default();
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
                    // What went meanwhile is waited for by nobody.
                    if shared.logs.has_unkept(&name) {
                        left.insert(name);
                    }
                }
            }
        }
        let now = shared.clock.monotonic();
        if let Some(lines) = evictions.more(shared.logs.dropped().groups, now) {
            tracing::error!(lines, "log lines were dropped: memory is full of groups whose lines could not be kept");
        }
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

/// A count that rises for a while, now and then; each while is told of once.
#[derive(Default)]
struct Episodes {
    count: u64,
    rose: Option<Duration>,
}

impl Episodes {
    /// By how much it has risen, if that begins an episode.
    fn more(&mut self, count: u64, now: Duration) -> Option<u64> {
        let by = count.checked_sub(self.count).filter(|by| *by > 0)?;
        self.count = count;
        let before = self.rose.replace(now);
        before.is_none_or(|before| now.saturating_sub(before) >= EPISODE_PAUSE).then_some(by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_episode_is_told_of_once() {
        let mut episodes = Episodes::default();
        let mut more = |count, second| episodes.more(count, Duration::from_secs(second));
        assert_eq!((more(0, 0), more(3, 1), more(3, 2), more(9, 50)), (None, Some(3), None, None));
        assert_eq!((more(10, 109), more(10, 300), more(12, 301)), (None, None, Some(2)));
    }
}
