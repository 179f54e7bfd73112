//! What can be read off a source without running it: what it requires, what a CommonJS
//! module exports by name, and whether it is an ES module.
//!
//! It knows tokens, not grammar: it may miss a name that is computed, as Node's own
//! reading does, and such names are reached through the default export.

mod tokens;

use std::collections::HashMap;

use tokens::{Kind, Token, tokens};

/// Most names that are kept of one kind.
const NAMES_MAX: usize = 4096;

/// What was read off a source.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Scan {
    /// Whether it has syntax that only ES modules have.
    pub(crate) module: bool,
    /// What it requires, by text.
    pub(crate) requires: Vec<String>,
    /// What it imports by `import()`, by text.
    pub(crate) imports: Vec<String>,
    /// The names it exports.
    pub(crate) exports: Vec<String>,
    /// The modules whose names it exports as its own.
    pub(crate) reexports: Vec<String>,
}

pub(crate) fn scan(source: &[u8]) -> Scan {
    let tokens = tokens(source);
    let mut reader = Reader { source, tokens: &tokens, scan: Scan::default(), required: HashMap::new() };
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Punct(b'{' | b'(' | b'[') => depth += 1,
            Kind::Punct(b'}' | b')' | b']') => depth = depth.saturating_sub(1),
            Kind::Name if !reader.is_member(at) => reader.name(at, depth),
            _ => {}
        }
    }
    reader.scan
}

struct Reader<'a> {
    source: &'a [u8],
    tokens: &'a [Token],
    scan: Scan,
    /// Variables that hold a required module.
    required: HashMap<String, String>,
}

fn keep(list: &mut Vec<String>, name: String) {
    if list.len() < NAMES_MAX && !list.contains(&name) {
        list.push(name);
    }
}

impl Reader<'_> {
    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| token.text(self.source))
    }

    fn kind(&self, at: usize) -> Kind {
        self.tokens.get(at).map_or(Kind::End, |token| token.kind)
    }

    fn punct(&self, at: usize, byte: u8) -> bool {
        self.kind(at) == Kind::Punct(byte)
    }

    fn puncts(&self, at: usize, bytes: &[u8]) -> bool {
        bytes.iter().enumerate().all(|(offset, byte)| self.punct(at + offset, *byte))
    }

    fn string(&self, at: usize) -> Option<String> {
        (self.kind(at) == Kind::String).then(|| tokens::unquoted(self.text(at)))
    }

    fn is_member(&self, at: usize) -> bool {
        at.checked_sub(1).is_some_and(|before| self.punct(before, b'.') && !self.spread(before))
    }

    /// Whether the dot at `at` is the last of `...`.
    fn spread(&self, at: usize) -> bool {
        at >= 2 && self.punct(at - 1, b'.') && self.punct(at - 2, b'.')
    }

    fn name(&mut self, at: usize, depth: usize) {
        match self.text(at) {
            "require" => self.require(at),
            "import" => self.import(at, depth),
            "export" => {
                let follows = ["default", "const", "let", "var", "function", "class", "async", "enum", "type"];
                let starts =
                    self.punct(at + 1, b'{') || self.punct(at + 1, b'*') || follows.contains(&self.text(at + 1));
                self.scan.module |= depth == 0 && starts;
            }
            "exports" => self.exports(at),
            "module" if self.punct(at + 1, b'.') && self.text(at + 2) == "exports" => self.module_exports(at + 2),
            "Object" => self.object(at),
            "__exportStar" | "__export" | "__reExport" => {
                if let Some(module) = self.first_required(at + 1) {
                    keep(&mut self.scan.reexports, module);
                }
            }
            _ => {}
        }
    }

    /// `require("...")`, and the variable that it is kept in.
    fn require(&mut self, at: usize) {
        let Some(module) = self.required_at(at) else { return };
        if at >= 2 && self.punct(at - 1, b'=') && self.kind(at - 2) == Kind::Name {
            self.required.insert(self.text(at - 2).to_owned(), module.clone());
        }
        keep(&mut self.scan.requires, module);
    }

    fn required_at(&self, at: usize) -> Option<String> {
        let call = self.text(at) == "require" && self.punct(at + 1, b'(') && self.punct(at + 3, b')');
        call.then(|| self.string(at + 2)).flatten()
    }

    /// The module of the first argument of a call, required there or before.
    fn first_required(&self, at: usize) -> Option<String> {
        // TypeScript's own helpers are called as `tslib_1.__exportStar(...)` too.
        (self.punct(at, b'('))
            .then(|| self.required_at(at + 1).or_else(|| self.required.get(self.text(at + 1)).cloned()))?
    }

    fn import(&mut self, at: usize, depth: usize) {
        if self.punct(at + 1, b'(') {
            if let Some(module) = self.string(at + 2) {
                keep(&mut self.scan.imports, module);
            }
        } else if self.punct(at + 1, b'.') {
            self.scan.module |= self.text(at + 2) == "meta";
        } else {
            let starts = matches!(self.kind(at + 1), Kind::String | Kind::Name)
                || self.punct(at + 1, b'{')
                || self.punct(at + 1, b'*');
            self.scan.module |= depth == 0 && starts;
        }
    }

    /// `exports.a = ...` and `exports["a"] = ...`
    fn exports(&mut self, at: usize) {
        let (name, after) = if self.punct(at + 1, b'.') {
            (Some(self.text(at + 2).to_owned()), at + 3)
        } else if self.punct(at + 1, b'[') && self.punct(at + 3, b']') {
            (self.string(at + 2), at + 4)
        } else {
            return;
        };
        if let Some(name) = name.filter(|_| self.punct(after, b'=') && !self.punct(after + 1, b'=')) {
            keep(&mut self.scan.exports, name);
        }
    }

    /// `module.exports = ...`, `at` being its `exports`.
    fn module_exports(&mut self, at: usize) {
        self.exports(at);
        if !self.punct(at + 1, b'=') || self.punct(at + 2, b'=') {
            return;
        }
        if let Some(module) = self.required_at(at + 2) {
            keep(&mut self.scan.reexports, module);
        } else if self.punct(at + 2, b'{') {
            self.literal(at + 3);
        }
    }

    /// The keys of an object literal whose first token is at `at`.
    fn literal(&mut self, mut at: usize) {
        loop {
            if self.puncts(at, b"...") {
                if let Some(module) = self.required_at(at + 3) {
                    keep(&mut self.scan.reexports, module);
                }
            } else {
                let accessor = ["get", "set", "async"].contains(&self.text(at)) && self.kind(at + 1) == Kind::Name;
                let key = if accessor { at + 1 } else { at };
                let name = match self.kind(key) {
                    Kind::Name => Some(self.text(key).to_owned()),
                    Kind::String => self.string(key),
                    _ => None,
                };
                let Some(name) = name else { return };
                let follows = [b',', b':', b'}', b'('];
                if !follows.iter().any(|byte| self.punct(key + 1, *byte)) {
                    return;
                }
                keep(&mut self.scan.exports, name);
            }
            let Some(comma) = self.comma(at) else { return };
            at = comma + 1;
        }
    }

    /// The comma that ends the member at `at`; `None` where the literal ends.
    fn comma(&self, mut at: usize) -> Option<usize> {
        let mut depth = 0_usize;
        loop {
            match self.kind(at) {
                Kind::End => return None,
                Kind::Punct(b'{' | b'(' | b'[') => depth += 1,
                Kind::Punct(b'}' | b')' | b']') => depth = depth.checked_sub(1)?,
                Kind::Punct(b',') if depth == 0 => return Some(at),
                _ => {}
            }
            at += 1;
        }
    }

    /// `Object.defineProperty(exports, "a", ...)` and `Object.keys(a).forEach(...)`.
    fn object(&mut self, at: usize) {
        if !self.punct(at + 1, b'.') || !self.punct(at + 3, b'(') {
            return;
        }
        match self.text(at + 2) {
            "defineProperty" => {
                let end = match (self.text(at + 4), self.text(at + 6)) {
                    ("exports", _) => at + 5,
                    ("module", "exports") => at + 7,
                    _ => return,
                };
                if let Some(name) = self.string(end + 1).filter(|_| self.punct(end, b',')) {
                    keep(&mut self.scan.exports, name);
                }
            }
            "keys" if self.punct(at + 5, b')') && self.text(at + 7) == "forEach" => {
                if let Some(module) = self.required.get(self.text(at + 4)).cloned() {
                    keep(&mut self.scan.reexports, module);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
