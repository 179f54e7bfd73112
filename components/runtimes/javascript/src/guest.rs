//! The exports of the component.

use crate::bindings::lamina::function::response::ResponseWriter;
use crate::bindings::lamina::function::types::{Context, FunctionError};
use crate::bindings::{Guest, export};
use crate::engine;
use crate::handler::{self, Failure};
use crate::snapshot::{self, Room};
use crate::{builtins, loader, stream};

struct Component;

export!(Component with_types_in crate::bindings);

impl Guest for Component {
    fn preload(handler: String) -> Result<(), FunctionError> {
        with(|ctx| handler::preload(ctx, &handler))
    }

    fn handle(event: Vec<u8>, context: Context, response: ResponseWriter) -> Result<Option<Vec<u8>>, FunctionError> {
        stream::open(response);
        let answer = with(|ctx| handler::call::handle(ctx, event, &context));
        stream::close();
        answer
    }

    fn before_snapshot() -> Result<(), FunctionError> {
        with(|ctx| {
            handler::hooks(ctx, "runBefore")?;
            handler::seal(ctx)?;
            snapshot::let_go();
            snapshot::seal(ctx);
            Ok(())
        })
    }

    fn after_restore() -> Result<(), FunctionError> {
        with(|ctx| {
            handler::renew(ctx);
            match stream::is_hooked() {
                true => handler::hooks(ctx, "runAfter"),
                false => Ok(()),
            }
        })
    }

    fn derive(handler: String) -> Result<Vec<u8>, String> {
        engine::with(|ctx| loader::derive(ctx, &handler))?
    }

    fn start() {
        // What fails here fails again, and is told, when the first call comes.
        let room = Room::take();
        let _started = engine::with(|ctx| {
            builtins::warm(ctx);
            let _sealed = builtins::seal(ctx);
            room.open(ctx);
        });
        snapshot::let_go();
    }
}

fn with<T>(act: impl FnOnce(&rquickjs::Ctx<'_>) -> Result<T, Failure>) -> Result<T, FunctionError> {
    let done = engine::with(act).map_err(|error| Failure::new("Runtime.Unknown", error));
    done.and_then(|done| done).map_err(|failure| FunctionError {
        error_type: failure.kind,
        message: failure.message,
        stack_trace: failure.trace,
    })
}
