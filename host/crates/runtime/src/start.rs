//! A managed runtime from its source: its `start` is run once, and what it left in
//! memory becomes the component.

use std::time::Duration;

use lamina_types::World;
use wasmparser::{Parser, Payload};
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, ResourceTable, ResourceType, Val};
use wasmtime::{Engine, Store, StoreContextMut};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wizer::Wizer;

use crate::inspect::{InspectError, START, STARTED, inspect};
use crate::{instrumented, merged, segments};

/// What starting may take.
const START_TIME: Duration = Duration::from_secs(300);

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

/// The component to install: started, unless it exports no `start`, and with its modules
/// in one. An error when it is no managed runtime, does not start, or has modules that
/// cannot be in one.
pub async fn started(component: &[u8]) -> Result<Vec<u8>, StartError> {
    let failed = |error: wasmtime::Error| StartError(format!("{error:#}"));
    let started = match inspect(component) {
        Ok(World::ManagedRuntime) => segments::joined(component),
        Err(InspectError::NotStarted) => tokio::time::timeout(START_TIME, start(component))
            .await
            .map_err(|_| StartError(format!("it did not start in {} seconds", START_TIME.as_secs())))?,
        Ok(other) => return Err(StartError(format!("it is a component of the world {}", other.name()))),
        Err(error) => return Err(StartError(error.to_string())),
    };
    started.and_then(|started| merged::merged(&started)).map_err(failed)
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

async fn start(bytes: &[u8]) -> wasmtime::Result<Vec<u8>> {
    let mut config = wasmtime::Config::new();
    config.max_wasm_stack(16 << 20).async_stack_size(17 << 20).concurrency_support(false);
    let engine = Engine::new(&config)?;
    let mut wizer = Wizer::new();
    // Taken out, it would be missing where the component's own export leads to it.
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
    renamed(instrumented::snapshot(&wizer, &context, &mut store, instance).await?)
}

/// Gives the export `start` the name that says that it was run.
fn renamed(mut component: Vec<u8>) -> wasmtime::Result<Vec<u8>> {
    let at = export_at(&component, START)?;
    let name = at.and_then(|at| component.get_mut(at..at + START.len()));
    let name = name.ok_or_else(|| wasmtime::Error::msg("the snapshot has no export `start`"))?;
    name.copy_from_slice(STARTED.as_bytes());
    Ok(component)
}

/// Where the name of this export of a component stands in its bytes.
fn export_at(component: &[u8], name: &str) -> wasmtime::Result<Option<usize>> {
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section.into_iter_with_offsets() {
                    let (offset, export) = export?;
                    if export.name.name == name {
                        // Behind the kind of name and its length, of one byte each.
                        return Ok(Some(offset + 2));
                    }
                }
            }
            _ => {}
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_is_found_by_its_name() {
        let component = wat::parse_str(
            r#"(component
                (core module $m (func (export "start")) (func (export "other")))
                (core instance $i (instantiate $m))
                (func $start (canon lift (core func $i "start")))
                (func $other (canon lift (core func $i "other")))
                (export "other" (func $other))
                (export "start" (func $start)))"#,
        )
        .unwrap();
        let at = export_at(&component, START).unwrap().unwrap();
        assert_eq!(component[at..at + 5], *b"start");
        let renamed = renamed(component).unwrap();
        assert_eq!(export_at(&renamed, START).unwrap(), None);
        assert_eq!(export_at(&renamed, STARTED).unwrap(), Some(at));
        assert!(wasmparser::Validator::new().validate_all(&renamed).is_ok());
        assert_eq!(START.len(), STARTED.len());
    }

    #[tokio::test]
    async fn what_is_no_runtime_is_not_started() {
        for component in [&b"\0asm\x0d\0\x01\0"[..], b"text", b""] {
            assert!(started(component).await.is_err());
        }
    }
}
