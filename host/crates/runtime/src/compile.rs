//! Images: from the artifact store into the engine, through every check.
//!
//! One load makes an image for all who wait for it. The order is fixed: read
//! the component (the store checks its digest), ask whether its signature still
//! counts, then take the sealed image or compile a new one on the compile
//! workers. Nothing here runs on an invoking thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use lamina_artifacts::{Artifacts, Error as ArtifactError};
use lamina_types::Digest;
use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::engine::Kind;
use crate::error::CodeError;
use crate::image::{self, Fingerprint, ImageKey, Kept};
use crate::runtime::CodeCheck;

/// The kind of derived files that images are.
const IMAGES: &str = "images";

/// Loads and makes images.
pub(crate) struct Loader {
    pub(crate) artifacts: Artifacts,
    pub(crate) check: Arc<dyn CodeCheck>,
    pub(crate) key: ImageKey,
    fingerprint: Fingerprint,
    workers: Arc<Semaphore>,
    waiting: AtomicUsize,
    waiting_max: usize,
}

struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A component that is gone or changed is refused; a disk that fails is our fault.
fn unread(component: Digest, error: &ArtifactError) -> CodeError {
    let reason = error.to_string();
    match error {
        ArtifactError::Missing(_) | ArtifactError::Corrupt(_) => CodeError::Refused { component, reason },
        ArtifactError::Name(_)
        | ArtifactError::Io { .. }
        | ArtifactError::Task(_)
        | ArtifactError::TooLarge { .. }
        | ArtifactError::Unpacked(_)
        | ArtifactError::Content(_)
        | ArtifactError::Source(_) => CodeError::Internal { component, reason },
    }
}

impl Loader {
    /// `engine` is any of those that it will load for: their images are the same.
    pub(crate) fn new(
        engine: &Engine,
        artifacts: Artifacts,
        check: Arc<dyn CodeCheck>,
        key: ImageKey,
        config: &crate::Config,
    ) -> Self {
        let fingerprint = Fingerprint::of(engine);
        let workers = Arc::new(Semaphore::new(config.compile_workers.max(1)));
        let (waiting, waiting_max) = (AtomicUsize::new(0), config.compile_queue_max);
        Self { artifacts, check, key, fingerprint, workers, waiting, waiting_max }
    }

    pub(crate) fn image_name(&self, component: &Digest) -> String {
        self.fingerprint.image_name(component)
    }

    /// The component, ready to be linked for this engine; one of the engine of managed
    /// runtimes can be loaded again.
    pub(crate) async fn load(
        &self,
        engine: &Engine,
        digest: &Digest,
        kind: Kind,
    ) -> Result<(Component, Option<Kept>), CodeError> {
        let component = *digest;
        let bytes = self.checked(digest).await?;
        let name = self.fingerprint.image_name(digest);
        let stored = match self.artifacts.get_derived(IMAGES, &name).await {
            Ok(stored) => stored,
            Err(error) => {
                tracing::warn!(%component, %error, "compiled image cannot be read and is made again");
                None
            }
        };
        if let Some(image) = stored {
            match self.open(engine, digest, image, kind).await {
                Ok(loaded) => return Ok(loaded),
                Err(reason) => {
                    tracing::warn!(%component, reason, "compiled image is discarded and made again");
                    let _ = self.artifacts.remove_derived(IMAGES, &name).await;
                }
            }
        }
        let (loaded, image) = self.compile(engine, digest, bytes).await?;
        let image = Bytes::from(image);
        // Without the file the next start compiles again: worth a warning, not a failure.
        if let Err(error) = self.artifacts.put_derived(IMAGES, &name, image.clone()).await {
            tracing::warn!(%component, %error, "compiled image cannot be stored");
        }
        match kind {
            Kind::Components => Ok((loaded, None)),
            Kind::Runtimes => {
                let reopened = self.open(engine, digest, image, kind).await;
                reopened.map_err(|reason| CodeError::Internal { component, reason })
            }
        }
    }

    /// The component, which may run.
    pub(crate) async fn checked(&self, digest: &Digest) -> Result<Bytes, CodeError> {
        let bytes = self.artifacts.get(digest).await.map_err(|error| unread(*digest, &error))?;
        self.ask(digest, bytes.clone()).await?;
        Ok(bytes)
    }

    /// Asks whether the component may run, off this thread: the answer takes a hash
    /// over all of it.
    async fn ask(&self, digest: &Digest, bytes: Bytes) -> Result<(), CodeError> {
        let (check, component) = (self.check.clone(), *digest);
        let answer = tokio::task::spawn_blocking(move || check.check(&component, &bytes)).await;
        let answer = answer.map_err(|error| CodeError::Internal { component, reason: error.to_string() })?;
        answer.map_err(|refusal| CodeError::Refused { component, reason: refusal.reason })
    }

    async fn open(
        &self,
        engine: &Engine,
        digest: &Digest,
        image: Bytes,
        kind: Kind,
    ) -> Result<(Component, Option<Kept>), String> {
        let (engine, key, digest) = (engine.clone(), self.key.clone(), *digest);
        let open = move || {
            let opened = match kind {
                Kind::Components => image::open(&engine, &key, &digest, &image).map(|loaded| (loaded, None)),
                Kind::Runtimes => image::open_kept(&engine, &key, &digest, &image),
            };
            opened.map_err(|error| error.to_string())
        };
        tokio::task::spawn_blocking(open).await.map_err(|error| error.to_string())?
    }

    async fn compile(&self, engine: &Engine, digest: &Digest, bytes: Bytes) -> Result<(Component, Vec<u8>), CodeError> {
        let component = *digest;
        let internal = |reason: String| CodeError::Internal { component, reason };
        let waiting = Waiting(&self.waiting);
        if self.waiting.fetch_add(1, Ordering::SeqCst) >= self.waiting_max {
            return Err(CodeError::QueueFull { max: self.waiting_max });
        }
        let permit = self.workers.clone().acquire_owned().await.map_err(|error| internal(error.to_string()))?;
        drop(waiting);
        let (engine, key) = (engine.clone(), self.key.clone());
        let work = move || {
            // Given back by the thread: a caller that is gone frees no worker.
            let _permit = permit;
            image::compile((&engine, &engine), &key, &component, &bytes)
        };
        let compiled = tokio::task::spawn_blocking(work).await.map_err(|error| internal(error.to_string()))?;
        compiled.map_err(|error| CodeError::Unusable { component, reason: format!("{error:#}") })
    }
}
