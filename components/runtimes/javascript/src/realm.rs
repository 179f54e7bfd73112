//! The part of the runtime that is written in JavaScript: where it is kept and how Rust
//! calls it.

use std::cell::RefCell;

use rquickjs::function::{Args, IntoArgs};
use rquickjs::{Ctx, Error, FromJs, Function, Object, Persistent, Promise, Result, Value};

use crate::engine::raw;
use crate::handler::call;
use crate::{host, loader, run_loop, source_map, stream};

type Kept = Persistent<Object<'static>>;

/// What the scripts answered.
#[derive(Clone)]
struct Realm {
    /// `invoke` of `invoke.js`.
    call: Persistent<Function<'static>>,
    timers: Kept,
    commonjs: Kept,
    invoke: Kept,
    stream: Kept,
    /// `json`, `level`, `requestId`: what log lines look like.
    settings: Kept,
}

thread_local! {
    static REALM: RefCell<Option<Realm>> = const { RefCell::new(None) };
}

/// Makes globals and helpers. No file, no environment: it may be snapshotted.
pub(crate) fn build<'js>(ctx: &Ctx<'js>) -> Result<()> {
    let settings = Object::new(ctx.clone())?;
    settings.set("json", false)?;
    settings.set("level", 0)?;
    let timers: Object<'js> = script(ctx, "timers", include_str!("js/timers.js"))?.call((run_loop::natives(ctx)?,))?;
    for global in timers.get::<_, Object<'_>>("globals")?.props::<String, Value<'_>>() {
        let (name, value) = global?;
        define(ctx, &name, value)?;
    }
    let commonjs: Object<'js> =
        script(ctx, "commonjs", include_str!("js/commonjs.js"))?.call((loader::natives(ctx)?,))?;
    let console: Object<'_> = script(ctx, "console", include_str!("js/console.js"))?.call((
        log_natives(ctx)?,
        settings.clone(),
        Function::new(ctx.clone(), builtin)?,
    ))?;
    define(ctx, "console", console.clone().into_value())?;
    crate::builtins::install(ctx, &timers, &commonjs)?;
    let builtin = Function::new(ctx.clone(), builtin)?;
    let stream: Object<'js> =
        script(ctx, "stream", include_str!("js/stream.js"))?.call((stream::natives(ctx)?, builtin))?;
    define(ctx, "awslambda", stream.get("awslambda")?)?;
    let invoke: Object<'js> = script(ctx, "invoke", include_str!("js/invoke.js"))?.call((
        call::natives(ctx)?,
        settings.clone(),
        console,
        stream.clone(),
    ))?;
    let keep = |object: Object<'js>| Persistent::save(ctx, object);
    let realm = Realm {
        call: Persistent::save(ctx, invoke.get::<_, Function<'js>>("invoke")?),
        timers: keep(timers),
        commonjs: keep(commonjs),
        invoke: keep(invoke),
        stream: keep(stream),
        settings: keep(settings),
    };
    REALM.set(Some(realm));
    Ok(())
}

fn builtin<'js>(ctx: Ctx<'js>, name: String) -> Result<Value<'js>> {
    crate::builtins::value(&ctx, &name)
}

/// A script of ours, which is a function in brackets.
fn script<'js>(ctx: &Ctx<'js>, name: &str, source: &str) -> Result<Function<'js>> {
    let compiled = raw::compile(ctx, source.as_bytes().to_vec(), &format!("node:internal/lamina/{name}"), 1)?;
    Function::from_js(ctx, raw::run(ctx, compiled)?)
}

/// A global as the language's own are: not enumerable.
fn define<'js>(ctx: &Ctx<'js>, name: &str, value: Value<'js>) -> Result<()> {
    let property = rquickjs::object::Property::from(value).configurable().writable();
    ctx.globals().prop(name, property)
}

fn log_natives<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let natives = Object::new(ctx.clone())?;
    natives.set("log", Function::new(ctx.clone(), |text: String| host::log(&text))?)?;
    natives
        .set("write", Function::new(ctx.clone(), |error: bool, text: String| host::write(error, text.as_bytes()))?)?;
    natives.set("mapped", Function::new(ctx.clone(), |text: String| source_map::mapped(&text))?)?;
    natives.set("now", Function::new(ctx.clone(), host::monotonic_ms)?)?;
    Ok(natives)
}

fn part<'js>(ctx: &Ctx<'js>, part: impl FnOnce(&Realm) -> &Kept) -> Result<Object<'js>> {
    let kept = REALM.with_borrow(|realm| realm.as_ref().map(|realm| part(realm).clone()));
    kept.ok_or(Error::Unknown)?.restore(ctx)
}

/// What log lines look like.
pub(crate) fn settings<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    part(ctx, |realm| &realm.settings)
}

/// Calls the handler by `invoke` of `invoke.js`.
pub(crate) fn call<'js>(ctx: &Ctx<'js>, args: Args<'js>) -> Result<Value<'js>> {
    let call = REALM.with_borrow(|realm| realm.as_ref().map(|realm| realm.call.clone()));
    call.ok_or(Error::Unknown)?.restore(ctx)?.call_arg(args)
}

/// Calls one of `invoke.js`.
pub(crate) fn invoke<'js, A: IntoArgs<'js>, R: FromJs<'js>>(ctx: &Ctx<'js>, name: &str, args: A) -> Result<R> {
    let function: Function<'js> = part(ctx, |realm| &realm.invoke)?.get(name)?;
    function.call(args)
}

/// Starts the hooks of `stream.js`, where there are any.
pub(crate) fn hooks<'js>(ctx: &Ctx<'js>, which: &str) -> Result<Option<Promise<'js>>> {
    let function: Function<'js> = part(ctx, |realm| &realm.stream)?.get(which)?;
    function.call(())
}

/// Calls one of `timers.js`; `None` when it answers nothing.
pub(crate) fn timers<'js, A: IntoArgs<'js>, R: FromJs<'js>>(ctx: &Ctx<'js>, name: &str, args: A) -> Option<R> {
    let function: Function<'js> = part(ctx, |realm| &realm.timers).ok()?.get(name).ok()?;
    function.call::<_, Option<R>>(args).ok()?
}

/// One of the members of `commonjs.js`.
pub(crate) fn commonjs<'js>(ctx: &Ctx<'js>, name: &str) -> Result<Value<'js>> {
    part(ctx, |realm| &realm.commonjs)?.get(name)
}

/// What a CommonJS or JSON file exports, running it if it has not run.
pub(crate) fn load_file<'js>(ctx: &Ctx<'js>, path: &str) -> Result<Value<'js>> {
    let load: Function<'js> = part(ctx, |realm| &realm.commonjs)?.get("loadFile")?;
    load.call((path,))
}

/// Throws an error with a code, as Node's own are.
pub(crate) fn throw_coded(ctx: &Ctx<'_>, code: &str, message: &str) -> Error {
    let make = || {
        let coded: Function<'_> = part(ctx, |realm| &realm.commonjs)?.get("coded")?;
        coded.call::<_, Value<'_>>((code, message))
    };
    match make() {
        Ok(error) => ctx.throw(error),
        Err(error) => error,
    }
}

/// An error that nobody caught: its listeners, or the end.
pub(crate) fn uncaught<'js>(ctx: &Ctx<'js>, error: Value<'js>) {
    match invoke::<_, bool>(ctx, "uncaught", (error.clone(),)) {
        Ok(false) => {}
        Ok(true) => run_loop::end(ctx, error),
        // A listener threw.
        Err(_) => run_loop::end(ctx, ctx.catch()),
    }
}

/// A rejection that nobody handled: its listeners, or the end.
pub(crate) fn unhandled<'js>(ctx: &Ctx<'js>, reason: Value<'js>, promise: Value<'js>) {
    match invoke::<_, Value<'js>>(ctx, "unhandled", (reason, promise)) {
        Ok(error) if error.is_undefined() => {}
        Ok(error) => run_loop::end(ctx, error),
        Err(_) => run_loop::end(ctx, ctx.catch()),
    }
}
