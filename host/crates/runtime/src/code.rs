//! Code that is loaded: what all versions with the same component share, and what
//! is one version's own.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use lamina_types::{RuntimeVersion, Timestamp, Version};
use wasmtime::Engine;
use wasmtime::component::InstancePre;

use crate::bindings::{FunctionIndices, FunctionStreamIndices, ManagedRuntimeIndices, ProxyIndices};
use crate::ctx::Ctx;
use crate::image::Kept;
use crate::lifecycle::Lifecycle;
use crate::mounts::Mounts;

/// A component, linked and with its handler looked up once. A managed runtime's is
/// shared by all its functions.
pub(crate) struct Linked {
    /// The one that it was loaded for.
    pub(crate) engine: Engine,
    pub(crate) pre: InstancePre<Ctx>,
    pub(crate) handler: Handler,
    /// What is done before the handler can be called, where there is anything.
    pub(crate) lifecycle: Option<Lifecycle>,
    /// Of a managed runtime, what it can be loaded from again.
    pub(crate) kept: Option<Kept>,
}

pub(crate) enum Handler {
    Buffered(FunctionIndices),
    Streaming(FunctionStreamIndices),
    Http(ProxyIndices),
    Managed(ManagedRuntimeIndices),
}

/// What a version runs: a component, and the files it sees.
///
/// Versions share it when both are the same. The component need not be the one that
/// was admitted: an instance of it that was snapshotted serves as well.
pub(crate) struct Loaded {
    pub(crate) linked: Arc<Linked>,
    pub(crate) mounts: Mounts,
    pub(crate) bundle: BundleSlot,
    /// Of a component that is a snapshot, what it holds of memory: its instances are
    /// restored.
    pub(crate) restored: Option<Held>,
    /// What its one version runs on, where it is a snapshot.
    pub(crate) runtime_version: OnceLock<RuntimeVersion>,
    /// How often it was asked for, up to [`OFTEN`].
    calls: AtomicU32,
    log_stream_date: String,
    log_stream_id: String,
    /// Of the first version that was called: most often the only one.
    log_stream: OnceLock<(Version, Arc<str>)>,
}

/// Calls after which a function of a managed runtime is called often.
const OFTEN: u32 = 64;

impl Loaded {
    /// One that is loaded now. `id` is its log stream's.
    pub(crate) fn new(linked: Arc<Linked>, mounts: Mounts, bundle: BundleSlot, now: Timestamp, id: [u8; 16]) -> Self {
        let id = u128::from_be_bytes(id);
        Self {
            linked,
            mounts,
            bundle,
            restored: None,
            runtime_version: OnceLock::new(),
            calls: AtomicU32::new(0),
            log_stream_date: now.to_slashed_date(),
            log_stream_id: format!("{id:032x}"),
            log_stream: OnceLock::new(),
        }
    }

    /// The same, of a component that is a snapshot.
    pub(crate) fn snapshotted(mut self, held: Held) -> Self {
        self.restored = Some(held);
        self
    }

    /// The same on another copy of its component.
    pub(crate) fn on(&self, linked: Arc<Linked>) -> Self {
        Self {
            linked,
            mounts: self.mounts.clone(),
            bundle: self.bundle.clone(),
            restored: None,
            runtime_version: self.runtime_version.clone(),
            calls: AtomicU32::new(OFTEN),
            log_stream_date: self.log_stream_date.clone(),
            log_stream_id: self.log_stream_id.clone(),
            log_stream: self.log_stream.clone(),
        }
    }

    /// Whether this call is the one from which on a managed runtime's function is called
    /// often.
    pub(crate) fn is_often_from_now_on(&self) -> bool {
        // Others only read: what is written, another processor would have to fetch.
        self.linked.kept.is_some()
            && self.calls.load(Ordering::Relaxed) < OFTEN
            && self.calls.fetch_add(1, Ordering::Relaxed) + 1 == OFTEN
    }
}

/// Code that is loaded and can be called.
#[derive(Clone)]
pub struct Code {
    pub(crate) loaded: Arc<Loaded>,
    /// How long this caller waited for the load; `None` when it was there.
    pub init: Option<Duration>,
}

impl Code {
    /// The log stream of calls of this version: `YYYY/MM/DD/[VERSION]32hex`, one
    /// for each time the code is loaded, as Lambda has one an environment.
    pub fn log_stream(&self, version: Version) -> Arc<str> {
        let Loaded { log_stream_date: date, log_stream_id: id, log_stream, .. } = &*self.loaded;
        let name = || format!("{date}/[{version}]{id}").into();
        // Versions share what is loaded only when their code is the same.
        let (first, named) = log_stream.get_or_init(|| (version, name()));
        if *first == version { named.clone() } else { name() }
    }
}

/// The bundle of a package, once it is there. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct BundleSlot(Arc<OnceLock<Bundle>>);

impl BundleSlot {
    /// The bundle's bytes.
    pub(crate) fn get(&self) -> Option<Arc<[u8]>> {
        self.0.get().map(|bundle| bundle.bytes.clone())
    }

    /// Gives calls from now on this bundle, if there is none yet and its bytes have
    /// room. Whether it has.
    pub(crate) fn fill(&self, bytes: Arc<[u8]>, room: &Room) -> bool {
        let Some(held) = room.hold(bytes.len()) else { return false };
        self.0.set(Bundle { bytes, _held: held }).is_ok()
    }
}

struct Bundle {
    bytes: Arc<[u8]>,
    _held: Held,
}

/// A bound on the bytes in memory of all bundles, or of all snapshots. Clones share it.
#[derive(Clone)]
pub(crate) struct Room {
    used: Arc<AtomicUsize>,
    max: usize,
}

/// Bytes of a [`Room`], given back when it goes.
pub(crate) struct Held {
    bytes: usize,
    used: Arc<AtomicUsize>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.used.fetch_sub(self.bytes, Ordering::SeqCst);
    }
}

impl Room {
    pub(crate) fn new(max: usize) -> Self {
        Self { used: Arc::default(), max }
    }

    /// Takes as many bytes, if they are left.
    pub(crate) fn hold(&self, bytes: usize) -> Option<Held> {
        let held = Held { bytes, used: self.used.clone() };
        // Given back by drop when it is too much.
        (self.used.fetch_add(bytes, Ordering::SeqCst).saturating_add(bytes) <= self.max).then_some(held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundles_have_a_bound_together() {
        let room = Room::new(10);
        let (first, second) = (BundleSlot::default(), BundleSlot::default());
        assert!(first.fill(Arc::from(*b"1234567"), &room));
        assert!(!second.fill(Arc::from(*b"1234"), &room));
        assert_eq!((first.get().map(|bytes| bytes.len()), second.get()), (Some(7), None));
        drop(first);
        assert!(second.fill(Arc::from(*b"1234"), &room));
        assert!(!second.fill(Arc::from(*b"5"), &room), "the first one stays");
        assert_eq!(room.used.load(Ordering::SeqCst), 4);
    }
}
