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
    false "internal/errors" "internal_errors.js",
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
