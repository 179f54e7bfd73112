//! The JavaScript sources, and how they are compiled.

use rquickjs::{Ctx, Exception, Function, Result, context::EvalOptions};

/// A source: its name, whether users may ask for it, its text.
struct Source {
    name: &'static str,
    public: bool,
    text: &'static str,
}

macro_rules! sources {
    ($($public:literal $name:literal $file:literal,)*) => {
        const SOURCES: &[Source] = &[$(Source {
            name: $name,
            public: $public,
            text: include_str!(concat!("../js/", $file)),
        },)*];
    };
}

sources! {
    false "bootstrap" "bootstrap.js",
    true "buffer" "buffer.js",
    true "events" "events.js",
    false "internal/abort" "internal_abort.js",
    false "internal/buffer_methods" "internal_buffer_methods.js",
    false "internal/buffer_numbers" "internal_buffer_numbers.js",
    false "internal/clone" "internal_clone.js",
    false "internal/deep_equal" "internal_deep_equal.js",
    false "internal/emitter_resource" "internal_emitter_resource.js",
    false "internal/encoding" "internal_encoding.js",
    false "internal/errors" "internal_errors.js",
    false "internal/event_target" "internal_event_target.js",
    false "internal/format" "internal_format.js",
    false "internal/inspect" "internal_inspect.js",
    false "internal/parse_args" "internal_parse_args.js",
    false "internal/performance" "internal_performance.js",
    false "internal/url" "internal_url.js",
    true "path" "path.js",
    true "path/posix" "path_posix.js",
    true "path/win32" "path_win32.js",
    true "perf_hooks" "perf_hooks.js",
    true "process" "process.js",
    true "querystring" "querystring.js",
    true "string_decoder" "string_decoder.js",
    true "timers" "timers.js",
    true "timers/promises" "timers_promises.js",
    true "url" "url.js",
    true "util" "util.js",
    true "util/types" "util_types.js",
}

/// The name of a module that users may ask for, as this crate writes it.
pub fn public(name: &str) -> Option<&'static str> {
    SOURCES.iter().find(|source| source.public && source.name == name).map(|source| source.name)
}

/// Every module, internal ones included.
pub fn names() -> impl Iterator<Item = &'static str> {
    SOURCES.iter().map(|source| source.name).filter(|name| *name != "bootstrap")
}

/// The names that users may ask for: `module.builtinModules`.
pub fn public_names() -> Vec<&'static str> {
    SOURCES.iter().filter(|source| source.public).map(|source| source.name).collect()
}

/// The function that a module's source is the body of.
pub fn compile_module<'js>(ctx: Ctx<'js>, name: String) -> Result<Function<'js>> {
    compile(&ctx, &name)
}

pub fn compile<'js>(ctx: &Ctx<'js>, name: &str) -> Result<Function<'js>> {
    let Some(source) = SOURCES.iter().find(|source| source.name == name) else {
        return Err(Exception::throw_internal(ctx, &format!("no source of the name {name}")));
    };
    // On one line with the source's first, so that line numbers are those of the file.
    let head = if name == "bootstrap" {
        "(function (natives, compileModule, global) {"
    } else {
        "(function (module, exports, require, natives) {"
    };
    let mut options = EvalOptions::default();
    options.strict = true;
    options.filename = Some(format!("node:{name}"));
    ctx.eval_with_options(format!("{head}{}\n}})", source.text), options)
}
