//! What CommonJS asks of Rust, and `import.meta`.

use rquickjs::prelude::{Opt, This};
use rquickjs::promise::PromiseState;
use rquickjs::{Array, Ctx, Function, Module, Object, Result, Value};

use super::{files, format, resolve, source, with};
use crate::builtins;
use crate::engine::raw;
use crate::package::bundle::Code;
use crate::package::format::{self as formats, Format};
use crate::package::resolve::{Asked, Mode, Target, advice};
use crate::realm;

/// The function around a CommonJS module. Its line has number 0, the source begins at 1.
const HEAD: &[u8] = b"(function (exports, require, module, __filename, __dirname) {\n";
const TAIL: &[u8] = b"\n})";

/// The object that `commonjs.js` is given.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let natives = Object::new(ctx.clone())?;
    let set = |name: &str, function: Function<'js>| natives.set(name, function);
    set("resolve", Function::new(ctx.clone(), required)?)?;
    set("kind", Function::new(ctx.clone(), kind)?)?;
    set("compile", Function::new(ctx.clone(), compile)?)?;
    set("compileText", Function::new(ctx.clone(), compile_text)?)?;
    set("json", Function::new(ctx.clone(), json)?)?;
    set("importSync", Function::new(ctx.clone(), import_sync)?)?;
    set("builtin", Function::new(ctx.clone(), builtin)?)?;
    set("isBuiltin", Function::new(ctx.clone(), |name: String| builtins::is_known(&name))?)?;
    Ok(natives)
}

/// The target as text, or code and words of why there is none, and what to do about it.
fn required<'js>(ctx: Ctx<'js>, specifier: String, from: String) -> Result<Value<'js>> {
    let found = resolve(Asked { specifier: &specifier, from: &from, mode: Mode::Require });
    let text = |text: &str| Ok(rquickjs::String::from_str(ctx.clone(), text)?.into_value());
    match found {
        Ok(Target::File(path)) => text(&path),
        Ok(Target::Builtin(name)) => text(&format!("node:{name}")),
        Err(missing) => {
            let pair = Array::new(ctx.clone())?;
            pair.set(0, missing.code)?;
            pair.set(1, missing.message)?;
            pair.set(2, advice(&specifier))?;
            Ok(pair.into_value())
        }
    }
}

fn kind(ctx: Ctx<'_>, path: String) -> Result<u32> {
    Ok(match format(&ctx, &path)? {
        None | Some(Format::CommonJs) => 0,
        Some(Format::Module) => 1,
        Some(Format::Json) => 2,
        Some(Format::Addon) => 3,
    })
}

/// A source within the function around it.
pub(super) fn wrapped(source: &[u8]) -> Vec<u8> {
    let mut wrapped = Vec::with_capacity(HEAD.len() + source.len() + TAIL.len());
    wrapped.extend_from_slice(HEAD);
    wrapped.extend_from_slice(source);
    if source.starts_with(b"#!") {
        wrapped[HEAD.len()..HEAD.len() + 2].copy_from_slice(b"//");
    }
    wrapped.extend_from_slice(TAIL);
    wrapped
}

/// The function around a CommonJS module; undefined where the file is an ES module.
fn compile<'js>(ctx: Ctx<'js>, path: String) -> Result<Value<'js>> {
    let bundled = with(|packages| packages.bundle).and_then(|bundle| bundle.find(&path));
    if let Some(found) = bundled.filter(|found| found.code == Code::CommonJs) {
        let script = raw::read_script(&ctx, found)?;
        return raw::run(&ctx, script);
    }
    let source = source(&ctx, &path)?;
    let compiled = raw::compile(&ctx, wrapped(&source), &path, 0);
    let said = format(&ctx, &path)?.is_some();
    match compiled {
        Ok(script) => raw::run(&ctx, script),
        Err(_) if !said && formats::by_text(&source).0 == Format::Module => {
            ctx.catch();
            Ok(Value::new_undefined(ctx))
        }
        Err(error) => Err(error),
    }
}

fn compile_text<'js>(ctx: Ctx<'js>, source: String, path: String) -> Result<Value<'js>> {
    let script = raw::compile(&ctx, wrapped(source.as_bytes()), &path, 0)?;
    raw::run(&ctx, script)
}

fn json<'js>(ctx: Ctx<'js>, path: String) -> Result<Value<'js>> {
    let bundled = with(|packages| packages.bundle).and_then(|bundle| bundle.find(&path));
    match bundled.filter(|found| found.code == Code::Json) {
        Some(found) => ctx.json_parse(found.bytes),
        None => ctx.json_parse(source(&ctx, &path)?),
    }
}

/// What an ES module exports, now: one that waits at its top level cannot be required.
fn import_sync<'js>(ctx: Ctx<'js>, path: String) -> Result<Object<'js>> {
    let module = raw::load_module(&ctx, &files::to_url(&path))?;
    let promise = module.evaluate()?;
    match promise.state() {
        PromiseState::Resolved => module.namespace(),
        PromiseState::Rejected => {
            // Who requires it gets the error; it is not left unhandled.
            let nothing = Function::new(ctx.clone(), || {})?;
            promise.catch()?.call::<_, ()>((This(promise.clone()), nothing))?;
            match promise.result::<Value<'js>>() {
                Some(Err(error)) => Err(error),
                _ => module.namespace(),
            }
        }
        PromiseState::Pending => Err(realm::throw_coded(
            &ctx,
            "ERR_REQUIRE_ASYNC_MODULE",
            "require() cannot be used on an ESM graph with top-level await. Use import() instead.",
        )),
    }
}

fn builtin<'js>(ctx: Ctx<'js>, name: String) -> Result<Value<'js>> {
    builtins::value(&ctx, &name)
}

/// `import.meta` as Node fills it.
pub(super) fn meta<'js>(ctx: &Ctx<'js>, module: &Module<'js>, name: &str, path: &str) -> Result<()> {
    let meta = module.meta()?;
    meta.set("dirname", files::parent(path).unwrap_or("/"))?;
    meta.set("filename", path)?;
    let from = path.to_owned();
    let resolve = move |ctx: Ctx<'js>, specifier: String, _parent: Opt<Value<'js>>| -> Result<String> {
        match resolve(Asked { specifier: &specifier, from: &from, mode: Mode::Import }) {
            Ok(Target::Builtin(name)) => Ok(format!("node:{name}")),
            Ok(Target::File(path)) => Ok(files::to_url(&path)),
            Err(missing) => Err(realm::throw_coded(&ctx, missing.code, &missing.message)),
        }
    };
    meta.set("resolve", Function::new(ctx.clone(), resolve)?)?;
    meta.set("url", name)
}
