//! The runtime as its users see it: code made ready, and calls on it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cap_std::fs::Dir;
use lamina_artifacts::Artifacts;
use lamina_kit::{Clock, Ids, OnceMap, Tasks};
use lamina_types::{CodeId, Digest, Package, ResolvedFunction, Timestamp};
use wasmtime::Engine;
use wasmtime::component::{Component, InstancePre, Linker};

use crate::bindings::{FunctionIndices, FunctionStreamIndices, ManagedRuntimeIndices, ProxyIndices};
use crate::bundle::{BundleKey, Wanted};
use crate::code::{BundleSlot, Code, Handler, Linked, Loaded, Room};
use crate::compile::Loader;
use crate::config::Config;
use crate::ctx::Ctx;
use crate::engine::Kind;
use crate::error::{CodeError, PrepareError};
use crate::image::ImageKey;
use crate::lifecycle::Lifecycle;
use crate::mounts::Mounts;
use crate::packages::{PackageError, Packages};
use crate::snapshot::Snapshots;
use crate::tmp::TmpSource;

/// Asked each time code is loaded from disk: is it still such that may run?
pub trait CodeCheck: Send + Sync + 'static {
    /// Refuses a component, whose digest was just checked, with a reason that the
    /// caller may read. May block.
    fn check(&self, digest: &Digest, component: &[u8]) -> Result<(), Refused>;
}

/// Why code may not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// For the caller and the log.
    pub reason: String,
}

/// What a runtime needs of its surroundings.
pub struct Deps {
    /// This host's own secret: it authenticates what was derived.
    pub host_key: [u8; 32],
    /// Components, packages, and what is derived from them.
    pub artifacts: Artifacts,
    /// Whether code may run.
    pub check: Arc<dyn CodeCheck>,
    /// Who makes the files of packages ready.
    pub packages: Arc<dyn Packages>,
    /// Where instances have their `/tmp`: a directory of the runtime's own, which
    /// nobody else writes to, and empty.
    pub tmp: Dir,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn Ids>,
}

/// Engines, images and limits. Clones share them.
#[derive(Clone)]
pub struct Runtime {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) loader: Loader,
    pub(crate) bundle_key: BundleKey,
    pub(crate) bundle_room: Room,
    pub(crate) tmp: TmpSource,
    packages: Arc<dyn Packages>,
    components: Host,
    /// Made when the first managed runtime is loaded.
    runtimes: OnceLock<Host>,
    loaded: OnceMap<CodeId, Arc<Loaded>>,
    pub(crate) snapshots: Snapshots,
    wanted: Wanted,
    copying: Tasks,
}

/// An engine, what its components may import, and those that are linked.
pub(crate) struct Host {
    pub(crate) engine: Engine,
    linker: Linker<Ctx>,
    linked: OnceMap<Digest, Arc<Linked>>,
    /// Copies of managed runtimes, by number: for functions that are called often.
    copies: OnceMap<(Digest, usize), Arc<Linked>>,
    /// How many functions got one.
    copied: AtomicUsize,
}

/// Copies of one managed runtime besides the first; functions take them in turn.
const COPIES: usize = 8;

impl Host {
    fn new(config: &Config, kind: Kind) -> wasmtime::Result<Self> {
        let engine = crate::engine::build(config, kind)?;
        let linker = crate::linker::build(&engine)?;
        let (linked, copies) = (OnceMap::new(config.images_max), OnceMap::new(config.images_max));
        Ok(Self { engine, linker, linked, copies, copied: AtomicUsize::new(0) })
    }
}

impl Runtime {
    /// Builds the engine. Must be called inside a tokio runtime.
    pub fn new(config: Config, deps: Deps) -> Result<Self, crate::RunError> {
        let Deps { host_key, artifacts, check, packages, tmp, clock, ids } = deps;
        let internal = |error: String| crate::RunError::Internal(format!("building the engine: {error}"));
        let components = Host::new(&config, Kind::Components);
        let components = components.map_err(|error| internal(format!("{error:#}")))?;
        let loader = Loader::new(&components.engine, artifacts, check, ImageKey::derive(&host_key), &config);
        let tmp = TmpSource::new(tmp, ids.clone(), &config).map_err(|error| internal(error.to_string()))?;
        let (wanted, derivations) = Wanted::new();
        let shared = Shared {
            bundle_key: BundleKey::derive(&host_key),
            bundle_room: Room::new(config.bundles_bytes_max),
            snapshots: Snapshots::new(&host_key, &config),
            loaded: OnceMap::new(config.images_max),
            runtimes: OnceLock::new(),
            wanted,
            packages,
            config,
            clock,
            ids,
            loader,
            tmp,
            components,
            copying: Tasks::new(),
        };
        let shared = Arc::new(shared);
        derivations.start(&shared);
        Ok(Self { shared })
    }

    /// Makes a component ready: loads its image, or compiles it on the compile
    /// workers. Dropped half-way, a compilation that began runs to its end.
    pub async fn prepare(&self, component: &Digest) -> Result<(), PrepareError> {
        // With its files: the first call is to wait for nothing.
        let code = CodeId { component: *component, package: None };
        self.shared.loaded.get_or_make(&code, || self.shared.make(code)).await.map(|_| ())
    }

    /// The same for a managed runtime.
    pub async fn prepare_runtime(&self, component: &Digest) -> Result<(), PrepareError> {
        self.shared.link(component, Kind::Runtimes).await.map(|_| ())
    }

    /// Makes what a version runs ready, with its files. The bundle of a package that
    /// has none is made in the background.
    pub async fn prepare_function(&self, function: &ResolvedFunction) -> Result<(), PrepareError> {
        self.code(function).await.map(|_| ())
    }

    /// The code of a version, loaded if it is not: from its snapshot where there is one,
    /// which nobody waits to be made.
    pub async fn code(&self, function: &ResolvedFunction) -> Result<Code, CodeError> {
        if let Some(loaded) = self.shared.snapshotted(function) {
            return Ok(Code { loaded, init: None });
        }
        let code = function.code();
        if let Some(loaded) = self.shared.loaded.get(&code) {
            self.shared.want_snapshot(function);
            if loaded.is_often_from_now_on() {
                self.shared.want_copy(code, &loaded);
            }
            return Ok(Code { loaded, init: None });
        }
        let start = self.shared.clock.monotonic();
        // Apart: most calls never come here, and would carry its future about.
        let loaded = Box::pin(self.shared.load_any(function, code)).await?;
        let init = self.shared.clock.monotonic().saturating_sub(start);
        Ok(Code { loaded, init: Some(init) })
    }

    /// Waits until no bundle, no snapshot and no copy of a runtime is being made any
    /// more, at most this long; whether that came true.
    pub async fn settled(&self, grace: Duration) -> bool {
        let Shared { wanted, snapshots, copying, .. } = &*self.shared;
        let (bundles, snapshots, copies) =
            tokio::join!(wanted.settled(grace), snapshots.settled(grace), copying.drain(grace));
        bundles && snapshots && copies
    }

    /// How many copies of managed runtimes are loaded besides the first ones, for
    /// functions that are called often.
    pub fn copies(&self) -> usize {
        self.shared.runtimes.get().map_or(0, |host| host.copies.len())
    }

    /// The name that this engine's image of a component has among the derived files
    /// of kind `images`.
    pub fn image_name(&self, component: &Digest) -> String {
        self.shared.loader.image_name(component)
    }

    /// Forgets all loaded code, so that each is checked again before its next call.
    /// To be called after a key was revoked; calls under way run on.
    pub fn recheck(&self) {
        self.shared.retain_linked(|_| false);
        self.shared.loaded.retain(|_| false);
        self.shared.snapshots.loaded.retain(|_| false);
    }

    /// Forgets the code with this component or package: nobody needs it any more.
    pub fn forget(&self, digest: &Digest) {
        self.shared.retain_linked(|component| component != digest);
        let is_other = |package: Package| package.digest != *digest;
        let keep = |code: &CodeId| code.component != *digest && code.package.is_none_or(is_other);
        self.shared.loaded.retain(keep);
        self.shared.snapshots.loaded.retain(|id| keep(&id.code));
    }
}

impl Shared {
    fn retain_linked(&self, keep: impl Fn(&Digest) -> bool) {
        for host in [Some(&self.components), self.runtimes.get()].into_iter().flatten() {
            host.linked.retain(&keep);
            host.copies.retain(|(component, _)| keep(component));
        }
    }

    /// The engine of functions' own components.
    pub(crate) fn engine(&self) -> &Engine {
        &self.components.engine
    }

    /// What is loaded of this code now.
    pub(crate) fn loaded(&self, code: &CodeId) -> Option<Arc<Loaded>> {
        self.loaded.get(code)
    }

    /// What is loaded of a version of which nothing is: its snapshot from the disk, or
    /// its code.
    async fn load_any(self: &Arc<Self>, function: &ResolvedFunction, code: CodeId) -> Result<Arc<Loaded>, CodeError> {
        if let Some(loaded) = self.restore(function).await? {
            return Ok(loaded);
        }
        let loaded = self.load(function, code).await?;
        self.want_snapshot(function);
        Ok(loaded)
    }

    /// The engine that runs this code, and what belongs to it.
    pub(crate) fn host(&self, code: &CodeId) -> Result<&Host, CodeError> {
        match code.package {
            Some(_) => self.runtimes(&code.component),
            None => Ok(&self.components),
        }
    }

    pub(crate) async fn load(&self, function: &ResolvedFunction, code: CodeId) -> Result<Arc<Loaded>, CodeError> {
        let loaded = self.loaded.get_or_make(&code, || self.make(code)).await?;
        if code.package.is_some() && loaded.bundle.get().is_none() {
            self.wanted.want(code, &function.handler);
        }
        Ok(loaded)
    }

    async fn make(&self, code: CodeId) -> Result<Arc<Loaded>, CodeError> {
        let kind = if code.package.is_some() { Kind::Runtimes } else { Kind::Components };
        let linked = self.link(&code.component, kind).await?;
        let mounts = self.mounts(&code).await?;
        let bundle = BundleSlot::default();
        self.read_bundle(&code, &bundle).await;
        let now = Timestamp(self.clock.epoch_micros());
        Ok(Arc::new(Loaded::new(linked, mounts, bundle, now, self.ids.random16())))
    }

    /// The files that a version's instances see.
    pub(crate) async fn mounts(&self, code: &CodeId) -> Result<Mounts, CodeError> {
        let (component, artifacts) = (code.component, &self.loader.artifacts);
        let package = match code.package {
            Some(Package { digest, is_zip: true }) => {
                self.packages.ready(&digest).await.map_err(|error| match error {
                    PackageError::Refused(reason) => CodeError::Refused { component, reason },
                    PackageError::Internal(reason) => CodeError::Internal { component, reason },
                })?;
                artifacts.files_dir(&digest).await
            }
            Some(Package { digest, is_zip: false }) => artifacts.package_dir(&digest).await,
            None => artifacts.package_dir(&component).await,
        };
        let package = package
            .map_err(|error| CodeError::Internal { component, reason: format!("opening /var/task: {error}") })?;
        Ok(Mounts::new(package, self.tmp.clone()))
    }

    /// A component, linked: loaded through every check, once for all who ask.
    async fn link(&self, component: &Digest, kind: Kind) -> Result<Arc<Linked>, CodeError> {
        let host = match kind {
            Kind::Components => &self.components,
            Kind::Runtimes => self.runtimes(component)?,
        };
        host.linked.get_or_make(component, || self.make_linked(host, *component, kind)).await
    }

    fn runtimes(&self, component: &Digest) -> Result<&Host, CodeError> {
        if let Some(host) = self.runtimes.get() {
            return Ok(host);
        }
        // Of two that are made at the same time one is dropped.
        let made = Host::new(&self.config, Kind::Runtimes).map_err(|error| CodeError::Internal {
            component: *component,
            reason: format!("building the engine of managed runtimes: {error:#}"),
        })?;
        Ok(self.runtimes.get_or_init(|| made))
    }

    async fn make_linked(&self, host: &Host, component: Digest, kind: Kind) -> Result<Arc<Linked>, CodeError> {
        let (loaded, kept) = self.loader.load(&host.engine, &component, kind).await?;
        let linked = self.linked(host, component, &loaded)?;
        Ok(Arc::new(Linked { kept, ..linked }))
    }

    /// Gives a function that is called often a copy of its runtime, in the background. A
    /// slot of the pool goes to the component that it served last, and what its
    /// instances have written there is copied back after every call, by whichever
    /// function it was written: a small one would pay for the large ones.
    fn want_copy(self: &Arc<Self>, code: CodeId, loaded: &Arc<Loaded>) {
        let (shared, loaded) = (self.clone(), loaded.clone());
        self.copying.spawn(async move {
            let Some(host) = shared.runtimes.get() else { return };
            let number = host.copied.fetch_add(1, Ordering::Relaxed) % COPIES;
            let copy = || shared.make_copy(host, code.component, &loaded);
            match host.copies.get_or_make(&(code.component, number), copy).await {
                Ok(linked) => {
                    let copied = Arc::new(loaded.on(linked));
                    // Not when it was forgotten meanwhile: it is checked again then.
                    shared.loaded.replace(&code, |now| Arc::ptr_eq(now, &loaded), copied);
                }
                Err(error) => tracing::warn!(component = %code.component, %error, "a runtime cannot be loaded again"),
            }
        });
    }

    async fn make_copy(&self, host: &Host, component: Digest, loaded: &Arc<Loaded>) -> Result<Arc<Linked>, CodeError> {
        let internal = |reason: String| CodeError::Internal { component, reason };
        let (engine, first) = (host.engine.clone(), loaded.clone());
        let load = move || first.linked.kept.as_ref().map(|kept| kept.load(&engine));
        let copy = tokio::task::spawn_blocking(load).await.map_err(|error| internal(error.to_string()))?;
        let copy = copy.ok_or_else(|| internal("its image is not kept".to_owned()))?;
        let copy = copy.map_err(|error| internal(format!("{error:#}")))?;
        self.linked(host, component, &copy).map(Arc::new)
    }

    /// A component that is loaded, linked. `component` is the one that it comes from.
    pub(crate) fn linked(&self, host: &Host, component: Digest, loaded: &Component) -> Result<Linked, CodeError> {
        let linked = host.linker.instantiate_pre(loaded).and_then(|pre| {
            let handler = handler(&host.engine, loaded, &pre)?;
            let lifecycle = Lifecycle::of(loaded, matches!(handler, Handler::Managed(_)));
            Ok(Linked { engine: host.engine.clone(), pre, handler, lifecycle, kept: None })
        });
        linked.map_err(|error| CodeError::Unusable { component, reason: format!("{error:#}") })
    }
}

fn handler(engine: &Engine, loaded: &Component, linked: &InstancePre<Ctx>) -> wasmtime::Result<Handler> {
    let names: Vec<String> = loaded.component_type().exports(engine).map(|(name, _)| name.to_owned()).collect();
    let has = |start: &str| names.iter().any(|name| name.starts_with(start));
    if has(crate::inspect::HANDLER) {
        FunctionIndices::new(linked).map(Handler::Buffered)
    } else if has(crate::inspect::STREAM_HANDLER) {
        FunctionStreamIndices::new(linked).map(Handler::Streaming)
    } else if has(crate::inspect::DERIVE) {
        ManagedRuntimeIndices::new(linked).map(Handler::Managed)
    } else {
        ProxyIndices::new(linked).map(Handler::Http)
    }
}
