//! The names that `require` and `import` find here.

use rquickjs::{Ctx, Exception, Module, Object, Result, Value, module::Declared};

use crate::sources;

/// Modules of Node that this runtime lacks: asking for one fails, by its name.
pub const LACKING: &[&str] = &[
    "cluster",
    "dgram",
    "domain",
    "inspector",
    "inspector/promises",
    "repl",
    "sea",
    "sqlite",
    "test",
    "test/reporters",
    "trace_events",
    "wasi",
];

/// Where users find what is there and what is not.
const LIST: &str = "the list is in components/runtimes/javascript/modules/README.md";

/// One of Node's modules, there or lacking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Builtin {
    name: &'static str,
    there: bool,
}

/// The module that `name` means: `node:NAME`, or `NAME` alone as far as Node takes
/// that too. None: it is no module of Node's, so look into `node_modules`.
pub fn builtin(name: &str) -> Option<Builtin> {
    let (bare, prefixed) = match name.strip_prefix("node:") {
        Some(bare) => (bare, true),
        None => (name, false),
    };
    if let Some(name) = sources::public(bare) {
        return Some(Builtin { name, there: true });
    }
    let lacking = LACKING.iter().find(|lacking| **lacking == bare)?;
    // Node has these by their prefix alone: without it they are packages.
    let only_prefixed = matches!(*lacking, "sea" | "sqlite" | "test" | "test/reporters");
    (prefixed || !only_prefixed).then_some(Builtin { name: lacking, there: false })
}

impl Builtin {
    /// Its name without `node:`.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Whether this runtime has it. If not, the others here throw an error that says so.
    pub fn is_there(self) -> bool {
        self.there
    }

    /// What `require` answers.
    pub fn require<'js>(self, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        self.check(ctx)?;
        crate::require(ctx, self.name)
    }

    /// The ES module that `import` gets: each property of the exports by its name, and
    /// all of them as `default`. For a `Loader`.
    pub fn declare<'js>(self, ctx: &Ctx<'js>) -> Result<Module<'js, Declared>> {
        let exports = self.require(ctx)?;
        let mut source = String::from("const m = import.meta.exports;\nexport default m;\n");
        if let Some(object) = exports.as_object() {
            for (index, key) in object.keys::<String>().enumerate() {
                let key = key?;
                if key != "default" && is_identifier(&key) {
                    source += &format!("const v{index} = m.{key}; export {{ v{index} as {key} }};\n");
                }
            }
        }
        let module = Module::declare(ctx.clone(), format!("node:{}", self.name), source)?;
        let meta: Object = module.meta()?;
        meta.set("exports", exports)?;
        Ok(module)
    }

    fn check(self, ctx: &Ctx<'_>) -> Result<()> {
        if self.there {
            return Ok(());
        }
        let error =
            Exception::from_message(ctx.clone(), &format!("this runtime has no module node:{}; {LIST}", self.name))?;
        error.as_object().set("code", "ERR_UNKNOWN_BUILTIN_MODULE")?;
        Err(ctx.throw(error.into_object().into_value()))
    }
}

fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_' || c == '$')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$')
}
