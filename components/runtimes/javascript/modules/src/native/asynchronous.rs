//! The frame of AsyncLocalStorage across `await` and `then`.
//!
//! With the engine's patch, a promise's hook is called for each reaction: with a token
//! when it is made (Init), and with the same token before and after it runs. The token
//! keeps the frame of the first. An engine without the patch tells of promises alone,
//! which says too little: then frames end at the first `await`.

use std::{ffi::c_void, ptr::NonNull};

use rquickjs::{Ctx, JsLifetime, Object, Result, Value, qjs};

/// Where a token keeps its frame, and the frame that it replaces while it runs.
const FRAME: &str = "frame";
const BEFORE: &str = "before";

/// The sources' `state`, whose `frame` is the current one.
struct State<'js>(Object<'js>);

// JUSTIFICATION: as with `Modules`.
// SAFETY: the one field has the lifetime 'js, and `Changed` is the same type with it
// replaced.
unsafe impl<'js> JsLifetime<'js> for State<'js> {
    type Changed<'to> = State<'to>;
}

pub fn fill(group: &Object<'_>) -> Result<()> {
    super::functions!(group,
        "enable" => enable,
    )
}

/// From here on frames follow reactions. Promises cost a call more each, and so this
/// waits until somebody asks for AsyncLocalStorage.
fn enable<'js>(ctx: Ctx<'js>, state: Object<'js>) {
    let _ = ctx.store_userdata(State(state));
    let raw = ctx.as_raw().as_ptr();
    // JUSTIFICATION: rquickjs sets hooks by its `Runtime`, which nobody can reach while
    // JavaScript runs.
    // SAFETY: the context lives, and with it its runtime; the hook is a function and
    // needs no data.
    unsafe { qjs::JS_SetPromiseHook(qjs::JS_GetRuntime(raw), Some(hook), std::ptr::null_mut()) };
}

unsafe extern "C" fn hook(
    ctx: *mut qjs::JSContext,
    kind: qjs::JSPromiseHookType,
    token: qjs::JSValue,
    _parent: qjs::JSValue,
    _data: *mut c_void,
) {
    let Some(ctx) = NonNull::new(ctx) else { return };
    // JUSTIFICATION: the engine calls with its own pointers.
    // SAFETY: the context is the one that runs, and the value lives during the call; it
    // is counted once more, for the `Value` that lets go of it.
    let (ctx, token) = unsafe {
        let ctx = Ctx::from_raw(ctx);
        let token = Value::from_raw(ctx.clone(), qjs::JS_DupValue(ctx.as_raw().as_ptr(), token));
        (ctx, token)
    };
    // What cannot be kept is lost: there is nobody to tell.
    let _ = follow(&ctx, kind, &token);
}

fn follow<'js>(ctx: &Ctx<'js>, kind: qjs::JSPromiseHookType, token: &Value<'js>) -> Result<()> {
    if token.is_promise() {
        return Ok(());
    }
    let Some(token) = token.as_object() else { return Ok(()) };
    let Some(state) = ctx.userdata::<State>().map(|state| state.0.clone()) else { return Ok(()) };
    match kind {
        qjs::JSPromiseHookType_JS_PROMISE_HOOK_INIT => {
            let frame: Value = state.get(FRAME)?;
            if frame.is_undefined() { Ok(()) } else { token.set(FRAME, frame) }
        }
        qjs::JSPromiseHookType_JS_PROMISE_HOOK_BEFORE => {
            token.set(BEFORE, state.get::<_, Value>(FRAME)?)?;
            state.set(FRAME, token.get::<_, Value>(FRAME)?)
        }
        qjs::JSPromiseHookType_JS_PROMISE_HOOK_AFTER => state.set(FRAME, token.get::<_, Value>(BEFORE)?),
        _ => Ok(()),
    }
}
