//! What kind of module a file is.

use super::files;
use super::lexer::{self, Scan};
use super::manifest::Manifests;

/// How a file is loaded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Format {
    Module,
    CommonJs,
    Json,
    /// A native addon, which nothing here can load.
    Addon,
}

/// By the file's ending and the manifest above it; `None` where its text decides.
pub(crate) fn by_name(manifests: &mut Manifests, path: &str) -> Result<Option<Format>, String> {
    Ok(match files::ending(path) {
        ".mjs" | ".mts" => Some(Format::Module),
        ".cjs" | ".cts" => Some(Format::CommonJs),
        ".json" => Some(Format::Json),
        ".node" => Some(Format::Addon),
        _ => {
            let folder = files::parent(path).unwrap_or("/");
            let scope = manifests.scope(folder)?;
            match scope.and_then(|(_, manifest)| manifest.module) {
                Some(true) => Some(Format::Module),
                Some(false) => Some(Format::CommonJs),
                None => None,
            }
        }
    })
}

/// By the text of a file whose name does not say: ES modules have syntax of their own.
pub(crate) fn by_text(source: &[u8]) -> (Format, Scan) {
    let scan = lexer::scan(source);
    (if scan.module { Format::Module } else { Format::CommonJs }, scan)
}
