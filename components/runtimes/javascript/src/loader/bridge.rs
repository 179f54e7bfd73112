//! Modules whose exports are made by something else than ES code: CommonJS, JSON and
//! Node's own.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use rquickjs::loader::ImportAttributes;
use rquickjs::module::{Declarations, Exports, ModuleDef};
use rquickjs::{Ctx, Error, Module, Object, Result, Value};

use crate::builtins;
use crate::package::files;
use crate::package::lexer::{self, Scan};
use crate::package::resolve::{Asked, Mode, Target};
use crate::realm;

/// How many files the names of one CommonJS module may come from.
const REEXPORTS_MAX: usize = 256;

thread_local! {
    /// The names that each bridge exports, `default` apart.
    static NAMES: RefCell<HashMap<String, Vec<String>>> = RefCell::default();
}

struct Bridge;

impl ModuleDef for Bridge {
    fn declare(declarations: &Declarations<'_>) -> Result<()> {
        let module: String = declarations.module().name()?;
        declarations.declare("default")?;
        for name in names_of(&module) {
            declarations.declare(name)?;
        }
        Ok(())
    }

    fn evaluate<'js>(ctx: &Ctx<'js>, exports: &Exports<'js>) -> Result<()> {
        let module: String = exports.module().name()?;
        let value = value(ctx, &module)?;
        if let Some(object) = value.as_object() {
            for name in names_of(&module) {
                let member: Value<'js> = match name.as_str() {
                    "module.exports" => value.clone(),
                    name => object.get(name)?,
                };
                exports.export(name, member)?;
            }
        }
        exports.export("default", value)?;
        Ok(())
    }
}

fn names_of(module: &str) -> Vec<String> {
    NAMES.with_borrow(|names| names.get(module).cloned().unwrap_or_default())
}

fn value<'js>(ctx: &Ctx<'js>, module: &str) -> Result<Value<'js>> {
    if let Some(name) = module.strip_prefix("node:") {
        return builtins::value(ctx, name);
    }
    let path = files::from_url(module).ok_or_else(|| Error::new_loading(module))?;
    realm::load_file(ctx, &path)
}

fn declare<'js>(ctx: &Ctx<'js>, name: &str, names: Vec<String>) -> Result<Module<'js>> {
    NAMES.with_borrow_mut(|known| known.insert(name.to_owned(), names));
    Module::declare_def::<Bridge, _>(ctx.clone(), name)
}

/// One of Node's own modules.
pub(super) fn builtin<'js>(ctx: &Ctx<'js>, name: &str) -> Result<Module<'js>> {
    let value = builtins::value(ctx, name.trim_start_matches("node:"))?;
    let names = match value.as_object() {
        Some(object) => members(object)?,
        None => Vec::new(),
    };
    declare(ctx, name, names)
}

fn members(object: &Object<'_>) -> Result<Vec<String>> {
    let names: Result<BTreeSet<String>> = object.keys::<String>().collect();
    Ok(names?.into_iter().filter(|name| name != "default").collect())
}

/// A CommonJS module that exports these names. It runs when the bridge is evaluated.
pub(super) fn commonjs<'js>(ctx: &Ctx<'js>, name: &str, mut names: Vec<String>) -> Result<Module<'js>> {
    names.retain(|name| name != "default" && name != "module.exports");
    names.push("module.exports".to_owned());
    declare(ctx, name, names)
}

/// A JSON file, which Node imports only with its type.
pub(super) fn json<'js>(ctx: &Ctx<'js>, name: &str, attributes: Option<ImportAttributes<'js>>) -> Result<Module<'js>> {
    let kind = match &attributes {
        Some(attributes) => attributes.get_type()?,
        None => None,
    };
    if kind.as_deref() != Some("json") {
        return Err(realm::throw_coded(
            ctx,
            "ERR_IMPORT_ATTRIBUTE_MISSING",
            &format!("Module \"{name}\" needs an import attribute of \"type: json\""),
        ));
    }
    bundled_json(ctx, name)
}

/// A JSON file, whatever its type is said to be.
pub(super) fn bundled_json<'js>(ctx: &Ctx<'js>, name: &str) -> Result<Module<'js>> {
    declare(ctx, name, Vec::new())
}

/// The names of a CommonJS module, with those of the modules it exports as its own.
pub(super) fn names(path: &str, scan: Scan) -> Vec<String> {
    let mut names = scan.exports;
    let mut open: Vec<(String, String)> = scan.reexports.into_iter().map(|module| (path.to_owned(), module)).collect();
    let mut seen: BTreeSet<String> = BTreeSet::from([path.to_owned()]);
    while let Some((from, specifier)) = open.pop() {
        let asked = Asked { specifier: &specifier, from: &from, mode: Mode::Require };
        let Ok(Target::File(file)) = super::resolve(asked) else { continue };
        if seen.len() >= REEXPORTS_MAX || !seen.insert(file.clone()) {
            continue;
        }
        let scan = lexer::scan(&files::read(&file).unwrap_or_default());
        open.extend(scan.reexports.into_iter().map(|module| (file.clone(), module)));
        names.extend(scan.exports);
    }
    names.sort_unstable();
    names.dedup();
    names
}
