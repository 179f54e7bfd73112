//! A function's handler: found, loaded and called.

pub(crate) mod entry;

use std::cell::RefCell;

use rquickjs::function::Rest;
use rquickjs::promise::PromiseState;
use rquickjs::{Array, Ctx, Error, Function, IntoJs as _, Object, Persistent, Promise, Result, Value};

use crate::bindings::lamina::function::types::Context;
use crate::engine::raw;
use crate::package::files;
use crate::package::format::Format;
use crate::run_loop::{self, Turn};
use crate::{host, loader, realm};

/// A failure as the caller is told.
#[derive(Debug, Default, Clone)]
pub(crate) struct Failure {
    pub(crate) kind: String,
    pub(crate) message: String,
    pub(crate) trace: Vec<String>,
}

impl Failure {
    /// One that has no JavaScript error behind it.
    pub(crate) fn new(kind: &str, message: impl Into<String>) -> Self {
        Self { kind: kind.to_owned(), message: message.into(), trace: Vec::new() }
    }
}

thread_local! {
    static HANDLER: RefCell<Option<Persistent<Function<'static>>>> = const { RefCell::new(None) };
}

/// What the environment says about the log, the release of Node and where packages are.
fn settle(ctx: &Ctx<'_>) -> Result<()> {
    let environment = host::environment();
    let of = |name: &str| environment.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    if let Some(paths) = of("NODE_PATH").filter(|paths| !paths.is_empty()) {
        loader::use_paths(paths);
    }
    let settings = realm::settings(ctx)?;
    settings.set("json", of("AWS_LAMBDA_LOG_FORMAT").is_some_and(|format| format.eq_ignore_ascii_case("json")))?;
    let level = match of("AWS_LAMBDA_LOG_LEVEL").unwrap_or_default().to_ascii_uppercase().as_str() {
        "DEBUG" => 2,
        "INFO" => 3,
        "WARN" => 4,
        "ERROR" => 5,
        "FATAL" => 6,
        _ => 1,
    };
    settings.set("level", level)?;
    settings.set("node", node(of("AWS_EXECUTION_ENV").unwrap_or_default()))
}

/// The major release of Node that a runtime's name stands for.
fn node(environment: &str) -> u32 {
    let digits = environment.rsplit("nodejs").next().unwrap_or_default().split('.').next().unwrap_or_default();
    digits.parse().unwrap_or(22)
}

/// Takes anew what a snapshot froze. What `settle` takes of the environment is the
/// version's, whose snapshot it is.
pub(crate) fn renew(ctx: &Ctx<'_>) -> std::result::Result<(), Failure> {
    raw::seed_random(ctx, host::random_u64());
    crate::builtins::renew(ctx).map_err(|error| failure(ctx, error))
}

/// Loads the handler's module and finds the function in it.
pub(crate) fn preload(ctx: &Ctx<'_>, handler: &str) -> std::result::Result<(), Failure> {
    renew(ctx)?;
    settle(ctx).map_err(|error| failure(ctx, error))?;
    if let Some(bundle) = host::bundle() {
        loader::use_bundle(bundle);
    }
    match load(ctx, handler) {
        Ok(function) => {
            HANDLER.set(Some(Persistent::save(ctx, function)));
            Ok(())
        }
        Err(Loading::Named(failed)) => {
            let error = realm::invoke::<_, Value<'_>>(ctx, "failure", (failed.kind.clone(), failed.message.clone()));
            Err(error.map_or(failed, |error| reported(ctx, "Uncaught Exception", error)))
        }
        Err(Loading::Thrown(error)) => Err(uncaught(ctx, error)),
        Err(Loading::Fatal(error)) => Err(described(ctx, error)),
    }
}

/// Why a handler was not loaded.
enum Loading<'js> {
    /// By our own rules; `kind` without `Runtime.`.
    Named(Failure),
    Thrown(Value<'js>),
    /// Nobody caught it; the log has it already.
    Fatal(Value<'js>),
}

fn load<'js>(ctx: &Ctx<'js>, handler: &str) -> std::result::Result<Function<'js>, Loading<'js>> {
    let parts = entry::parts(handler).map_err(Loading::Named)?;
    let path = entry::find(handler).map_err(Loading::Named)?;
    let exported = exports(ctx, &path)?;
    let found = realm::invoke(ctx, "find", (exported, parts.function, handler));
    found.map_err(|error| Loading::Thrown(thrown(ctx, error)))
}

/// What the handler's file exports, when its top level is done.
fn exports<'js>(ctx: &Ctx<'js>, path: &str) -> std::result::Result<Value<'js>, Loading<'js>> {
    let load = || -> Result<(Promise<'js>, Value<'js>)> {
        match loader::format(ctx, path)? {
            Some(Format::Module) => {
                let module = raw::load_module(ctx, &files::to_url(path))?;
                let promise = module.evaluate()?;
                Ok((promise, module.namespace()?.into_value()))
            }
            _ => {
                let exported = realm::load_file(ctx, path)?;
                let (promise, resolve, _) = ctx.promise()?;
                resolve.call::<_, ()>(())?;
                Ok((promise, exported))
            }
        }
    };
    let named = |error: Value<'js>| match realm::invoke(ctx, "loadFailure", (error,)) {
        Ok(error) => Loading::Thrown(error),
        Err(error) => Loading::Thrown(thrown(ctx, error)),
    };
    let (promise, exported) = load().map_err(|error| named(thrown(ctx, error)))?;
    match settled(ctx, &promise) {
        Settled::Resolved => Ok(exported),
        Settled::Rejected(error) => Err(named(error)),
        Settled::Fatal(error) => Err(Loading::Fatal(error)),
        // Node ends with status 13 here.
        Settled::Never => Err(Loading::Named(Failure::new(
            "ExitError",
            "the handler's module waits at its top level for what never comes",
        ))),
    }
}

/// How a promise that the runtime itself waits for ended.
enum Settled<'js> {
    Resolved,
    Rejected(Value<'js>),
    /// The program ended before; the log has it already.
    Fatal(Value<'js>),
    Never,
}

/// Runs the loop until a promise is settled. Its rejection is the caller's to report.
fn settled<'js>(ctx: &Ctx<'js>, promise: &Promise<'js>) -> Settled<'js> {
    run_loop::handled(ctx, promise);
    loop {
        run_loop::drain(ctx);
        if let Some(error) = run_loop::fatal(ctx) {
            return Settled::Fatal(error);
        }
        match promise.result::<Value<'js>>() {
            Some(Ok(_)) => return Settled::Resolved,
            Some(Err(error)) => return Settled::Rejected(thrown(ctx, error)),
            None if run_loop::turn(ctx) == Turn::Empty && promise.state() == PromiseState::Pending => {
                return run_loop::fatal(ctx).map_or(Settled::Never, Settled::Fatal);
            }
            None => {}
        }
    }
}

/// Runs the hooks before a snapshot or after a restore, `runBefore` or `runAfter`.
pub(crate) fn hooks<'js>(ctx: &Ctx<'js>, which: &str) -> std::result::Result<(), Failure> {
    let started = realm::hooks(ctx, which).map_err(|error| failure(ctx, error))?;
    let Some(promise) = started else { return Ok(()) };
    match settled(ctx, &promise) {
        Settled::Resolved => Ok(()),
        Settled::Rejected(error) => Err(uncaught(ctx, error)),
        Settled::Fatal(error) => Err(described(ctx, error)),
        Settled::Never => Err(Failure::new("Runtime.ExitError", "a hook waits for what never comes")),
    }
}

/// Calls the handler; `None` when it streamed its answer.
pub(crate) fn handle(
    ctx: &Ctx<'_>,
    event: Vec<u8>,
    context: &Context,
) -> std::result::Result<Option<Vec<u8>>, Failure> {
    let state = begin(ctx, event, context).map_err(|error| uncaught(ctx, thrown(ctx, error)))?;
    let is = |name: &str| state.get::<_, bool>(name).unwrap_or_default();
    run_loop::drain(ctx);
    loop {
        if let Some(error) = run_loop::fatal(ctx) {
            return Err(described(ctx, error));
        }
        let settled = is("settled");
        if settled && !is("drains") {
            break;
        }
        if run_loop::turn(ctx) == Turn::Empty {
            if let Some(error) = run_loop::fatal(ctx) {
                return Err(described(ctx, error));
            }
            break;
        }
    }
    let value: Value<'_> = state.get("value").map_err(|error| failure(ctx, error))?;
    if is("failed") {
        return Err(reported(ctx, "Invoke Error", value));
    }
    if is("streamed") {
        return Ok(None);
    }
    match state.get::<_, Option<String>>("text") {
        Ok(Some(text)) => Ok(Some(text.into_bytes())),
        _ => answer(ctx, value).map(Some),
    }
}

/// What the handler is called with, and the state of the call.
fn begin<'js>(ctx: &Ctx<'js>, event: Vec<u8>, context: &Context) -> Result<Object<'js>> {
    let handler = HANDLER.with_borrow(Clone::clone).ok_or(Error::Unknown)?.restore(ctx)?;
    let settings = realm::settings(ctx)?;
    settings.set("requestId", context.request_id.as_str())?;
    let event = ctx.json_parse(event)?;
    let node: Value<'js> = settings.get("node")?;
    realm::invoke(ctx, "invoke", (handler, event, context.deadline_ms as f64, node, Rest(members(ctx, context)?)))
}

/// The members of the handler's context, in the order in which `invoke` takes them.
fn members<'js>(ctx: &Ctx<'js>, context: &Context) -> Result<Vec<Value<'js>>> {
    let text = |text: &str| text.into_js(ctx);
    let json = |text: &Option<String>| match text {
        Some(text) => ctx.json_parse(text.as_str()),
        None => Ok(Value::new_undefined(ctx.clone())),
    };
    Ok(vec![
        text(&context.function_version)?,
        text(&context.function_name)?,
        text(&context.memory_limit_in_mb.to_string())?,
        text(&context.log_group_name)?,
        text(&context.log_stream_name)?,
        json(&context.client_context)?,
        json(&context.identity)?,
        text(&context.invoked_function_arn)?,
        text(&context.request_id)?,
    ])
}

/// The bytes of a result.
fn answer<'js>(ctx: &Ctx<'js>, value: Value<'js>) -> std::result::Result<Vec<u8>, Failure> {
    if value.is_undefined() {
        return Ok(b"null".to_vec());
    }
    match ctx.json_stringify(value) {
        Ok(Some(text)) => text.to_string().map(String::into_bytes).map_err(|error| failure(ctx, error)),
        Ok(None) => Ok(b"null".to_vec()),
        Err(_) => {
            ctx.catch();
            Err(failure(ctx, rquickjs::Exception::throw_message(ctx, "Unable to stringify response body")))
        }
    }
}

/// The value behind an error of the engine.
fn thrown<'js>(ctx: &Ctx<'js>, error: Error) -> Value<'js> {
    let throw = error.is_exception();
    if !throw {
        let _thrown = rquickjs::Exception::throw_message(ctx, &error.to_string());
    }
    ctx.catch()
}

/// A failure by what was thrown.
fn described<'js>(ctx: &Ctx<'js>, error: Value<'js>) -> Failure {
    let parts = || {
        let parts: Array<'js> = realm::invoke(ctx, "described", (error,))?;
        Ok(Failure { kind: parts.get(0)?, message: parts.get(1)?, trace: parts.get(2)? })
    };
    match parts() {
        Ok(failure) => failure,
        Err(error) => {
            ctx.catch();
            Failure::new("Error", Error::to_string(&error))
        }
    }
}

/// As `described`, and the log says it too.
fn reported<'js>(ctx: &Ctx<'js>, label: &str, error: Value<'js>) -> Failure {
    if realm::invoke::<_, Value<'js>>(ctx, "report", (label, error.clone())).is_err() {
        ctx.catch();
    }
    described(ctx, error)
}

fn uncaught<'js>(ctx: &Ctx<'js>, error: Value<'js>) -> Failure {
    reported(ctx, "Uncaught Exception", error)
}

fn failure(ctx: &Ctx<'_>, error: Error) -> Failure {
    let error = thrown(ctx, error);
    described(ctx, error)
}
