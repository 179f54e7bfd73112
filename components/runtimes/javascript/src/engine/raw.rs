//! What rquickjs has no safe form for: scripts compiled without being run, bytecode,
//! and the functions that our patch adds to the engine.
//!
//! JUSTIFICATION: CommonJS wants sloppy functions, which rquickjs compiles only by
//! running them; a bundle is bytecode, which only C can read; and a snapshot freezes
//! the engine's seed.

use std::ffi::{CString, c_char, c_int};
use std::ptr::NonNull;

use crate::package::bundle::Found;
use rquickjs::{Ctx, Error, Module, Object, Promise, Result, TypedArray, Value, qjs};

unsafe extern "C" {
    fn lamina_handled(ctx: *mut qjs::JSContext, promise: qjs::JSValue);
    fn lamina_load_module(ctx: *mut qjs::JSContext, base: *const c_char, name: *const c_char) -> *mut qjs::JSModuleDef;
    fn lamina_read_later(later: bool);
    fn lamina_seal(rt: *mut qjs::JSRuntime);
    fn lamina_seed_random(ctx: *mut qjs::JSContext, seed: u64);
}

/// `Math.random` from a new seed.
pub(crate) fn seed_random(ctx: &Ctx<'_>, seed: u64) {
    // SAFETY: the context is alive as long as `ctx`; the function sets a number in it.
    unsafe { lamina_seed_random(ctx.as_raw().as_ptr(), seed) }
}

/// The engine does not say of this promise that nobody handles its rejection.
pub(crate) fn handled<'js>(ctx: &Ctx<'js>, promise: &Promise<'js>) {
    // SAFETY: the value is of this context; the function sets a flag in it, where it is
    // a promise, and takes no reference.
    unsafe { lamina_handled(ctx.as_raw().as_ptr(), promise.as_value().as_raw()) }
}

/// What there is stays for ever, and what the engine allocates from now on lies apart
/// from it.
pub(crate) fn seal(ctx: &Ctx<'_>) {
    // SAFETY: the runtime is alive as long as its context.
    unsafe { lamina_seal(qjs::JS_GetRuntime(ctx.as_raw().as_ptr())) }
}

/// Compiles a sloppy script without running it. Its first line has this number.
pub(crate) fn compile<'js>(ctx: &Ctx<'js>, source: Vec<u8>, file: &str, line: i32) -> Result<Value<'js>> {
    let length = source.len();
    let source = CString::new(source)?;
    let file = CString::new(file)?;
    let mut options = qjs::JSEvalOptions {
        version: qjs::JS_EVAL_OPTIONS_VERSION as c_int,
        eval_flags: (qjs::JS_EVAL_TYPE_GLOBAL | qjs::JS_EVAL_FLAG_COMPILE_ONLY) as c_int,
        filename: file.as_ptr(),
        line_num: line,
    };
    // SAFETY: both texts end in NUL and live until after the call, which copies them.
    let value = unsafe { qjs::JS_Eval2(ctx.as_raw().as_ptr(), source.as_ptr(), length as _, &mut options) };
    owned(ctx, value)
}

/// Runs what `compile` or `read_script` gave.
pub(crate) fn run<'js>(ctx: &Ctx<'js>, script: Value<'js>) -> Result<Value<'js>> {
    let context = ctx.as_raw().as_ptr();
    // SAFETY: the call takes one reference, which is made for it here.
    let value = unsafe {
        let raw = qjs::JS_DupValue(context, script.as_raw());
        qjs::JS_EvalFunction(context, raw)
    };
    owned(ctx, value)
}

/// The bytecode of a script, without its source but with its lines.
pub(crate) fn write_script<'js>(ctx: &Ctx<'js>, script: &Value<'js>) -> Result<Vec<u8>> {
    let context = ctx.as_raw().as_ptr();
    let mut length = 0;
    let flags = (qjs::JS_WRITE_OBJ_BYTECODE | qjs::JS_WRITE_OBJ_STRIP_SOURCE) as c_int;
    // SAFETY: the engine answers a buffer of its own of this length, or none; it is
    // copied before it is given back.
    unsafe {
        let buffer = qjs::JS_WriteObject(context, &mut length, script.as_raw(), flags);
        let Some(buffer) = NonNull::new(buffer) else { return Err(Error::Exception) };
        let bytes = std::slice::from_raw_parts(buffer.as_ptr(), length as usize).to_vec();
        qjs::js_free(context, buffer.as_ptr().cast());
        Ok(bytes)
    }
}

/// The script of a CommonJS module in a bundle.
pub(crate) fn read_script<'js>(ctx: &Ctx<'js>, found: Found) -> Result<Value<'js>> {
    let flags = qjs::JS_READ_OBJ_BYTECODE as c_int;
    let bytes = found.bytes;
    // SAFETY: the engine reads within the slice. That it is bytecode of this very engine
    // say the bundle's tag and the host's seal, without which no bundle is handed in.
    let value = later(|| unsafe { qjs::JS_ReadObject(ctx.as_raw().as_ptr(), bytes.as_ptr(), bytes.len() as _, flags) });
    owned(ctx, value)
}

/// Reads a bundle, whose functions are read when they are first called: most never are.
fn later<T>(read: impl FnOnce() -> T) -> T {
    // SAFETY: it sets a flag. The bytes of a bundle are never given back.
    unsafe { lamina_read_later(true) };
    let answer = read();
    // SAFETY: as above.
    unsafe { lamina_read_later(false) };
    answer
}

/// An ES module in a bundle.
pub(crate) fn read_module<'js>(ctx: &Ctx<'js>, found: Found) -> Result<Module<'js>> {
    // SAFETY: as for scripts.
    later(|| unsafe { Module::load(ctx.clone(), found.bytes) })
}

/// A module whose imports are all loaded.
pub(crate) struct Linked<'js> {
    ctx: Ctx<'js>,
    module: NonNull<qjs::JSModuleDef>,
}

/// Loads a module by its name, with all it imports, through the loader; runs nothing.
pub(crate) fn load_module<'js>(ctx: &Ctx<'js>, name: &str) -> Result<Linked<'js>> {
    let name = CString::new(name)?;
    // SAFETY: both texts end in NUL and live until after the call.
    let module = unsafe { lamina_load_module(ctx.as_raw().as_ptr(), c"".as_ptr(), name.as_ptr()) };
    let module = NonNull::new(module).ok_or(Error::Exception)?;
    Ok(Linked { ctx: ctx.clone(), module })
}

impl<'js> Linked<'js> {
    /// Runs the module, unless it has run; the promise is settled when it has.
    pub(crate) fn evaluate(&self) -> Result<Promise<'js>> {
        let context = self.ctx.as_raw().as_ptr();
        // SAFETY: modules whose imports are loaded live as long as the context; the call
        // takes one reference, which is made for it here.
        let value = unsafe {
            let module = qjs::JS_MKPTR(qjs::JS_TAG_MODULE, self.module.as_ptr().cast());
            qjs::JS_EvalFunction(context, qjs::JS_DupValue(context, module))
        };
        Promise::from_value(owned(&self.ctx, value)?)
    }

    /// What the module exports.
    pub(crate) fn namespace(&self) -> Result<Object<'js>> {
        // SAFETY: as above; the engine answers a reference of our own.
        let value = unsafe { qjs::JS_GetModuleNamespace(self.ctx.as_raw().as_ptr(), self.module.as_ptr()) };
        Object::from_value(owned(&self.ctx, value)?)
    }
}

/// A copy of what is in an array of bytes.
pub(crate) fn bytes(array: &TypedArray<'_, u8>) -> Vec<u8> {
    // SAFETY: nothing of JavaScript runs, and so changes the buffer, until it is copied.
    unsafe { array.as_bytes() }.unwrap_or_default().to_vec()
}

/// A value that the engine answered: the caller's own, or an exception.
fn owned<'js>(ctx: &Ctx<'js>, value: qjs::JSValue) -> Result<Value<'js>> {
    // SAFETY: the value is of this context and its reference is ours.
    unsafe {
        if qjs::JS_IsException(value) {
            return Err(Error::Exception);
        }
        Ok(Value::from_raw(ctx.clone(), value))
    }
}
