//! What a component does before its handler can be called: a managed runtime loads the
//! handler, another may have an `init`; and what both do around a snapshot.

use wasmtime::Store;
use wasmtime::component::{Component, ComponentExportIndex, Instance};

use crate::bindings::types::FunctionError;
use crate::ctx::Ctx;

/// The interface that a function's own component may export (`wit/lifecycle.wit`).
const INTERFACE: &str = "lamina:function/lifecycle@0.1.0";

/// Where the functions are.
pub(crate) struct Lifecycle {
    init: Init,
    before_snapshot: ComponentExportIndex,
    after_restore: ComponentExportIndex,
}

enum Init {
    /// A managed runtime's `preload`, which is given the handler's name.
    Preload(ComponentExportIndex),
    Init(ComponentExportIndex),
}

/// What the component itself says, within what the engine does.
type Said = wasmtime::Result<Result<(), FunctionError>>;

impl Lifecycle {
    /// Of a component, if it has one; a managed runtime has.
    pub(crate) fn of(component: &Component, is_managed: bool) -> Option<Self> {
        let inside = match is_managed {
            true => None,
            false => Some(component.get_export_index(None, INTERFACE)?),
        };
        let find = |name: &str| component.get_export_index(inside.as_ref(), name);
        let init = match is_managed {
            true => Init::Preload(find("preload")?),
            false => Init::Init(find("init")?),
        };
        Some(Self { init, before_snapshot: find("before-snapshot")?, after_restore: find("after-restore")? })
    }

    /// Makes a fresh instance ready to serve.
    pub(crate) async fn init(&self, store: &mut Store<Ctx>, instance: &Instance, handler: &str) -> Said {
        match &self.init {
            Init::Preload(preload) => {
                let preload =
                    instance.get_typed_func::<(&str,), (Result<(), FunctionError>,)>(&mut *store, *preload)?;
                Ok(preload.call_async(store, (handler,)).await?.0)
            }
            Init::Init(init) => call(store, instance, init).await,
        }
    }

    /// Makes an instance that is ready ready for its snapshot.
    pub(crate) async fn before_snapshot(&self, store: &mut Store<Ctx>, instance: &Instance) -> Said {
        call(store, instance, &self.before_snapshot).await
    }

    /// Makes an instance of a snapshot ready to serve.
    pub(crate) async fn after_restore(&self, store: &mut Store<Ctx>, instance: &Instance) -> Said {
        call(store, instance, &self.after_restore).await
    }
}

async fn call(store: &mut Store<Ctx>, instance: &Instance, function: &ComponentExportIndex) -> Said {
    let function = instance.get_typed_func::<(), (Result<(), FunctionError>,)>(&mut *store, *function)?;
    Ok(function.call_async(store, ()).await?.0)
}
