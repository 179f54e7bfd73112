//! Waiting in a guest: `wasi:io/poll`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Wake;
use std::time::Duration;

use crate::bindings::imports::wasi::clocks::monotonic_clock;
use crate::bindings::imports::wasi::io::poll::{Pollable, poll};

/// Something to wait for.
pub(crate) struct Source(Pollable);

impl Source {
    /// Ready once `duration` has passed.
    pub(crate) fn after(duration: Duration) -> Self {
        let duration_ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(monotonic_clock::subscribe_duration(duration_ns))
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.0.ready()
    }
}

impl From<Pollable> for Source {
    fn from(pollable: Pollable) -> Self {
        Self(pollable)
    }
}

/// Notes that the future can go on.
#[derive(Default)]
pub(crate) struct Alarm(AtomicBool);

impl Alarm {
    pub(crate) fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Sleeps until at least one source is ready and says which are.
pub(crate) fn wait<'a>(sources: impl Iterator<Item = &'a Source>) -> Vec<usize> {
    let pollables: Vec<_> = sources.map(|source| &source.0).collect();
    #[expect(
        clippy::panic,
        reason = "nothing in a guest can wake the handler any more: better now than at the timeout"
    )]
    if pollables.is_empty() {
        panic!("the handler waits for something that nothing will wake");
    }
    poll(&pollables).into_iter().filter_map(|index| usize::try_from(index).ok()).collect()
}
