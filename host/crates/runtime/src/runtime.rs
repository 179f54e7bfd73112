//! The runtime as its users see it: code made ready, and calls on it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use lamina_artifacts::Artifacts;
use lamina_kit::{Clock, Ids, OnceMap};
use lamina_types::{Digest, ResolvedFunction, Timestamp, Version};
use wasmtime::component::Linker;

use crate::bindings::{FunctionPre, FunctionStreamPre, ProxyPre};
use crate::compile::Loader;
use crate::config::Config;
use crate::ctx::Ctx;
use crate::engine::Ticking;
use crate::error::{CodeError, PrepareError};
use crate::image::ImageKey;
use crate::mounts::Mounts;

/// Asked each time an image is loaded from disk: is this component, whose
/// digest was just checked, still one that may run?
pub trait CodeCheck: Send + Sync + 'static {
    /// Refuses with a reason that the caller may read. May block.
    fn check(&self, digest: &Digest, component: &[u8]) -> Result<(), Refused>;
}

/// Why a component may not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// For the caller and the log.
    pub reason: String,
}

/// Engine, images and limits. Clones share them.
#[derive(Clone)]
pub struct Runtime {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    loader: Loader,
    linker: Linker<Ctx>,
    images: OnceMap<Digest, Arc<Image>>,
    engine: Ticking,
}

/// A loaded component, linked and with its handler looked up once.
pub(crate) struct Image {
    pub(crate) handler: Handler,
    pub(crate) mounts: Mounts,
    log_stream_date: String,
    log_stream_id: String,
    /// Of the first version that was called: most often the only one.
    log_stream: OnceLock<(Version, Arc<str>)>,
}

pub(crate) enum Handler {
    Buffered(FunctionPre<Ctx>),
    Streaming(FunctionStreamPre<Ctx>),
    Http(ProxyPre<Ctx>),
}

/// Code that is loaded and can be called.
#[derive(Clone)]
pub struct Code {
    pub(crate) image: Arc<Image>,
    /// How long this caller waited for the load; `None` when it was there.
    pub init: Option<Duration>,
}

impl Code {
    /// The log stream of calls of this version: `YYYY/MM/DD/[VERSION]32hex`, one
    /// for each time the code is loaded, as Lambda has one an environment.
    pub fn log_stream(&self, version: Version) -> Arc<str> {
        let Image { log_stream_date: date, log_stream_id: id, log_stream, .. } = &*self.image;
        let name = || format!("{date}/[{version}]{id}").into();
        // Versions share an image only when their code is the same.
        let (first, named) = log_stream.get_or_init(|| (version, name()));
        if *first == version { named.clone() } else { name() }
    }
}

impl Runtime {
    /// Builds the engine. `host_key` is this host's own secret of 32 bytes: it
    /// authenticates compiled images. Must be called inside a tokio runtime.
    pub fn new(
        config: Config,
        host_key: &[u8; 32],
        artifacts: Artifacts,
        check: Arc<dyn CodeCheck>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, crate::RunError> {
        let internal = |error: wasmtime::Error| crate::RunError::Internal(format!("building the engine: {error:#}"));
        let engine = crate::engine::build(&config).map_err(internal)?;
        let linker = crate::linker::build(&engine.engine).map_err(internal)?;
        let key = ImageKey::derive(host_key);
        let loader = Loader::new(engine.engine.clone(), artifacts, check, key, &config);
        let images = OnceMap::new(config.images_max);
        Ok(Self { shared: Arc::new(Shared { config, clock, ids, loader, linker, images, engine }) })
    }

    /// Makes a component ready: loads its image, or compiles it on the compile
    /// workers. Dropped half-way, a compilation that began runs to its end.
    pub async fn prepare(&self, component: &Digest) -> Result<(), PrepareError> {
        self.load(component).await.map(|_| ())
    }

    /// The code of a version, loaded if it is not.
    pub async fn code(&self, function: &ResolvedFunction) -> Result<Code, CodeError> {
        if let Some(image) = self.shared.images.get(&function.component) {
            return Ok(Code { image, init: None });
        }
        let start = self.shared.clock.monotonic();
        // Apart: most calls never come here, and would carry its future about.
        let image = Box::pin(self.load(&function.component)).await?;
        let init = self.shared.clock.monotonic().saturating_sub(start);
        Ok(Code { image, init: Some(init) })
    }

    /// The name that this engine's image of a component has among the derived files
    /// of kind `images`.
    pub fn image_name(&self, component: &Digest) -> String {
        self.shared.loader.image_name(component)
    }

    /// Forgets every loaded image, so that each is checked again before its next
    /// call. To be called after a key was revoked; calls under way run on.
    pub fn recheck(&self) {
        self.shared.images.retain(|_| false);
    }

    /// Forgets one image: its function is gone.
    pub fn forget(&self, component: &Digest) {
        self.shared.images.retain(|digest| digest != component);
    }

    async fn load(&self, component: &Digest) -> Result<Arc<Image>, CodeError> {
        self.shared.images.get_or_make(component, || self.shared.make(*component)).await
    }
}

impl Shared {
    pub(crate) fn engine(&self) -> &wasmtime::Engine {
        &self.engine.engine
    }

    async fn make(&self, component: Digest) -> Result<Arc<Image>, CodeError> {
        let loaded = self.loader.load(&component).await?;
        let package = self.loader.artifacts.package_dir(&component).await;
        let package = package
            .map_err(|error| CodeError::Internal { component, reason: format!("opening /var/task: {error}") })?;
        let handler = self.handler(component, &loaded).await?;
        let now = Timestamp(self.clock.epoch_micros());
        let id = u128::from_be_bytes(self.ids.random16());
        Ok(Arc::new(Image {
            handler,
            mounts: Mounts::new(package),
            log_stream_date: now.to_slashed_date(),
            log_stream_id: format!("{id:032x}"),
            log_stream: OnceLock::new(),
        }))
    }

    async fn handler(&self, component: Digest, loaded: &wasmtime::component::Component) -> Result<Handler, CodeError> {
        let unusable = |reason: String| CodeError::Unusable { component, reason };
        let linked = self.linker.instantiate_pre(loaded).map_err(|error| unusable(format!("{error:#}")))?;
        let names: Vec<String> =
            loaded.component_type().exports(&self.engine.engine).map(|(name, _)| name.to_owned()).collect();
        let has = |start: &str| names.iter().any(|name| name.starts_with(start));
        let handler = if has(crate::inspect::HANDLER) {
            FunctionPre::new(linked).map(Handler::Buffered)
        } else if has(crate::inspect::STREAM_HANDLER) {
            FunctionStreamPre::new(linked).map(Handler::Streaming)
        } else {
            ProxyPre::new(linked).map(Handler::Http)
        };
        handler.map_err(|error| unusable(format!("{error:#}")))
    }
}
