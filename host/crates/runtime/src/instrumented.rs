//! An instance of a component that was instrumented to tell what it holds in memory.

use wasmtime::Store;
use wasmtime::component::{Instance, Lift, WasmList};
use wasmtime_wizer::{ComponentContext, ComponentInstanceState, Wizer};

use crate::segments;

/// The component that begins where this instance is now.
pub(crate) async fn snapshot<T: Send>(
    wizer: &Wizer,
    context: &ComponentContext<'_>,
    store: &mut Store<T>,
    instance: Instance,
) -> wasmtime::Result<Vec<u8>> {
    let mut state = State { store, instance, failed: None };
    let snapshot = wizer.snapshot_component(context, &mut state).await?;
    match state.failed {
        Some(error) => Err(error),
        None => segments::joined(&snapshot),
    }
}

/// The instance that is asked what it holds, and the first thing that it did not
/// answer.
struct State<'s, T: 'static> {
    store: &'s mut Store<T>,
    instance: Instance,
    failed: Option<wasmtime::Error>,
}

impl<T: Send> State<'_, T> {
    async fn ask<R: Lift + Send + Sync + 'static>(&mut self, instance: &str, name: &str) -> Option<R> {
        let asked = async {
            let missing = || wasmtime::Error::msg(format!("{instance} of the instrumented component has no {name}"));
            let (_, inside) = self.instance.get_export(&mut *self.store, None, instance).ok_or_else(missing)?;
            let (_, index) = self.instance.get_export(&mut *self.store, Some(&inside), name).ok_or_else(missing)?;
            let function = self.instance.get_typed_func::<(), (R,)>(&mut *self.store, index)?;
            Ok(function.call_async(&mut *self.store, ()).await?.0)
        };
        let answer: wasmtime::Result<R> = asked.await;
        answer.map_err(|error| self.failed.get_or_insert(error)).ok()
    }
}

impl<T: Send> ComponentInstanceState for State<'_, T> {
    async fn call_func_ret_list_u8(&mut self, instance: &str, func: &str, contents: impl FnOnce(&[u8]) + Send) {
        if let Some(list) = self.ask::<WasmList<u8>>(instance, func).await {
            contents(list.as_le_slice(&*self.store));
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
