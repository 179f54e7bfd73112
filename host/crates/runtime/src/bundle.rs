//! Bundles: what a managed runtime made of a package, in the form that it loads
//! fastest. Made in the background, by the runtime component itself in an instance
//! of its own; sealed by this host's key, as images are; drawn in
//! `host/ARCHITECTURE.md`. The sources serve while there is none.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use lamina_kit::Tasks;
use lamina_types::{CodeId, Digest};
use sha2::Sha256;
use tokio::sync::mpsc;

use crate::code::{BundleSlot, Handler, Loaded};
use crate::ctx::{Ctx, Guest, Role};
use crate::packages::DERIVED_VERSION;
use crate::runtime::Shared;
use crate::sources::Sources;
use crate::turns;

/// The kind of derived files that bundles are.
const BUNDLES: &str = "bundles";
const MAGIC: &[u8; 8] = b"LAMBDL02";
const MAC_BYTES: usize = 32;
const HEADER_BYTES: usize = 8 + 8 + 32 + 32 + 8;

/// Packages that wait for their bundle; past it they wait until they are loaded again.
const WAITING_MAX: usize = 1_000;
/// What making one may take.
const DERIVE_TIME: Duration = Duration::from_secs(60);
const DERIVE_SECONDS: u64 = DERIVE_TIME.as_secs();
const DERIVE_MEMORY_BYTES: u64 = 1 << 30;
/// The largest bundle.
const BUNDLE_BYTES_MAX: usize = 64 << 20;

/// The key that authenticates bundles: this host's own.
#[derive(Clone)]
pub(crate) struct BundleKey(Hmac<Sha256>);

impl BundleKey {
    /// A key for bundles derived from the host's secret.
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104)")]
    pub(crate) fn derive(host_key: &[u8; 32]) -> Self {
        let mut derivation = Hmac::<Sha256>::new_from_slice(host_key).expect("a key of 32 bytes");
        derivation.update(b"lamina bundle v1");
        let key = derivation.finalize().into_bytes();
        Self(Hmac::new_from_slice(&key).expect("a key of 32 bytes"))
    }

    fn seal(&self, component: &Digest, package: &Digest, bundle: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(HEADER_BYTES + bundle.len() + MAC_BYTES);
        sealed.extend_from_slice(&header(component, package, bundle));
        sealed.extend_from_slice(bundle);
        let mac = self.0.clone().chain_update(&sealed).finalize().into_bytes();
        sealed.extend_from_slice(&mac);
        sealed
    }

    /// The bundle in a file that this key sealed for this component and package.
    fn open<'a>(&self, component: &Digest, package: &Digest, file: &'a [u8]) -> Option<&'a [u8]> {
        let (sealed, mac) = file.split_at(file.len().checked_sub(MAC_BYTES)?);
        // Before anything else is read: what the key did not make is not looked at.
        self.0.clone().chain_update(sealed).verify_slice(mac).ok()?;
        let (head, bundle) = sealed.split_at_checked(HEADER_BYTES)?;
        (head == header(component, package, bundle)).then_some(bundle)
    }
}

fn header(component: &Digest, package: &Digest, bundle: &[u8]) -> Vec<u8> {
    let (version, length) = (DERIVED_VERSION.to_le_bytes(), (bundle.len() as u64).to_le_bytes());
    [&MAGIC[..], &version, component.as_bytes(), package.as_bytes(), &length].concat()
}

fn name(component: &Digest, package: &Digest) -> String {
    format!("{package}-{component}.bundle")
}

/// Packages whose bundle is to be made.
pub(crate) struct Wanted {
    sender: mpsc::Sender<Want>,
    waiting: Arc<Mutex<HashSet<CodeId>>>,
    tasks: Tasks,
}

struct Want {
    code: CodeId,
    handler: Arc<str>,
}

/// The other end of [`Wanted`].
pub(crate) struct Derivations {
    receiver: mpsc::Receiver<Want>,
    waiting: Arc<Mutex<HashSet<CodeId>>>,
    tasks: Tasks,
}

impl Wanted {
    pub(crate) fn new() -> (Self, Derivations) {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        let (waiting, tasks) = (Arc::new(Mutex::default()), Tasks::new());
        let derivations = Derivations { receiver, waiting: waiting.clone(), tasks: tasks.clone() };
        (Self { sender, waiting, tasks }, derivations)
    }

    /// Asks for a bundle; nobody waits for it.
    pub(crate) fn want(&self, code: CodeId, handler: &Arc<str>) {
        if self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(code) {
            let want = Want { code, handler: handler.clone() };
            if self.sender.try_send(want).is_err() {
                self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&code);
            }
        }
    }

    /// Waits until none is being made, at most this long.
    pub(crate) async fn settled(&self, grace: Duration) -> bool {
        let settled = async {
            while !self.waiting.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        debug_assert!(self.tasks.running() > 0, "somebody makes them");
        tokio::time::timeout(grace, settled).await.is_ok()
    }
}

impl Derivations {
    /// Makes them one after the other, as long as the runtime is there.
    pub(crate) fn start(self, shared: &Arc<Shared>) {
        let Self { mut receiver, waiting, tasks } = self;
        let weak: Weak<Shared> = Arc::downgrade(shared);
        tasks.spawn(async move {
            while let Some(Want { code, handler }) = receiver.recv().await {
                let Some(shared) = weak.upgrade() else { return };
                if let Err(reason) = shared.make_bundle(&code, &handler).await {
                    let CodeId { component, package } = code;
                    let package = package.map(|package| package.digest.to_string()).unwrap_or_default();
                    tracing::info!(%component, package, reason, "a package has no bundle: its sources serve");
                }
                waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&code);
            }
        });
    }
}

impl Shared {
    /// Fills the slot with the bundle on the disk, if there is one.
    pub(crate) async fn read_bundle(&self, code: &CodeId, slot: &BundleSlot) -> bool {
        let Some(package) = code.package else { return false };
        let (component, package, name) = (code.component, package.digest, name(&code.component, &package.digest));
        let stored = match self.loader.artifacts.get_derived(BUNDLES, &name).await {
            Ok(Some(stored)) => stored,
            Ok(None) => return false,
            Err(error) => {
                tracing::warn!(%component, %package, %error, "a bundle cannot be read");
                return false;
            }
        };
        let key = self.bundle_key.clone();
        let open = move || key.open(&component, &package, &stored).map(Arc::<[u8]>::from);
        match tokio::task::spawn_blocking(open).await {
            Ok(Some(bundle)) => {
                // Past the bound on bytes the sources serve.
                slot.fill(bundle, &self.bundle_room);
                true
            }
            Ok(None) | Err(_) => {
                tracing::warn!(%component, %package, "a bundle that this host does not make is discarded");
                let _ = self.loader.artifacts.remove_derived(BUNDLES, &name).await;
                false
            }
        }
    }

    /// Makes the bundle of what is loaded, stores it, and gives it to the calls from
    /// now on.
    pub(crate) async fn make_bundle(&self, code: &CodeId, handler: &str) -> Result<(), String> {
        let Some(loaded) = self.loaded(code) else { return Ok(()) };
        let Some(package) = code.package else { return Ok(()) };
        if loaded.bundle.get().is_some() || self.read_bundle(code, &loaded.bundle).await {
            return Ok(());
        }
        let bundle = self.derive(&loaded, handler).await?;
        let sealed = self.bundle_key.seal(&code.component, &package.digest, &bundle);
        let name = name(&code.component, &package.digest);
        if let Err(error) = self.loader.artifacts.put_derived(BUNDLES, &name, Bytes::from(sealed)).await {
            tracing::warn!(%error, "a bundle cannot be stored");
        }
        loaded.bundle.fill(bundle.into(), &self.bundle_room);
        Ok(())
    }

    /// Has the runtime component make the bundle of its package, in an instance that
    /// sees the package and nothing of a function.
    async fn derive(&self, loaded: &Arc<Loaded>, handler: &str) -> Result<Vec<u8>, String> {
        let Handler::Managed(indices) = &loaded.linked.handler else {
            return Err("it is no managed runtime".to_owned());
        };
        let guest = Guest {
            role: Role::Derive,
            loaded: loaded.clone(),
            sources: Sources::Live(self.clock.clone()),
            random_bytes_max: self.config.random_bytes_max,
        };
        let ctx = Ctx::new(guest, DERIVE_MEMORY_BYTES, &self.config);
        let fuel = self.config.fuel_per_gb_second.saturating_mul(DERIVE_SECONDS);
        let hostcall_bytes_max = BUNDLE_BYTES_MAX + self.config.hostcall_bytes_max;
        let mut store = crate::exec::store(&loaded.linked.engine, ctx, fuel, hostcall_bytes_max)
            .map_err(|error| error.to_string())?;
        let derive = async {
            let instance = loaded.linked.pre.instantiate_async(&mut store).await?;
            indices.load(&mut store, &instance)?.call_derive(&mut store, handler).await
        };
        let bundle = match tokio::time::timeout(DERIVE_TIME, turns::taken(derive)).await {
            Err(_) => return Err(format!("it was not made in {DERIVE_SECONDS} seconds")),
            Ok(Err(error)) => return Err(error.root_cause().to_string()),
            // In what it says there may be a package's own words, which are not logged.
            Ok(Ok(bundle)) => bundle.map_err(|_| "the runtime makes none of it".to_owned())?,
        };
        if bundle.len() > BUNDLE_BYTES_MAX {
            return Err(format!("it has {} bytes; {BUNDLE_BYTES_MAX} are allowed", bundle.len()));
        }
        Ok(bundle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_untouched_bundles_open() {
        let (key, component, package) = (BundleKey::derive(&[7; 32]), Digest::of(b"c"), Digest::of(b"p"));
        let sealed = key.seal(&component, &package, b"modules");
        assert_eq!(header(&component, &package, b"modules").len(), HEADER_BYTES);
        assert_eq!(sealed[8..16], DERIVED_VERSION.to_le_bytes(), "of what a package holds");
        assert_eq!(key.open(&component, &package, &sealed), Some(&b"modules"[..]));
        assert_eq!(key.open(&package, &component, &sealed), None);
        assert_eq!(BundleKey::derive(&[8; 32]).open(&component, &package, &sealed), None);
        for at in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert_eq!(key.open(&component, &package, &damaged), None, "byte {at}");
            assert_eq!(key.open(&component, &package, &sealed[..at]), None, "cut at {at}");
        }
    }
}
