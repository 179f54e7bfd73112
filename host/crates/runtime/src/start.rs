//! A managed runtime from its source: its `start` is run once, and what it left in
//! memory becomes the component.

use std::time::Duration;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wizer::Wizer;

use crate::inspect::START;
use crate::instrumented;

/// What starting may take.
const START_TIME: Duration = Duration::from_secs(120);

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
    let mut config = wasmtime::Config::new();
    config.max_wasm_stack(16 << 20).async_stack_size(17 << 20).concurrency_support(false);
    let engine = Engine::new(&config)?;
    let mut wizer = Wizer::new();
    wizer.init_func(START);
    let (context, instrumented) = wizer.instrument_component(bytes)?;
    let compile = engine.clone();
    let component = tokio::task::spawn_blocking(move || Component::new(&compile, &instrumented)).await??;
    if !matches!(component.get_export(None, START), Some((ComponentItem::ComponentFunc(_), _))) {
        return Ok(bytes.to_vec());
    }
    let mut linker = Linker::<Starting>::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    // What is ours: nobody is called while there is no function.
    linker.define_unknown_imports_as_traps(&component)?;
    let wasi = WasiCtxBuilder::new().inherit_stderr().build();
    let mut store = Store::new(&engine, Starting { table: ResourceTable::new(), wasi });
    let instance = linker.instantiate_async(&mut store, &component).await?;
    let start = instance.get_typed_func::<(), ()>(&mut store, START)?;
    start.call_async(&mut store, ()).await?;
    instrumented::snapshot(&wizer, &context, &mut store, instance).await
}
