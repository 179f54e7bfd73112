//! A function's handler: found, loaded and called.

pub(crate) mod call;
pub(crate) mod entry;

use std::cell::RefCell;

use rquickjs::promise::PromiseState;
use rquickjs::{Array, Ctx, Error, Function, Persistent, Promise, Result, Value};

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
/// version's, whose snapshot it is; the rest is let go of before one (`builtins::seal`).
pub(crate) fn renew(ctx: &Ctx<'_>) {
    raw::seed_random(ctx, host::random_u64());
    host::begin();
}

/// Lets go of what each instance has of its own, before a snapshot.
pub(crate) fn seal(ctx: &Ctx<'_>) -> std::result::Result<(), Failure> {
    crate::builtins::seal(ctx).map_err(|error| failure(ctx, error))
}

/// Loads the handler's module and finds the function in it.
pub(crate) fn preload(ctx: &Ctx<'_>, handler: &str) -> std::result::Result<(), Failure> {
    renew(ctx);
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
