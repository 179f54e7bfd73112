//! Loading modules: the engine's resolver and loader, and what `require` is made of.
//!
//! ES modules are named by their URL, CommonJS ones by their path, as in Node; an ES
//! module that imports a CommonJS one gets a bridge of the URL's name.

mod bridge;
mod derive;
mod natives;

use std::cell::RefCell;

use rquickjs::loader::{ImportAttributes, Loader, Resolver};
use rquickjs::{Ctx, Error, Module, Result};

use crate::builtins;
use crate::engine::raw;
use crate::package::bundle::{Bundle, Code};
use crate::package::files;
use crate::package::format::{self, Format};
use crate::package::lexer;
use crate::package::manifest::Manifests;
use crate::package::resolve::{self, Asked, Known, Missing, Mode, Target};
use crate::realm;

pub(crate) use derive::derive;
pub(crate) use natives::natives;

/// What loading knows of the function's package.
#[derive(Default)]
struct Packages {
    manifests: Manifests,
    bundle: Option<Bundle>,
    /// The function's own `NODE_PATH`.
    paths: Option<String>,
    /// What is loaded is taken down, for a bundle.
    recording: Option<derive::Recording>,
}

thread_local! {
    static PACKAGES: RefCell<Packages> = RefCell::default();
}

/// Nothing that is called within may load anything.
fn with<T>(ask: impl FnOnce(&mut Packages) -> T) -> T {
    PACKAGES.with_borrow_mut(ask)
}

/// From now on modules come from this bundle where it has them.
pub(crate) fn use_bundle(bytes: Vec<u8>) {
    with(|packages| packages.bundle = Bundle::open(bytes));
}

/// From now on `require` looks in these folders last, as `NODE_PATH` has them.
pub(crate) fn use_paths(paths: &str) {
    with(|packages| packages.paths = Some(paths.to_owned()));
}

/// Finds what is asked for, in the bundle or among the files.
pub(crate) fn resolve(asked: Asked<'_>) -> std::result::Result<Target, Missing> {
    with(|packages| {
        let known = packages.bundle.and_then(|bundle| bundle.find(asked.from));
        if let Some(target) = known.and_then(|found| found.target(asked.mode, asked.specifier)) {
            return Ok(target_of(target));
        }
        let Packages { manifests, paths, recording, .. } = packages;
        let mut search = |paths| resolve::resolve(manifests, asked, Known { is_builtin: &builtins::is_known, paths });
        let Some(recording) = recording else {
            return search(paths.as_deref().unwrap_or(resolve::NODE_PATH));
        };
        // The function may have another `NODE_PATH`, which nobody knows yet: what only that
        // finds is taken in, and looked for again when it is asked for.
        search("").inspect(|target| recording.request(asked, target)).or_else(|_| {
            let target = search(resolve::NODE_PATH)?;
            if let Target::File(path) = &target {
                recording.open(path);
            }
            Ok(target)
        })
    })
}

/// The handler's file, where the bundle was made for this handler.
pub(crate) fn bundled_handler(handler: &str) -> Option<String> {
    // By its own `NODE_PATH` another file may be meant.
    let bundle = with(|packages| packages.bundle.filter(|_| packages.paths.is_none()))?;
    bundle.find("")?.target(Mode::Require, handler).map(str::to_owned)
}

/// A target as bundles and `require` write it.
fn target_of(text: &str) -> Target {
    match text.strip_prefix("node:") {
        Some(name) => Target::Builtin(name.to_owned()),
        None => Target::File(text.to_owned()),
    }
}

/// How a file is to be loaded; `None` where its text decides.
pub(crate) fn format(ctx: &Ctx<'_>, path: &str) -> Result<Option<Format>> {
    let found = with(|packages| match packages.bundle.and_then(|bundle| bundle.find(path)) {
        Some(found) => Ok(Some(match found.code {
            Code::Module => Format::Module,
            Code::CommonJs => Format::CommonJs,
            Code::Json => Format::Json,
        })),
        None => format::by_name(&mut packages.manifests, path),
    });
    found.map_err(|message| realm::throw_coded(ctx, "ERR_INVALID_PACKAGE_CONFIG", &message))
}

/// A source as the engine takes it: without a byte order mark.
fn source(ctx: &Ctx<'_>, path: &str) -> Result<Vec<u8>> {
    let Some(mut source) = files::read(path) else {
        return Err(realm::throw_coded(ctx, "ENOENT", &format!("ENOENT: no such file or directory, open '{path}'")));
    };
    if source.starts_with(b"\xef\xbb\xbf") {
        source.drain(..3);
    }
    Ok(source)
}

/// The engine's resolver: from a name in a module to the name of a module.
pub(crate) struct Resolving;

impl Resolver for Resolving {
    fn resolve<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        base: &str,
        name: &str,
        _attributes: Option<ImportAttributes<'js>>,
    ) -> Result<String> {
        let from = files::from_url(base);
        let from = from.as_deref().unwrap_or(base);
        let asked = Asked { specifier: name, from, mode: Mode::Import };
        match resolve(asked) {
            Ok(Target::Builtin(name)) => Ok(format!("node:{name}")),
            Ok(Target::File(path)) => {
                let query = name.find(['?', '#']).filter(|_| !name.starts_with('#')).map_or("", |at| &name[at..]);
                Ok(files::to_url(&path) + query)
            }
            Err(missing) => Err(realm::throw_coded(ctx, missing.code, &missing.message)),
        }
    }
}

/// The engine's loader: from the name of a module to the module.
pub(crate) struct Loading;

impl Loader for Loading {
    fn load<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        name: &str,
        attributes: Option<ImportAttributes<'js>>,
    ) -> Result<Module<'js>> {
        if name.starts_with("node:") {
            return bridge::builtin(ctx, name);
        }
        let path = files::from_url(name).ok_or_else(|| Error::new_loading(name))?;
        if let Some(found) = with(|packages| packages.bundle).and_then(|bundle| bundle.find(&path)) {
            return match found.code {
                Code::Module => {
                    let module = raw::read_module(ctx, found)?;
                    natives::meta(ctx, &module, name, &path)?;
                    Ok(module)
                }
                Code::CommonJs => bridge::commonjs(ctx, name, found.exports().map(str::to_owned).collect()),
                // Bytecode has no attributes; whoever lacked them is not in the bundle.
                Code::Json => bridge::bundled_json(ctx, name),
            };
        }
        match format(ctx, &path)? {
            Some(Format::Module) => module(ctx, name, &path, source(ctx, &path)?),
            Some(Format::Json) => bridge::json(ctx, name, attributes),
            Some(Format::CommonJs) => commonjs(ctx, name, &path, None),
            Some(Format::Addon) => Err(realm::throw_coded(
                ctx,
                "ERR_UNKNOWN_FILE_EXTENSION",
                &format!("Unknown file extension \".node\" for {path}"),
            )),
            None => {
                let source = source(ctx, &path)?;
                match format::by_text(&source) {
                    (Format::Module, _) => module(ctx, name, &path, source),
                    (_, scan) => commonjs(ctx, name, &path, Some(scan)),
                }
            }
        }
    }
}

fn module<'js>(ctx: &Ctx<'js>, name: &str, path: &str, source: Vec<u8>) -> Result<Module<'js>> {
    let module = Module::declare(ctx.clone(), name, source)?;
    natives::meta(ctx, &module, name, path)?;
    if with(|packages| packages.recording.is_some()) {
        derive::module(path, &module)?;
    }
    Ok(module)
}

fn commonjs<'js>(ctx: &Ctx<'js>, name: &str, path: &str, scan: Option<lexer::Scan>) -> Result<Module<'js>> {
    let scan = match scan {
        Some(scan) => scan,
        None => lexer::scan(&source(ctx, path)?),
    };
    let names = bridge::names(path, scan);
    with(|packages| {
        if let Some(recording) = &mut packages.recording {
            recording.commonjs(path);
        }
    });
    bridge::commonjs(ctx, name, names)
}
