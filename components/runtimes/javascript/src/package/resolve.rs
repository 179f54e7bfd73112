//! From what a module asks for to a file, by Node's rules.
//!
//! Links are not followed: a package's files are where its zip put them.

use std::rc::Rc;

use serde_json::{Map, Value};

use super::files::{self, Kind};
use super::manifest::{Manifest, Manifests};

/// Where `require` looks after every `node_modules`, where a function does not say it:
/// Lambda's `NODE_PATH`.
pub(crate) const NODE_PATH: &str =
    "/opt/nodejs/node24/node_modules:/opt/nodejs/node22/node_modules:/opt/nodejs/node_modules:/var/task";
/// Where relative folders of `NODE_PATH` begin.
const TASK: &str = "/var/task";
/// What `require` tries, in this order. TypeScript's types are gone by now.
const ENDINGS: [&str; 4] = [".js", ".json", ".node", ".ts"];
/// How deep conditions and targets of `exports` may be nested.
const NESTED_MAX: u32 = 32;

/// Who asks: the two differ in endings, folders and conditions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    Import,
    Require,
}

impl Mode {
    fn condition(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Require => "require",
        }
    }
}

/// What was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Target {
    /// One of Node's own modules, without `node:`.
    Builtin(String),
    File(String),
}

/// Why nothing was found: Node's code and words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Missing {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

/// A question: `specifier` as the file `from` asks for it.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) specifier: &'a str,
    pub(crate) from: &'a str,
    pub(crate) mode: Mode,
}

/// What is known besides the files.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    /// Knows Node's own modules, with and without `node:`.
    pub(crate) is_builtin: &'a dyn Fn(&str) -> bool,
    /// `NODE_PATH`.
    pub(crate) paths: &'a str,
}

impl Asked<'_> {
    fn folder(&self) -> &str {
        files::parent(self.from).unwrap_or("/")
    }

    /// `what` is not there.
    fn not_found(&self, what: &str, path: &str) -> Missing {
        match self.mode {
            Mode::Require => {
                Missing { code: "MODULE_NOT_FOUND", message: format!("Cannot find module '{}'", self.specifier) }
            }
            Mode::Import => Missing {
                code: "ERR_MODULE_NOT_FOUND",
                message: format!("Cannot find {what} '{path}' imported from {}", self.from),
            },
        }
    }
}

/// What to do about a package that Lambda's own runtimes bring along, where it is not
/// there.
pub(crate) fn advice(specifier: &str) -> Option<String> {
    let (name, _) = split(specifier)?;
    let brought = name == "aws-sdk" || name.starts_with("@aws-sdk/") || name.starts_with("@smithy/");
    brought.then(|| format!("This runtime brings no AWS SDK: put {name} into the function's package."))
}

fn broken(message: String) -> Missing {
    Missing { code: "ERR_INVALID_PACKAGE_CONFIG", message }
}

/// The target of `asked`.
pub(crate) fn resolve(manifests: &mut Manifests, asked: Asked<'_>, known: Known<'_>) -> Result<Target, Missing> {
    let specifier = asked.specifier;
    if (known.is_builtin)(specifier) {
        return Ok(Target::Builtin(specifier.trim_start_matches("node:").to_owned()));
    }
    if specifier.starts_with("node:") {
        return Err(Missing {
            code: "ERR_UNKNOWN_BUILTIN_MODULE",
            message: format!("No such built-in module: {specifier}"),
        });
    }
    let relative =
        ["./", "../", "/"].iter().any(|start| specifier.starts_with(start)) || [".", ".."].contains(&specifier);
    match asked.mode {
        Mode::Import if relative || specifier.starts_with("file:") => import_path(asked),
        Mode::Require if relative => {
            let path = files::join(asked.folder(), specifier);
            let folder = specifier.ends_with('/') || specifier == "." || specifier == "..";
            let found = (!folder).then(|| as_file(&path)).flatten();
            let found = match found {
                Some(found) => Some(found),
                None => as_folder(manifests, &path)?,
            };
            found.map(Target::File).ok_or_else(|| asked.not_found("module", &path))
        }
        _ if specifier.starts_with('#') => internal(manifests, asked, known),
        _ => bare(manifests, asked, known.paths),
    }
}

fn import_path(asked: Asked<'_>) -> Result<Target, Missing> {
    let path = match asked.specifier.starts_with("file:") {
        true => files::from_url(asked.specifier),
        false => files::unescape(asked.specifier.split(['?', '#']).next().unwrap_or_default()),
    };
    let Some(path) = path else {
        return Err(Missing {
            code: "ERR_INVALID_MODULE_SPECIFIER",
            message: format!("Invalid module \"{}\" is not a path imported from {}", asked.specifier, asked.from),
        });
    };
    exact(asked, files::join(asked.folder(), &path))
}

/// A file as an import names it: nothing is added to it.
fn exact(asked: Asked<'_>, path: String) -> Result<Target, Missing> {
    match files::kind(&path) {
        Kind::File => Ok(Target::File(path)),
        Kind::Folder => Err(Missing {
            code: "ERR_UNSUPPORTED_DIR_IMPORT",
            message: format!(
                "Directory import '{path}' is not supported resolving ES modules imported from {}",
                asked.from
            ),
        }),
        // An author of TypeScript names what the compiler would have written.
        Kind::Nothing => match typescript(&path) {
            Some(path) => Ok(Target::File(path)),
            None => Err(asked.not_found("module", &path)),
        },
    }
}

fn typescript(path: &str) -> Option<String> {
    let start = path.strip_suffix("js")?;
    let path = format!("{start}ts");
    files::is_file(&path).then_some(path)
}

/// A path as `require` completes it.
fn as_file(path: &str) -> Option<String> {
    if files::is_file(path) {
        return Some(path.to_owned());
    }
    let ended = ENDINGS.iter().map(|ending| format!("{path}{ending}")).find(|path| files::is_file(path));
    ended.or_else(|| typescript(path))
}

/// A folder as `require` takes it: its manifest's `main`, or its index.
fn as_folder(manifests: &mut Manifests, folder: &str) -> Result<Option<String>, Missing> {
    let manifest = manifests.of(folder).map_err(broken)?;
    if let Some(main) = manifest.as_ref().and_then(|manifest| manifest.main.as_deref()) {
        let path = files::join(folder, main);
        let found = as_file(&path).or_else(|| as_file(&files::join(&path, "index")));
        if found.is_some() {
            return Ok(found);
        }
    }
    let index = files::join(folder, "index");
    Ok(ENDINGS.iter().map(|ending| format!("{index}{ending}")).find(|path| files::is_file(path)))
}

/// A package by its name, perhaps with a path in it.
fn bare(manifests: &mut Manifests, asked: Asked<'_>, paths: &str) -> Result<Target, Missing> {
    let Some((name, subpath)) = split(asked.specifier) else {
        return Err(Missing {
            code: "ERR_INVALID_MODULE_SPECIFIER",
            message: format!(
                "Invalid module \"{}\" is not a valid package name imported from {}",
                asked.specifier, asked.from
            ),
        });
    };
    if let Some((folder, manifest)) = manifests.scope(asked.folder()).map_err(broken)?
        && manifest.name.as_deref() == Some(name)
        && manifest.exports.is_some()
    {
        return exported(asked, &folder, &manifest, &subpath);
    }
    let mut at = Some(asked.folder());
    while let Some(folder) = at {
        if files::name(folder) != "node_modules" {
            let package = files::join(folder, &format!("node_modules/{name}"));
            if let Some(found) = in_package(manifests, asked, &package, &subpath)? {
                return Ok(found);
            }
        }
        at = files::parent(folder);
    }
    if asked.mode == Mode::Require {
        for folder in paths.split(':').filter(|folder| !folder.is_empty()) {
            let package = files::join(&files::join(TASK, folder), name);
            if let Some(found) = in_package(manifests, asked, &package, &subpath)? {
                return Ok(found);
            }
        }
    }
    let mut missing = asked.not_found("package", name);
    // That of `require` comes after the stack of those who asked.
    if let (Mode::Import, Some(advice)) = (asked.mode, advice(asked.specifier)) {
        missing.message += &format!("\n{advice}");
    }
    Err(missing)
}

/// The name of a package and the rest as `.` or `./...`.
fn split(specifier: &str) -> Option<(&str, String)> {
    let slashes = if specifier.starts_with('@') { 2 } else { 1 };
    let end = specifier.match_indices('/').nth(slashes - 1).map_or(specifier.len(), |(at, _)| at);
    let name = &specifier[..end];
    let valid = !name.is_empty()
        && !name.starts_with('.')
        && !name.contains(['\\', '%', ':'])
        && (slashes == 1 || name.contains('/'));
    valid.then(|| (name, format!(".{}", &specifier[end..])))
}

/// `subpath` of the package in this folder; `None` where the next folder is to be tried.
fn in_package(
    manifests: &mut Manifests,
    asked: Asked<'_>,
    package: &str,
    subpath: &str,
) -> Result<Option<Target>, Missing> {
    if asked.mode == Mode::Require
        && subpath == "."
        && let Some(file) = as_file(package)
    {
        return Ok(Some(Target::File(file)));
    }
    if files::kind(package) != Kind::Folder {
        return Ok(None);
    }
    let manifest = manifests.of(package).map_err(broken)?;
    if let Some(manifest) = manifest.filter(|manifest| manifest.exports.is_some()) {
        return exported(asked, package, &manifest, subpath).map(Some);
    }
    if subpath != "." && asked.mode == Mode::Import {
        return exact(asked, files::join(package, subpath)).map(Some);
    }
    let path = files::join(package, subpath);
    let file = if subpath == "." { None } else { as_file(&path) };
    let found = match file {
        Some(file) => Some(file),
        None => as_folder(manifests, &path)?,
    };
    match (found, asked.mode) {
        (Some(found), _) => Ok(Some(Target::File(found))),
        (None, Mode::Import) => Err(asked.not_found("package", &path)),
        (None, Mode::Require) => Ok(None),
    }
}

/// What `exports` of the manifest gives for `subpath`.
fn exported(asked: Asked<'_>, package: &str, manifest: &Rc<Manifest>, subpath: &str) -> Result<Target, Missing> {
    let exports = manifest.exports.as_ref().unwrap_or(&Value::Null);
    let found = match exports {
        Value::Object(members) if members.keys().any(|key| key.starts_with('.')) => member(members, subpath),
        main if subpath == "." => Some((main, None)),
        _ => None,
    };
    let target = found.and_then(|(target, star)| choose(target, star.as_deref(), asked.mode, NESTED_MAX));
    let Some(target) = target.filter(|target| target.starts_with("./")) else {
        let manifest = files::join(package, "package.json");
        let message = match subpath {
            "." => format!("No \"exports\" main defined in {manifest}"),
            subpath => format!("Package subpath '{subpath}' is not defined by \"exports\" in {manifest}"),
        };
        return Err(Missing { code: "ERR_PACKAGE_PATH_NOT_EXPORTED", message });
    };
    let path = files::join(package, &target);
    match files::is_file(&path) {
        true => Ok(Target::File(path)),
        false => Err(asked.not_found("module", &path)),
    }
}

/// What `imports` of the nearest manifest gives for a specifier with `#`.
fn internal(manifests: &mut Manifests, asked: Asked<'_>, known: Known<'_>) -> Result<Target, Missing> {
    let scope = manifests.scope(asked.folder()).map_err(broken)?;
    let found = scope.as_ref().and_then(|(folder, manifest)| {
        let (target, star) = member(manifest.imports.as_ref()?, asked.specifier)?;
        Some((folder, choose(target, star.as_deref(), asked.mode, NESTED_MAX)?))
    });
    let Some((folder, target)) = found else {
        let within = scope.map(|(folder, _)| format!(" in package {}", files::join(&folder, "package.json")));
        return Err(Missing {
            code: "ERR_PACKAGE_IMPORT_NOT_DEFINED",
            message: format!(
                "Package import specifier \"{}\" is not defined{} imported from {}",
                asked.specifier,
                within.unwrap_or_default(),
                asked.from
            ),
        });
    };
    if !target.starts_with("./") {
        let from = files::join(folder, "package.json");
        // One step only: a target that is `#...` again is not a package's name.
        if target.starts_with('#') {
            return Err(asked.not_found("package", &target));
        }
        return resolve(manifests, Asked { specifier: &target, from: &from, mode: asked.mode }, known);
    }
    let path = files::join(folder, &target);
    match files::is_file(&path) {
        true => Ok(Target::File(path)),
        false => Err(asked.not_found("module", &path)),
    }
}

/// The member for `key`: the key itself, or the longest pattern that fits, with what
/// its star stands for.
fn member<'a>(members: &'a Map<String, Value>, key: &str) -> Option<(&'a Value, Option<String>)> {
    if let Some(target) = members.get(key).filter(|_| !key.contains('*')) {
        return Some((target, None));
    }
    let mut best: Option<(&str, &Value, String)> = None;
    for (pattern, target) in members {
        let Some((start, end)) = pattern.split_once('*') else { continue };
        let fits = key.len() >= pattern.len() && key.starts_with(start) && key.ends_with(end);
        let longer = best.as_ref().is_none_or(|(other, ..)| {
            let base = |pattern: &str| pattern.find('*').unwrap_or_default();
            (base(pattern), pattern.len()) > (base(other), other.len())
        });
        if fits && longer {
            best = Some((pattern, target, key[start.len()..key.len() - end.len()].to_owned()));
        }
    }
    best.map(|(_, target, star)| (target, Some(star)))
}

/// A target by the conditions that hold.
fn choose(target: &Value, star: Option<&str>, mode: Mode, nested: u32) -> Option<String> {
    let nested = nested.checked_sub(1)?;
    match target {
        Value::String(target) => {
            let target = match star {
                Some(star) => target.replace('*', star),
                None => target.clone(),
            };
            let leaves = target.split('/').skip(1).any(|part| part == ".." || part == "node_modules");
            (!leaves).then_some(target)
        }
        Value::Array(targets) => targets.iter().find_map(|target| choose(target, star, mode, nested)),
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| {
                let name = name.as_str();
                ["node", "module-sync", "default"].contains(&name) || name == mode.condition()
            })
            .find_map(|(_, target)| choose(target, star, mode, nested)),
        _ => None,
    }
}
