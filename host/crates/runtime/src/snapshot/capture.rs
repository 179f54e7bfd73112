//! Making a snapshot: an instance of the instrumented component initializes, and what
//! it holds then becomes a component.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use lamina_types::{Digest, ResolvedFunction, SnapshotId};
use wasmtime::component::{Component, ResourceTable};
use wasmtime::{Engine, Store};
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream};
use wasmtime_wizer::Wizer;

use super::{Functions, NoSnapshot, SNAPSHOT_BYTES_MAX, SNAPSHOTS};
use crate::bindings::types::FunctionError;
use crate::code::{Linked, Loaded};
use crate::ctx::{Ctx, Guest, Role};
use crate::error::CodeError;
use crate::exec::RESTORE_TIME;
use crate::image::{self, Compiled};
use crate::instrumented;
use crate::runtime::{Host, Shared};
use crate::sources::Sources;
use crate::turns;

/// What an init may take at least: Lambda's own bound.
const INIT_TIME: Duration = Duration::from_secs(130);
/// How many runtimes' compiled functions are kept, and for how long after the last use.
const COMPILERS_MAX: usize = 4;
const COMPILERS_TIME: Duration = Duration::from_secs(300);
/// No export has this name: what the component exports stays.
const NO_INIT: &str = "lamina:none";

fn failed(error: impl std::fmt::Display) -> NoSnapshot {
    NoSnapshot::Failed(error.to_string())
}

fn refused(reason: impl Into<String>) -> NoSnapshot {
    NoSnapshot::Refused(reason.into())
}

/// What the engine does not take, it does not take the next time either.
fn unlinked(error: CodeError) -> NoSnapshot {
    match error {
        CodeError::Unusable { reason, .. } => refused(format!("its snapshot cannot run: {reason}")),
        other => failed(other),
    }
}

impl Shared {
    /// Makes the snapshot and stores it.
    pub(super) async fn capture(
        self: &Arc<Self>,
        function: &Arc<ResolvedFunction>,
        id: SnapshotId,
    ) -> Result<(), NoSnapshot> {
        let loaded = self.load(function, id.code).await.map_err(failed)?;
        if loaded.linked.lifecycle.is_none() {
            return Err(refused("the component exports no lamina:function/lifecycle@0.1.0: there is nothing to keep"));
        }
        // A snapshot of a package's bundle holds no handle of a file.
        if id.code.package.is_some()
            && let Err(reason) = self.make_bundle(&id.code, &function.handler).await
        {
            tracing::info!(function = %function.name, reason, "a snapshot is made without a bundle");
        }
        let bytes = self.loader.checked(&id.code.component).await.map_err(failed)?;
        let (shared, function) = (self.clone(), function.clone());
        let handle = tokio::runtime::Handle::current();
        // Off the threads that serve: it parses, hashes and compiles for seconds.
        let work = move || {
            let image = handle.block_on(shared.image(&function, &loaded, &bytes))?;
            let nonce = [shared.ids.random16(), shared.ids.random16()].concat();
            let nonce = nonce.first_chunk().copied().unwrap_or_default();
            let engine = &loaded.linked.engine;
            shared.snapshots.key.seal(engine, &id, image, nonce).ok_or_else(|| failed("it could not be sealed"))
        };
        let sealed = tokio::task::spawn_blocking(work).await.map_err(failed)??;
        let name = self.snapshots.key.file_name(&id);
        self.loader.artifacts.put_derived(SNAPSHOTS, &name, Bytes::from(sealed)).await.map_err(failed)
    }

    /// The image of the snapshot, which was tried once.
    async fn image(
        self: &Arc<Self>,
        function: &Arc<ResolvedFunction>,
        loaded: &Arc<Loaded>,
        bytes: &[u8],
    ) -> Result<Compiled, NoSnapshot> {
        let code = function.code();
        let host = self.host(&code).map_err(failed)?;
        let compiler = match code.package {
            Some(_) => self.compiler(&code.component).map_err(|error| failed(format!("{error:#}")))?,
            // What is one function's own is compiled twice.
            None => host.engine.clone(),
        };
        let mut wizer = Wizer::new();
        wizer.init_func(NO_INIT).keep_init_func(true);
        let unfit = |error: wasmtime::Error| refused(format!("the component cannot be captured: {error:#}"));
        let (context, instrumented) = wizer.instrument_component(bytes).map_err(unfit)?;
        let instrumented = self.instrumented(host, &compiler, function, instrumented).await?;
        let linked = self.linked(host, code.component, &instrumented).map_err(unlinked)?;
        let (mut store, time) = self.guest(function, loaded, &linked)?;
        let instance = initialized(&mut store, &linked, &function.handler, time).await?;
        captured(store.data_mut())?;
        // Before it is copied.
        fits("its instance holds", store.data().limiter.peak, SNAPSHOT_BYTES_MAX)?;
        // What is asked for now is not the guest's doing.
        store.set_hostcall_fuel(usize::MAX);
        let snapshot = instrumented::snapshot(&wizer, &context, &mut store, instance).await.map_err(unfit)?;
        drop((store, context, instrumented, linked));
        let image = Compiled::of(&compiler, &snapshot).map_err(unfit)?;
        drop(snapshot);
        let bytes_max = SNAPSHOT_BYTES_MAX.min(self.snapshots.bytes_max as u64);
        fits("its snapshot has", image.bytes() as u64, bytes_max)?;
        let component = image.load(&host.engine).map_err(unfit)?;
        let linked = self.linked(host, code.component, &component).map_err(unlinked)?;
        let (mut store, _) = self.guest(function, loaded, &linked)?;
        tried(&mut store, &linked).await?;
        Ok(image)
    }

    /// A store for an instance of the version that no call is served by.
    fn guest(
        &self,
        function: &Arc<ResolvedFunction>,
        loaded: &Arc<Loaded>,
        linked: &Linked,
    ) -> Result<(Store<Ctx>, Duration), NoSnapshot> {
        let time = function.timeout.max(INIT_TIME);
        let guest = Guest {
            role: Role::Snapshot(function.clone()),
            loaded: loaded.clone(),
            sources: Sources::of(function, &self.clock),
            random_bytes_max: self.config.random_bytes_max,
        };
        let ctx = Ctx::new(guest, function.memory.bytes(), &self.config);
        let fuel = self.config.fuel_per_gb_second.saturating_mul(time.as_secs());
        let store = crate::exec::store(&linked.engine, ctx, fuel, self.config.hostcall_bytes_max).map_err(failed)?;
        Ok((store, time))
    }

    /// The instrumented component: of a runtime kept on the disk, as all of its functions
    /// need it.
    async fn instrumented(
        &self,
        host: &Host,
        compiler: &Engine,
        function: &ResolvedFunction,
        bytes: Vec<u8>,
    ) -> Result<Component, NoSnapshot> {
        let digest = Digest::of(&bytes);
        let name = format!("{}.instrumented", function.component);
        let is_kept = function.managed.is_some();
        if is_kept && let Ok(Some(stored)) = self.loader.artifacts.get_derived(SNAPSHOTS, &name).await {
            match image::open(&host.engine, &self.loader.key, &digest, &stored) {
                Ok(component) => return Ok(component),
                Err(reason) => tracing::info!(%reason, "an instrumented runtime is made again"),
            }
        }
        let made = image::compile((compiler, &host.engine), &self.loader.key, &digest, &bytes);
        let (component, image) = made.map_err(|error| refused(format!("it cannot be instrumented: {error:#}")))?;
        if is_kept && let Err(error) = self.loader.artifacts.put_derived(SNAPSHOTS, &name, image.into()).await {
            tracing::warn!(%error, "an instrumented runtime cannot be stored");
        }
        Ok(component)
    }

    /// The engine that compiles what is made of a runtime.
    fn compiler(self: &Arc<Self>, component: &Digest) -> wasmtime::Result<Engine> {
        let snapshots = &self.snapshots;
        let made = snapshots.made.fetch_add(1, Ordering::SeqCst) + 1;
        let weak = Arc::downgrade(self);
        snapshots.idle.spawn(async move {
            tokio::time::sleep(COMPILERS_TIME).await;
            if let Some(shared) = weak.upgrade()
                && shared.snapshots.made.load(Ordering::SeqCst) == made
            {
                shared.snapshots.compilers().clear();
            }
        });
        let mut compilers = snapshots.compilers();
        if let Some((_, engine)) = compilers.iter().find(|(of, _)| of == component) {
            return Ok(engine.clone());
        }
        let engine = crate::engine::compiler(&self.config, Arc::new(Functions::default()))?;
        if compilers.len() >= COMPILERS_MAX {
            compilers.remove(0);
        }
        compilers.push((*component, engine.clone()));
        Ok(engine)
    }
}

/// An instance that has initialized, and made itself ready for a snapshot.
async fn initialized(
    store: &mut Store<Ctx>,
    linked: &Linked,
    handler: &str,
    time: Duration,
) -> Result<wasmtime::component::Instance, NoSnapshot> {
    let lifecycle = linked.lifecycle.as_ref().ok_or_else(|| refused("it has no lifecycle"))?;
    within(time, "its init", async {
        let instance = linked.pre.instantiate_async(&mut *store).await?;
        if let Err(error) = lifecycle.init(store, &instance, handler).await? {
            return Ok(Err(said("its init failed", &error)));
        }
        let ready = lifecycle.before_snapshot(store, &instance).await?;
        Ok(ready.map(|()| instance).map_err(|error| said("it did not get ready for a snapshot", &error)))
    })
    .await
}

/// Restores an instance once: one that traps must not be a caller's.
async fn tried(store: &mut Store<Ctx>, linked: &Linked) -> Result<(), NoSnapshot> {
    let lifecycle = linked.lifecycle.as_ref().ok_or_else(|| refused("its snapshot has no lifecycle"))?;
    within(RESTORE_TIME, "what runs after a restore", async {
        let instance = linked.pre.instantiate_async(&mut *store).await?;
        let restored = lifecycle.after_restore(store, &instance).await?;
        Ok(restored.map_err(|error| said("it could not be restored", &error)))
    })
    .await
}

async fn within<T>(
    time: Duration,
    what: &str,
    run: impl Future<Output = wasmtime::Result<Result<T, NoSnapshot>>>,
) -> Result<T, NoSnapshot> {
    match tokio::time::timeout(time, turns::taken(run)).await {
        Err(_) => Err(refused(format!("{what} did not end in {} seconds", time.as_secs()))),
        // A pool that is full is not the function's doing.
        Ok(Err(error)) if error.is::<wasmtime::PoolConcurrencyLimitError>() => Err(failed(error)),
        Ok(Err(error)) => Err(refused(format!("{what} ended in an error: {}", error.root_cause()))),
        Ok(Ok(end)) => end,
    }
}

fn said(what: &'static str, error: &FunctionError) -> NoSnapshot {
    const TEXT_CHARS_MAX: usize = 500;
    let cut = |text: &str| text.chars().take(TEXT_CHARS_MAX).collect();
    NoSnapshot::Own { what, error_type: cut(&error.error_type), message: cut(&error.message) }
}

/// Refuses what is larger than a snapshot may be.
fn fits(what: &str, bytes: u64, bytes_max: u64) -> Result<(), NoSnapshot> {
    match bytes <= bytes_max {
        true => Ok(()),
        false => Err(refused(format!("{what} {bytes} bytes; for a snapshot {bytes_max} are allowed"))),
    }
}

/// Refuses what a snapshot cannot hold: handles of anything but what every instance asks
/// for anew.
fn captured(ctx: &mut Ctx) -> Result<(), NoSnapshot> {
    let preopens = ctx.preopens;
    if let Some(what) = left_open(ctx.table(), preopens) {
        return Err(refused(format!("its init left {what} open, which a snapshot cannot hold")));
    }
    // A restored instance would miss them.
    match ctx.files().1.holds_files() {
        true => Err(refused("its init left files in /tmp, which a snapshot cannot hold")),
        false => Ok(()),
    }
}

fn left_open(table: &mut ResourceTable, preopens: usize) -> Option<&'static str> {
    let mut directories = 0;
    for entry in table.iter_mut() {
        match entry.downcast_ref::<Descriptor>() {
            Some(Descriptor::File(_)) => return Some("a file"),
            Some(Descriptor::Dir(_)) => directories += 1,
            // Of standard input and output; a file's come with the file.
            None if entry.is::<DynInputStream>() || entry.is::<DynOutputStream>() => {}
            None => return Some("a handle"),
        }
    }
    (directories > preopens).then_some("a directory")
}
