//! Making a bundle: the graph of the handler's module, compiled and not run.

use std::collections::{BTreeMap, BTreeSet};

use rquickjs::module::WriteOptions;
use rquickjs::{Ctx, Module, Result};

use super::{bridge, files, format, natives, source, with};
use crate::engine::raw;
use crate::handler::entry;
use crate::package::bundle::{self, Code, Entry, MODULES_MAX};
use crate::package::format::{self as formats, Format};
use crate::package::lexer;
use crate::package::resolve::{Asked, Mode, Target};

/// What has been seen while modules were loaded.
#[derive(Default)]
pub(super) struct Recording {
    modules: BTreeMap<String, Entry>,
    requests: BTreeMap<String, Vec<(String, String)>>,
    /// Files still to be taken in.
    open: Vec<String>,
    seen: BTreeSet<String>,
}

impl Recording {
    pub(super) fn request(&mut self, asked: Asked<'_>, target: &Target) {
        let target = match target {
            Target::Builtin(name) => format!("node:{name}"),
            Target::File(path) => {
                self.open(path);
                path.clone()
            }
        };
        let request = (bundle::key(asked.mode, asked.specifier), target);
        let requests = self.requests.entry(asked.from.to_owned()).or_default();
        if !requests.contains(&request) {
            requests.push(request);
        }
    }

    /// A CommonJS module was imported; it is compiled in its turn.
    pub(super) fn commonjs(&mut self, path: &str) {
        self.open(path);
    }

    /// Takes a file in, in its turn.
    pub(super) fn open(&mut self, path: &str) {
        if self.seen.len() < MODULES_MAX && self.seen.insert(path.to_owned()) {
            self.open.push(path.to_owned());
        }
    }
}

/// Takes down a module that has just been compiled.
pub(super) fn module(path: &str, module: &Module<'_>) -> Result<()> {
    let bytes = module.write(WriteOptions { strip_source: true, ..WriteOptions::default() })?;
    put(path, Code::Module, bytes, Vec::new());
    Ok(())
}

fn put(path: &str, code: Code, bytes: Vec<u8>, exports: Vec<String>) {
    with(|packages| {
        if let Some(recording) = &mut packages.recording {
            recording.modules.insert(path.to_owned(), Entry { code, bytes, exports, requests: Vec::new() });
        }
    });
}

/// The bundle of the package at `/var/task` for a handler. What does not compile or is
/// not found is left out: it shows when it is loaded.
pub(crate) fn derive(ctx: &Ctx<'_>, handler: &str) -> std::result::Result<Vec<u8>, String> {
    let entry = entry::find(handler).map_err(|failed| failed.message)?;
    with(|packages| packages.recording = Some(Recording::default()));
    with_recording(|recording| recording.open(&entry));
    while let Some(path) = with_recording(|recording| recording.open.pop()).flatten() {
        if take(ctx, &path).is_err() {
            ctx.catch();
        }
    }
    let recording = with(|packages| packages.recording.take()).unwrap_or_default();
    let Recording { mut modules, mut requests, .. } = recording;
    // The handler's file is looked for among the files otherwise.
    requests.entry(String::new()).or_default().push((bundle::key(Mode::Require, handler), entry));
    for (path, requests) in requests {
        match modules.get_mut(&path) {
            Some(entry) => entry.requests = requests,
            None if path.is_empty() => {
                let entry = Entry { code: Code::Json, bytes: Vec::new(), exports: Vec::new(), requests };
                modules.insert(path, entry);
            }
            None => {}
        }
    }
    Ok(bundle::write(&modules))
}

fn with_recording<T>(ask: impl FnOnce(&mut Recording) -> T) -> Option<T> {
    with(|packages| packages.recording.as_mut().map(ask))
}

/// Takes one file in.
fn take(ctx: &Ctx<'_>, path: &str) -> Result<()> {
    if with_recording(|recording| recording.modules.contains_key(path)) == Some(true) {
        return Ok(());
    }
    let said = format(ctx, path)?;
    if said == Some(Format::Addon) {
        return Ok(());
    }
    let text = source(ctx, path)?;
    if said == Some(Format::Json) {
        ctx.json_parse(text.clone())?;
        put(path, Code::Json, text, Vec::new());
        return Ok(());
    }
    let scan = lexer::scan(&text);
    let format = said.unwrap_or_else(|| formats::by_text(&text).0);
    follow(path, &scan, format);
    if format == Format::Module {
        raw::load_module(ctx, &files::to_url(path))?;
        return Ok(());
    }
    let script = raw::compile(ctx, natives::wrapped(&text), path, 0)?;
    let bytes = raw::write_script(ctx, &script)?;
    put(path, Code::CommonJs, bytes, bridge::names(path, scan));
    Ok(())
}

/// Resolves what a file asks for by text, which takes it down.
fn follow(path: &str, scan: &lexer::Scan, format: Format) {
    let required = if format == Format::CommonJs { scan.requires.as_slice() } else { &[] };
    let required = required.iter().map(|specifier| (specifier, Mode::Require));
    let imported = scan.imports.iter().map(|specifier| (specifier, Mode::Import));
    for (specifier, mode) in required.chain(imported) {
        // What is not there may be optional: it is asked for again when it runs.
        let _missing = super::resolve(Asked { specifier, from: path, mode });
    }
}
