//! What kind of module is made of a source, by the rules of Node and TypeScript.

use std::collections::HashMap;

use lamina_package::{Entry, ZipError};
use serde_json::Value;

/// The largest manifest that is looked at.
const MANIFEST_BYTES_MAX: usize = 1 << 20;

/// How what is made of a source will be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Module,
    CommonJs,
    /// Nothing but its text says it.
    ByText,
}

/// The kinds that the manifests of a package's folders give.
pub(super) struct Kinds<'a>(HashMap<&'a str, Kind>);

impl<'a> Kinds<'a> {
    pub(super) fn read(files: &[&Entry<'a>]) -> Result<Self, ZipError> {
        let mut kinds = HashMap::new();
        for file in files {
            let folder = match file.name.strip_suffix("package.json") {
                Some(folder) if folder.is_empty() || folder.ends_with('/') => folder.trim_end_matches('/'),
                _ => continue,
            };
            // No source is in there.
            if folder.split('/').any(|part| part == "node_modules") {
                continue;
            }
            let kind = if file.bytes > MANIFEST_BYTES_MAX { Kind::ByText } else { by_manifest(&file.content()?) };
            kinds.insert(folder, kind);
        }
        Ok(Self(kinds))
    }

    /// The kind of a source: its extension goes before the nearest manifest.
    pub(super) fn of(&self, source: &str) -> Kind {
        if source.ends_with(".mts") {
            return Kind::Module;
        }
        if source.ends_with(".cts") {
            return Kind::CommonJs;
        }
        let folders = source.rmatch_indices('/').filter_map(|(at, _)| source.get(..at));
        folders.chain([""]).find_map(|folder| self.0.get(folder)).copied().unwrap_or(Kind::ByText)
    }
}

/// A manifest that cannot be read says nothing here; the runtime complains of it.
fn by_manifest(text: &[u8]) -> Kind {
    let manifest: Value = serde_json::from_slice(text).unwrap_or_default();
    match manifest.get("type").and_then(Value::as_str) {
        Some("module") => Kind::Module,
        Some("commonjs") => Kind::CommonJs,
        _ => Kind::ByText,
    }
}

#[cfg(test)]
mod tests {
    use lamina_package::{Package, Writer};

    use super::*;

    #[test]
    fn the_extension_and_then_the_nearest_manifest_say_it() {
        let mut writer = Writer::new();
        for (name, text) in [
            ("package.json", "{\"type\": \"commonjs\"}"),
            ("esm/package.json", "{\"type\": \"module\"}"),
            ("none/package.json", "{}"),
            ("bad/package.json", "{\"type\":"),
            ("odd/package.json", "[\"module\"]"),
            ("not-package.json", "{\"type\": \"module\"}"),
        ] {
            writer.file(name, 0o644, text.as_bytes()).unwrap();
        }
        let zip = writer.finish();
        let package = Package::read(&zip).unwrap();
        let kinds = Kinds::read(&package.files()).unwrap();
        for (source, kind) in [
            ("a.ts", Kind::CommonJs),
            ("lib/a.tsx", Kind::CommonJs),
            ("lib/a.mts", Kind::Module),
            ("esm/a.ts", Kind::Module),
            ("esm/lib/deep/a.ts", Kind::Module),
            ("esm/a.cts", Kind::CommonJs),
            ("none/a.ts", Kind::ByText),
            ("bad/a.ts", Kind::ByText),
            ("odd/a.ts", Kind::ByText),
        ] {
            assert_eq!(kinds.of(source), kind, "{source}");
        }
    }
}
