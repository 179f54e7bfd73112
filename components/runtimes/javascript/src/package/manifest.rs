//! `package.json`: the few members that loading asks for.

use std::collections::HashMap;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::files;

/// Longest `package.json` that is read.
const BYTES_MAX: usize = 4 << 20;

/// What a folder's `package.json` says.
#[derive(Debug, Default)]
pub(crate) struct Manifest {
    pub(crate) name: Option<String>,
    pub(crate) main: Option<String>,
    /// Whether `.js` files are ES modules; `None` where it does not say.
    pub(crate) module: Option<bool>,
    pub(crate) exports: Option<Value>,
    pub(crate) imports: Option<Map<String, Value>>,
}

impl Manifest {
    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let Value::Object(mut members) = value else { return Ok(Self::default()) };
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        Ok(Self {
            name: text(members.get("name")),
            main: text(members.get("main")),
            module: match members.get("type").and_then(Value::as_str) {
                Some("module") => Some(true),
                Some("commonjs") => Some(false),
                _ => None,
            },
            exports: members.shift_remove("exports").filter(|exports| !exports.is_null()),
            imports: members.shift_remove("imports").and_then(|imports| match imports {
                Value::Object(imports) => Some(imports),
                _ => None,
            }),
        })
    }
}

/// The manifests that were asked for, by their folder.
#[derive(Default)]
pub(crate) struct Manifests {
    known: HashMap<String, Option<Rc<Manifest>>>,
}

impl Manifests {
    /// The manifest in this folder. One that is not JSON is an error with its path.
    pub(crate) fn of(&mut self, folder: &str) -> Result<Option<Rc<Manifest>>, String> {
        if let Some(known) = self.known.get(folder) {
            return Ok(known.clone());
        }
        let path = files::join(folder, "package.json");
        let manifest = match files::read(&path) {
            Some(bytes) if bytes.len() <= BYTES_MAX => {
                let parsed =
                    Manifest::parse(&bytes).map_err(|error| format!("Invalid package config {path}. {error}"))?;
                Some(Rc::new(parsed))
            }
            _ => None,
        };
        self.known.insert(folder.to_owned(), manifest.clone());
        Ok(manifest)
    }

    /// The nearest manifest at or above this folder, with its folder; not beyond a
    /// `node_modules`.
    pub(crate) fn scope(&mut self, folder: &str) -> Result<Option<(String, Rc<Manifest>)>, String> {
        let mut at = folder;
        loop {
            if at.ends_with("/node_modules") {
                return Ok(None);
            }
            if let Some(manifest) = self.of(at)? {
                return Ok(Some((at.to_owned(), manifest)));
            }
            match files::parent(at) {
                Some(parent) => at = parent,
                None => return Ok(None),
            }
        }
    }
}
