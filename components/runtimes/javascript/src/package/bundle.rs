//! The bundle of a package: its modules as bytecode, and what they ask for resolved.
//!
//! The format stands under "Managed runtimes" in `host/ARCHITECTURE.md`. The host seals
//! bundles, so that only what this component wrote is read here; a reader still never
//! goes beyond the bytes, whatever they claim.

use std::collections::BTreeMap;

use super::resolve::Mode;

const MAGIC: &[u8; 8] = b"LAMINAJS";
const VERSION: u32 = 1;
/// What bytecode is tied to: the engine and its patch.
const ENGINE: &str = env!("BUNDLE_ENGINE");
/// Bytes of one module's entry in the index.
const ENTRY: usize = 9 * 4;
const HEAD: usize = 8 + 4 + 16 + 4;
/// Most modules in a bundle; what is over stays with the sources.
pub(crate) const MODULES_MAX: usize = 20_000;

/// What a module's code in a bundle is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Code {
    /// Bytecode of an ES module.
    Module,
    /// Bytecode of a script that gives the function around a CommonJS module.
    CommonJs,
    /// The text of a JSON file.
    Json,
}

/// A module as it is written.
pub(crate) struct Entry {
    pub(crate) code: Code,
    pub(crate) bytes: Vec<u8>,
    /// The names that a CommonJS module exports.
    pub(crate) exports: Vec<String>,
    /// What it asks for: `key` and the target.
    pub(crate) requests: Vec<(String, String)>,
}

/// How a request is looked up: who asks matters.
pub(crate) fn key(mode: Mode, specifier: &str) -> String {
    match mode {
        Mode::Import => format!("i{specifier}"),
        Mode::Require => format!("r{specifier}"),
    }
}

/// The bytes of a bundle.
pub(crate) fn write(modules: &BTreeMap<String, Entry>) -> Vec<u8> {
    let mut index = Vec::with_capacity(modules.len() * ENTRY);
    let mut data = Vec::new();
    let base = HEAD + modules.len() * ENTRY;
    let mut put = |index: &mut Vec<u8>, bytes: &[u8]| {
        index.extend(((base + data.len()) as u32).to_le_bytes());
        index.extend((bytes.len() as u32).to_le_bytes());
        data.extend_from_slice(bytes);
    };
    for (path, entry) in modules {
        put(&mut index, path.as_bytes());
        put(&mut index, &entry.bytes);
        put(&mut index, &list(entry.exports.iter().map(String::as_str)));
        put(&mut index, &list(entry.requests.iter().flat_map(|(key, target)| [key.as_str(), target.as_str()])));
        index.extend((entry.code as u32).to_le_bytes());
    }
    let mut bytes = Vec::with_capacity(base + data.len());
    bytes.extend(MAGIC);
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend(ENGINE.as_bytes());
    bytes.extend((modules.len() as u32).to_le_bytes());
    bytes.extend(index);
    bytes.extend(data);
    bytes
}

/// Texts one after the other, each with its length before it.
fn list<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for text in texts {
        bytes.extend((text.len() as u32).to_le_bytes());
        bytes.extend(text.as_bytes());
    }
    bytes
}

/// A bundle that is read where it lies.
#[derive(Clone, Copy)]
pub(crate) struct Bundle {
    bytes: &'static [u8],
    modules: usize,
}

/// A module of a bundle.
#[derive(Clone, Copy)]
pub(crate) struct Found {
    pub(crate) code: Code,
    pub(crate) bytes: &'static [u8],
    exports: &'static [u8],
    requests: &'static [u8],
}

impl Bundle {
    /// `None` for what is no bundle, or one of another engine.
    pub(crate) fn open(bytes: Vec<u8>) -> Option<Self> {
        let engine = bytes.get(12..28)?;
        if bytes.get(..8)? != MAGIC || word(&bytes, 8)? != VERSION || engine != ENGINE.as_bytes() {
            return None;
        }
        let modules = word(&bytes, 28)? as usize;
        if modules > MODULES_MAX || bytes.len() < HEAD + modules * ENTRY {
            return None;
        }
        // An instance has one bundle and keeps it to its end.
        Some(Self { bytes: Vec::leak(bytes), modules })
    }

    fn slice(&self, at: usize) -> Option<&'static [u8]> {
        let start = word(self.bytes, at)? as usize;
        let length = word(self.bytes, at + 4)? as usize;
        self.bytes.get(start..start.checked_add(length)?)
    }

    /// The module of a file.
    pub(crate) fn find(&self, path: &str) -> Option<Found> {
        let (mut low, mut high) = (0, self.modules);
        while low < high {
            let middle = low + (high - low) / 2;
            let at = HEAD + middle * ENTRY;
            match self.slice(at)?.cmp(path.as_bytes()) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return self.entry(at),
            }
        }
        None
    }

    fn entry(&self, at: usize) -> Option<Found> {
        let code = match word(self.bytes, at + 32)? {
            0 => Code::Module,
            1 => Code::CommonJs,
            2 => Code::Json,
            _ => return None,
        };
        Some(Found { code, bytes: self.slice(at + 8)?, exports: self.slice(at + 16)?, requests: self.slice(at + 24)? })
    }
}

impl Found {
    pub(crate) fn exports(&self) -> impl Iterator<Item = &'static str> {
        Texts(self.exports)
    }

    /// What a request of this module was resolved to.
    pub(crate) fn target(&self, mode: Mode, specifier: &str) -> Option<&'static str> {
        let mode = match mode {
            Mode::Import => b'i',
            Mode::Require => b'r',
        };
        let mut texts = Texts(self.requests);
        while let (Some(key), Some(target)) = (texts.next(), texts.next()) {
            if key.as_bytes().split_first() == Some((&mode, specifier.as_bytes())) {
                return Some(target);
            }
        }
        None
    }
}

/// The texts of a list, up to the first that is broken.
struct Texts(&'static [u8]);

impl Iterator for Texts {
    type Item = &'static str;

    fn next(&mut self) -> Option<Self::Item> {
        let length = word(self.0, 0)? as usize;
        let text = self.0.get(4..4_usize.checked_add(length)?)?;
        self.0 = self.0.get(4 + length..)?;
        std::str::from_utf8(text).ok()
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let entry = |code, bytes: &[u8]| Entry {
            code,
            bytes: bytes.to_vec(),
            exports: vec!["a".to_owned(), "b c".to_owned()],
            requests: vec![
                (key(Mode::Import, "./x"), "/x.mjs".to_owned()),
                (key(Mode::Require, "./x"), "/x.cjs".to_owned()),
            ],
        };
        let modules = [
            ("/var/task/index.js", entry(Code::CommonJs, b"one")),
            ("/var/task/a.mjs", entry(Code::Module, b"two")),
            ("/var/task/z.json", entry(Code::Json, b"{}")),
        ];
        write(&modules.map(|(path, entry)| (path.to_owned(), entry)).into_iter().collect())
    }

    #[test]
    fn what_is_written_is_found() {
        let bundle = Bundle::open(sample()).expect("a bundle");
        for (path, code, bytes) in [
            ("/var/task/a.mjs", Code::Module, &b"two"[..]),
            ("/var/task/index.js", Code::CommonJs, b"one"),
            ("/var/task/z.json", Code::Json, b"{}"),
        ] {
            let found = bundle.find(path).expect(path);
            assert_eq!((found.code, found.bytes), (code, bytes));
            assert_eq!(found.exports().collect::<Vec<_>>(), ["a", "b c"]);
            assert_eq!(found.target(Mode::Import, "./x"), Some("/x.mjs"));
            assert_eq!(found.target(Mode::Require, "./x"), Some("/x.cjs"));
            assert_eq!(found.target(Mode::Require, "./y"), None);
        }
        assert!(bundle.find("/var/task/b.mjs").is_none());
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let whole = sample();
        for end in 0..whole.len() {
            if let Some(bundle) = Bundle::open(whole[..end].to_vec()) {
                bundle.find("/var/task/index.js").map(|found| found.target(Mode::Import, "./x"));
            }
        }
        for at in 0..whole.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] = value;
                let Some(bundle) = Bundle::open(bytes) else { continue };
                for path in ["/var/task/a.mjs", "/var/task/index.js", "/var/task/z.json"] {
                    let Some(found) = bundle.find(path) else { continue };
                    found.exports().count();
                    found.target(Mode::Require, "./x");
                }
            }
        }
    }

    #[test]
    fn another_engines_bundle_is_none() {
        let mut bytes = sample();
        bytes[12] ^= 1;
        assert!(Bundle::open(bytes).is_none());
    }
}
