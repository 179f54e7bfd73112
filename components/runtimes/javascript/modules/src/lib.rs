//! Web APIs and Node's modules for functions in JavaScript.
//!
//! What users see is written in JavaScript (`js/`), what JavaScript cannot do or does
//! slowly in Rust (`src/native`). Nothing is made before it is used: a global is a
//! getter until its first use, a module is compiled and run when first asked for.
//! The engine may pay earlier, while it starts: see [`warm`].
//!
//! Not here: the module loader, `console`, timers, the event loop and the process's
//! end. The engine has them, and hands in by [`host`] what the modules need of them.

mod builtin;
mod native;
mod sources;

pub use builtin::{Builtin, LACKING, builtin};

use rquickjs::{Ctx, Function, JsLifetime, Object, Result};

/// What the bootstrap left: the functions that everything goes through.
struct Modules<'js> {
    /// `require(name)`, internal modules included.
    require: Function<'js>,
    /// `compile(name)`: compiles a module, without running it.
    compile: Function<'js>,
    /// `seal()`: see [`seal`].
    seal: Function<'js>,
    /// See [`host`].
    host: Object<'js>,
}

// JUSTIFICATION: user data of the engine must say how its lifetime changes; the derive
// would bring a crate of macros.
// SAFETY: all fields have the one lifetime 'js, and `Changed` is the same type with it
// replaced.
unsafe impl<'js> JsLifetime<'js> for Modules<'js> {
    type Changed<'to> = Modules<'to>;
}

/// Puts the globals in place, each as a getter until its first use.
///
/// The engine's own globals (`setTimeout`, `setInterval`, `setImmediate`, their
/// `clear...`, `console`) are there before; the timers get a wrapper that keeps the
/// values of AsyncLocalStorage.
pub fn install(ctx: &Ctx<'_>) -> Result<()> {
    let bootstrap: Function = sources::compile(ctx, "bootstrap")?;
    let natives = Function::new(ctx.clone(), native::group)?;
    let compile = Function::new(ctx.clone(), sources::compile_module)?;
    let parts: Object = bootstrap.call((natives, compile, ctx.globals()))?;
    let modules = Modules {
        require: parts.get("require")?,
        compile: parts.get("compile")?,
        seal: parts.get("seal")?,
        host: parts.get("host")?,
    };
    // Fails only while the data is borrowed, which nothing does before this.
    let _ = ctx.store_userdata(modules);
    Ok(())
}

/// The object on which the engine sets what the modules use of it. Each has a plain
/// stand-in, so that none must be set:
///
/// | name | what |
/// | --- | --- |
/// | `exit(code)` | ends the invocation's instance |
/// | `nextTick(callback, ...args)` | `process.nextTick` |
/// | `write(fd, bytes)` | takes a `Uint8Array` for standard output (1) or error (2) |
/// | `now()` | milliseconds of the monotonic clock, a number |
/// | `began()` | when the instance began, by that clock: both or neither |
/// | `createRequire(path)` | `module.createRequire`: the `require` of a file |
pub fn host<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    Ok(modules(ctx)?.host.clone())
}

/// Compiles every module, and runs those named, so that a snapshot holds them.
pub fn warm(ctx: &Ctx<'_>, run: &[&str]) -> Result<()> {
    let (require, compile) = {
        let modules = modules(ctx)?;
        (modules.require.clone(), modules.compile.clone())
    };
    for name in sources::names() {
        compile.call::<_, ()>((name,))?;
    }
    for name in run {
        require.call::<_, rquickjs::Value>((*name,))?;
    }
    Ok(())
}

/// Lets go of what each instance has of its own: the environment and the origin of its
/// clocks. To be called before a snapshot; both are taken anew when they are used next,
/// `process.env` with what the C library knows then, the clocks' origin from the host's
/// `began()`.
pub fn seal(ctx: &Ctx<'_>) -> Result<()> {
    let seal = modules(ctx)?.seal.clone();
    seal.call(())
}

/// What an internal or public module exports.
pub(crate) fn require<'js>(ctx: &Ctx<'js>, name: &str) -> Result<rquickjs::Value<'js>> {
    let require = modules(ctx)?.require.clone();
    require.call((name,))
}

fn modules<'a, 'js>(ctx: &'a Ctx<'js>) -> Result<rquickjs::runtime::UserDataGuard<'a, Modules<'js>>> {
    ctx.userdata::<Modules>()
        .ok_or_else(|| rquickjs::Exception::throw_internal(ctx, "the modules are used before they are installed"))
}
