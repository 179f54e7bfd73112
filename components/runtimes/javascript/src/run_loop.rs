//! The event loop: ticks, promises, timers and immediates, in Node's order.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use rquickjs::{Ctx, Function, Object, Persistent, Result, Value};

use crate::engine::raw;
use crate::host;
use crate::realm;

/// Rejections nobody has handled yet; more than this are not told apart.
const UNHANDLED_MAX: usize = 1024;

type Rejection = (Persistent<Value<'static>>, Persistent<Value<'static>>);

thread_local! {
    static TICKED: Cell<bool> = const { Cell::new(false) };
    static UNHANDLED: RefCell<Vec<Rejection>> = const { RefCell::new(Vec::new()) };
    /// What ended the program: nothing runs after it.
    static FATAL: RefCell<Option<Persistent<Value<'static>>>> = const { RefCell::new(None) };
}

/// What a turn of the loop came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Turn {
    Worked,
    /// Nothing is left that could ever run.
    Empty,
}

/// The object that `timers.js` is given.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let natives = Object::new(ctx.clone())?;
    natives.set("now", Function::new(ctx.clone(), host::monotonic_ms)?)?;
    natives.set("ticked", Function::new(ctx.clone(), || TICKED.set(true))?)?;
    Ok(natives)
}

/// The engine says that a promise was rejected without a handler, or got one after all.
pub(crate) fn rejected<'js>(ctx: Ctx<'js>, promise: Value<'js>, reason: Value<'js>, handled: bool) {
    UNHANDLED.with_borrow_mut(|unhandled| {
        if !handled {
            if unhandled.len() < UNHANDLED_MAX {
                unhandled.push((Persistent::save(&ctx, promise), Persistent::save(&ctx, reason)));
            }
            return;
        }
        unhandled.retain(|(known, _)| known.clone().restore(&ctx).is_ok_and(|known| known != promise));
    });
}

/// Ends the program with this error.
pub(crate) fn end<'js>(ctx: &Ctx<'js>, error: Value<'js>) {
    FATAL.with_borrow_mut(|fatal| {
        fatal.get_or_insert_with(|| Persistent::save(ctx, error));
    });
}

/// What ended the program, once.
pub(crate) fn fatal<'js>(ctx: &Ctx<'js>) -> Option<Value<'js>> {
    let fatal = FATAL.with_borrow_mut(Option::take)?;
    fatal.restore(ctx).ok()
}

fn ended() -> bool {
    FATAL.with_borrow(Option::is_some)
}

/// Runs a callback; what it throws is nobody's.
fn call<'js>(ctx: &Ctx<'js>, callback: &Function<'js>) {
    if callback.call::<_, Value<'js>>(()).is_err() {
        let error = ctx.catch();
        realm::uncaught(ctx, error);
    }
}

/// Runs ticks and promises until there are none.
pub(crate) fn drain(ctx: &Ctx<'_>) {
    loop {
        while TICKED.replace(false) {
            while let Some(tick) = realm::timers(ctx, "takeTick", ()) {
                call(ctx, &tick);
                if ended() {
                    return;
                }
            }
        }
        while ctx.execute_pending_job() {
            if ended() {
                return;
            }
        }
        if TICKED.get() {
            continue;
        }
        let unhandled = UNHANDLED.take();
        if unhandled.is_empty() {
            return;
        }
        for (promise, reason) in unhandled {
            if let (Ok(promise), Ok(reason)) = (promise.restore(ctx), reason.restore(ctx)) {
                realm::unhandled(ctx, reason, promise);
            }
        }
        if ended() {
            return;
        }
    }
}

/// One turn: what is due, after a sleep if nothing is yet.
pub(crate) fn turn(ctx: &Ctx<'_>) -> Turn {
    drain(ctx);
    if ended() {
        return Turn::Empty;
    }
    let Some(next) = realm::timers::<_, f64>(ctx, "next", ()) else { return Turn::Empty };
    let now = host::monotonic_ms();
    if next > now {
        host::sleep(Duration::from_secs_f64((next - now) / 1e3));
    }
    let now = host::monotonic_ms();
    while let Some(timer) = realm::timers::<_, Function<'_>>(ctx, "takeTimer", (now,)) {
        call(ctx, &timer);
        drain(ctx);
        if ended() {
            return Turn::Empty;
        }
    }
    let immediates = realm::timers::<_, Vec<Function<'_>>>(ctx, "takeImmediates", ()).unwrap_or_default();
    for immediate in immediates {
        call(ctx, &immediate);
        drain(ctx);
        if ended() {
            return Turn::Empty;
        }
    }
    Turn::Worked
}

/// Marks a promise as handled: who holds it looks at how it ends.
pub(crate) fn handled<'js>(ctx: &Ctx<'js>, promise: &rquickjs::Promise<'js>) {
    raw::handled(ctx, promise);
    // It may have been rejected before.
    if UNHANDLED.with_borrow(|unhandled| !unhandled.is_empty()) {
        rejected(ctx.clone(), promise.clone().into_value(), Value::new_undefined(ctx.clone()), true);
    }
}
