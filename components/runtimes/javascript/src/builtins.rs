//! Node's own modules and the globals, from the crate beside this one; `module` is ours.

use lamina_javascript_modules as modules;
use rquickjs::{Ctx, Function, Object, Result, TypedArray, Value};

use crate::engine::raw;
use crate::{host, realm};

/// Run while the engine starts, so that a snapshot holds them: what most handlers and
/// their libraries use.
const WARM: [&str; 10] =
    ["buffer", "events", "util", "path", "url", "process", "string_decoder", "stream", "querystring", "crypto"];

/// Whether a name, with or without `node:`, is one of Node's own.
pub(crate) fn is_known(name: &str) -> bool {
    name.strip_prefix("node:").unwrap_or(name) == "module" || modules::builtin(name).is_some()
}

/// The module of this name without `node:`, as `require` gives it.
pub(crate) fn value<'js>(ctx: &Ctx<'js>, name: &str) -> Result<Value<'js>> {
    if name == "module" {
        return realm::commonjs(ctx, "Module");
    }
    match modules::builtin(&format!("node:{name}")) {
        Some(builtin) => builtin.require(ctx),
        None => {
            Err(realm::throw_coded(ctx, "ERR_UNKNOWN_BUILTIN_MODULE", &format!("No such built-in module: node:{name}")))
        }
    }
}

/// Puts the globals in place, and hands in what the modules need of the engine.
pub(crate) fn install<'js>(ctx: &Ctx<'js>, timers: &Object<'js>, commonjs: &Object<'js>) -> Result<()> {
    modules::install(ctx)?;
    let given = modules::host(ctx)?;
    given.set("nextTick", timers.get::<_, Function<'js>>("nextTick")?)?;
    given.set("now", Function::new(ctx.clone(), host::monotonic_ms)?)?;
    given.set("began", Function::new(ctx.clone(), host::began)?)?;
    given.set("exit", Function::new(ctx.clone(), |code: Option<f64>| host::exit(code.unwrap_or_default() == 0.0))?)?;
    let write = |fd: u32, bytes: TypedArray<'js, u8>| host::write(fd == 2, &raw::bytes(&bytes));
    given.set("write", Function::new(ctx.clone(), write)?)?;
    let module: Object<'js> = commonjs.get("Module")?;
    given.set("createRequire", module.get::<_, Function<'js>>("createRequire")?)
}

/// Compiles the modules, and runs the common ones.
pub(crate) fn warm(ctx: &Ctx<'_>) {
    for name in WARM.into_iter().filter(|name| is_known(name)) {
        if modules::warm(ctx, &[name]).is_err() {
            ctx.catch();
        }
    }
}

/// Lets go of the environment and the clocks' origins, which each instance has of its own.
pub(crate) fn seal(ctx: &Ctx<'_>) -> Result<()> {
    modules::seal(ctx)
}
