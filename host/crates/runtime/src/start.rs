//! A managed runtime from its source: its `start` is run once, and what it left in
//! memory becomes the component.

use std::time::Duration;

use wasmparser::{Parser, Payload};
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Instance, Lift, Linker, ResourceTable, ResourceType, Val, WasmList};
use wasmtime::{Engine, Store, StoreContextMut};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wizer::{ComponentInstanceState, Wizer};

use crate::inspect::START;

/// What starting may take.
const START_TIME: Duration = Duration::from_secs(300);

/// What `start` is called afterwards: as long a name, so that it takes its place.
const STARTED: &str = "begun";

/// Why a managed runtime was not started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StartError(String);

/// Nothing but WASI without files, network and environment: what `start` saw of it
/// would be every instance's.
struct Starting {
    table: ResourceTable,
    wasi: WasiCtx,
}

impl WasiView for Starting {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// The component to install: the given one itself, when it exports no `start`.
pub async fn started(component: &[u8]) -> Result<Vec<u8>, StartError> {
    let failed = |error: wasmtime::Error| StartError(format!("{error:#}"));
    tokio::time::timeout(START_TIME, start(component))
        .await
        .map_err(|_| StartError(format!("it did not start in {} seconds", START_TIME.as_secs())))?
        .map_err(failed)
}

async fn start(bytes: &[u8]) -> wasmtime::Result<Vec<u8>> {
    // Before anything is compiled: an interpreter of 35 MB takes minutes on a busy machine.
    if place(bytes)?.is_none() {
        return Ok(bytes.to_vec());
    }
    let mut config = wasmtime::Config::new();
    config.max_wasm_stack(16 << 20).async_stack_size(17 << 20).concurrency_support(false);
    let engine = Engine::new(&config)?;
    let mut wizer = Wizer::new();
    // Else it takes the function away from the modules inside, and not from what lifts it.
    wizer.init_func(START).keep_init_func(true);
    let (context, instrumented) = wizer.instrument_component(bytes)?;
    let compile = engine.clone();
    let component = tokio::task::spawn_blocking(move || Component::new(&compile, &instrumented)).await??;
    let mut linker = Linker::<Starting>::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    stub(&mut linker, &engine, &component)?;
    let wasi = WasiCtxBuilder::new().inherit_stderr().build();
    let mut store = Store::new(&engine, Starting { table: ResourceTable::new(), wasi });
    let instance = linker.instantiate_async(&mut store, &component).await?;
    let start = instance.get_typed_func::<(), ()>(&mut store, START)?;
    start.call_async(&mut store, ()).await?;
    let mut state = State { store, instance, failed: None };
    let snapshot = wizer.snapshot_component(&context, &mut state).await?;
    match state.failed {
        Some(error) => Err(error),
        None => renamed(snapshot),
    }
}

/// Where the name of the component's export `start` is, if it has one.
fn place(component: &[u8]) -> wasmtime::Result<Option<usize>> {
    let (mut depth, mut place) = (0_usize, None);
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentExportSection(exports) if depth == 1 => {
                for export in exports {
                    let name = export?.name.name;
                    if name == START {
                        place = Some(name.as_ptr().addr() - component.as_ptr().addr());
                    }
                }
            }
            _ => {}
        }
    }
    Ok(place)
}

/// The component with another name for its `start`, which must not run again.
fn renamed(mut component: Vec<u8>) -> wasmtime::Result<Vec<u8>> {
    let place = place(&component)?.and_then(|at| component.get_mut(at..at + START.len()));
    let lost = || wasmtime::Error::msg("the snapshot lost the export `start`");
    place.ok_or_else(lost)?.copy_from_slice(STARTED.as_bytes());
    Ok(component)
}

/// Links what is ours as traps: nobody is called while there is no function. (The
/// linker's own `define_unknown_imports_as_traps` gives `wasi:io/streams` another
/// `error` than that of `wasi:io/error`, so that no component of WASI links.)
fn stub(linker: &mut Linker<Starting>, engine: &Engine, component: &Component) -> wasmtime::Result<()> {
    let mut known = Vec::new();
    for (name, item) in component.component_type().imports(engine) {
        let ComponentItem::ComponentInstance(instance) = item.ty else { continue };
        let is_ours = !name.starts_with("wasi:");
        for (export, item) in instance.exports(engine) {
            match item.ty {
                ComponentItem::ComponentFunc(_) if is_ours => {
                    let called = format!("{name}#{export} was called while the runtime started");
                    let trap = move |_: StoreContextMut<'_, Starting>, _, _: &[Val], _: &mut [Val]| {
                        Err(wasmtime::Error::msg(called.clone()))
                    };
                    linker.instance(name)?.func_new(export, trap)?;
                }
                // One that is used from elsewhere was there before.
                ComponentItem::Resource(resource) if !known.contains(&resource) => {
                    known.push(resource);
                    if is_ours {
                        linker.instance(name)?.resource(export, ResourceType::host::<()>(), |_, _| Ok(()))?;
                    }
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// The instance that is asked what it holds, and the first thing that it did not
/// answer.
struct State {
    store: Store<Starting>,
    instance: Instance,
    failed: Option<wasmtime::Error>,
}

impl State {
    async fn ask<R: Lift + Send + Sync + 'static>(&mut self, instance: &str, name: &str) -> Option<R> {
        let asked = async {
            let missing = || wasmtime::Error::msg(format!("{instance} of the instrumented component has no {name}"));
            let (_, inside) = self.instance.get_export(&mut self.store, None, instance).ok_or_else(missing)?;
            let (_, index) = self.instance.get_export(&mut self.store, Some(&inside), name).ok_or_else(missing)?;
            let function = self.instance.get_typed_func::<(), (R,)>(&mut self.store, index)?;
            Ok(function.call_async(&mut self.store, ()).await?.0)
        };
        let answer: wasmtime::Result<R> = asked.await;
        answer.map_err(|error| self.failed.get_or_insert(error)).ok()
    }
}

impl ComponentInstanceState for State {
    async fn call_func_ret_list_u8(&mut self, instance: &str, func: &str, contents: impl FnOnce(&[u8]) + Send) {
        if let Some(list) = self.ask::<WasmList<u8>>(instance, func).await {
            contents(list.as_le_slice(&self.store));
        }
    }

    async fn call_func_ret_s32(&mut self, instance: &str, func: &str) -> i32 {
        self.ask(instance, func).await.unwrap_or_default()
    }

    async fn call_func_ret_s64(&mut self, instance: &str, func: &str) -> i64 {
        self.ask(instance, func).await.unwrap_or_default()
    }

    async fn call_func_ret_f32(&mut self, instance: &str, func: &str) -> u32 {
        self.ask::<f32>(instance, func).await.unwrap_or_default().to_bits()
    }

    async fn call_func_ret_f64(&mut self, instance: &str, func: &str) -> u64 {
        self.ask::<f64>(instance, func).await.unwrap_or_default().to_bits()
    }
}
