//! The engine: one runtime and one context, which an instance keeps to its end.

pub(crate) mod raw;

use std::cell::OnceCell;

use rquickjs::{CatchResultExt, Context, Ctx, Runtime};

use crate::loader::{Loading, Resolving};
use crate::{realm, run_loop};

/// Bytes of stack at which the engine throws a RangeError. The component has 8 MiB
/// (`build.rs`): what is over is for the frames of C and Rust between two checks.
const STACK_BYTES_MAX: usize = 4 << 20;
/// Bytes in use before cycles are looked for. An instance serves one call: most end
/// before their garbage matters, and a look touches every object.
const GARBAGE_BYTES: usize = 16 << 20;

struct Engine {
    context: Context,
    /// The context needs it to live.
    _runtime: Runtime,
}

thread_local! {
    static ENGINE: OnceCell<Result<Engine, String>> = const { OnceCell::new() };
}

/// Does something with the engine, which is made when there is none.
pub(crate) fn with<T>(act: impl FnOnce(&Ctx<'_>) -> T) -> Result<T, String> {
    ENGINE.with(|engine| match engine.get_or_init(make) {
        Ok(engine) => Ok(engine.context.with(|ctx| act(&ctx))),
        Err(error) => Err(error.clone()),
    })
}

fn make() -> Result<Engine, String> {
    let make = || {
        let runtime = Runtime::new()?;
        runtime.set_max_stack_size(STACK_BYTES_MAX);
        runtime.set_gc_threshold(GARBAGE_BYTES);
        runtime.set_loader(Resolving, Loading);
        runtime.set_host_promise_rejection_tracker(Some(Box::new(run_loop::rejected)));
        let context = Context::full(&runtime)?;
        Ok(Engine { context, _runtime: runtime })
    };
    let engine = make().map_err(|error: rquickjs::Error| error.to_string())?;
    engine
        .context
        .with(|ctx| realm::build(&ctx).catch(&ctx).map_err(|error| format!("the engine's start: {error}")))?;
    Ok(engine)
}
