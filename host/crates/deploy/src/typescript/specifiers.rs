//! What a source asks for, as the file that will lie there: authors leave out
//! extensions, and name sources where JavaScript is run.

use std::collections::HashSet;

use lamina_package::joined;
use oxc::allocator::Allocator;
use oxc::ast::ast::{
    Argument, CallExpression, ExportAllDeclaration, ExportFromDeclaration, Expression, ImportDeclaration,
    ImportExpression, Program, StringLiteral, TSExternalModuleReference,
};
use oxc::ast_visit::{VisitMut, walk_mut};
use oxc::str::Str;

use super::EXTENSIONS;

/// What is tried for a name that is no file, in this order. Node and TypeScript try the
/// first two; the others are found by some bundlers, and by no rule mean anything else.
const ENDINGS: [&str; 6] = [".js", "/index.js", ".mjs", ".cjs", "/index.mjs", "/index.cjs"];

/// The files of a package: its own, and those that are made of its TypeScript.
#[derive(Debug, Default)]
pub(super) struct Names(HashSet<String>);

impl Names {
    pub(super) fn new(names: HashSet<String>) -> Self {
        Self(names)
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// What the source `from` has to say instead of a specifier, where that is to change.
    fn rewritten(&self, from: &str, specifier: &str, required: bool) -> Option<String> {
        let relative = specifier.starts_with("./") || specifier.starts_with("../") || [".", ".."].contains(&specifier);
        // An URL is taken apart before it names a file.
        if !relative || specifier.contains(['%', '?', '#', '\\']) {
            return None;
        }
        let path = joined(from, specifier)?;
        let is_folder =
            specifier.ends_with('/') || specifier.rsplit('/').next().is_some_and(|last| last == "." || last == "..");
        if self.has(&path) && !is_folder {
            return self.of_source(&path, specifier);
        }
        let (said, path) = (specifier.trim_end_matches('/'), path.as_str());
        // What `require` finds by Node's own rules is its business.
        if required && (!is_folder && self.has(&format!("{path}.json")) && !self.has(&format!("{path}.js"))) {
            return None;
        }
        let manifest = required && self.has(&format!("{path}/package.json"));
        let ending = ENDINGS.iter().find(|ending| {
            let inside = ending.starts_with('/');
            let name =
                if path.is_empty() { ending.trim_start_matches('/').to_owned() } else { format!("{path}{ending}") };
            (inside || !is_folder) && !(inside && manifest) && self.has(&name)
        })?;
        Some(format!("{said}{ending}"))
    }

    /// A source that is named whole, as the JavaScript beside it.
    fn of_source(&self, path: &str, specifier: &str) -> Option<String> {
        let (from, to) = EXTENSIONS.iter().find(|(from, _)| path.ends_with(from))?;
        let (stem, said) = (path.strip_suffix(from)?, specifier.strip_suffix(from)?);
        let ending = [*to, ".js", ".mjs", ".cjs"].into_iter().find(|ending| self.has(&format!("{stem}{ending}")))?;
        Some(format!("{said}{ending}"))
    }
}

/// Rewrites all specifiers of a source that stand there as they are. In CommonJS its
/// imports become calls of `require`.
pub(super) fn rewrite<'a>(
    program: &mut Program<'a>,
    allocator: &'a Allocator,
    names: &Names,
    from: &str,
    is_commonjs: bool,
) {
    Rewrite { allocator, names, from, is_commonjs }.visit_program(program);
}

struct Rewrite<'a, 'n> {
    allocator: &'a Allocator,
    names: &'n Names,
    from: &'n str,
    is_commonjs: bool,
}

impl<'a> Rewrite<'a, '_> {
    fn literal(&self, literal: &mut StringLiteral<'a>, required: bool) {
        if let Some(rewritten) = self.names.rewritten(self.from, literal.value.as_str(), required) {
            literal.value = Str::from_strs_array_in([rewritten.as_str()], &self.allocator);
            literal.raw = None;
        }
    }
}

impl<'a> VisitMut<'a> for Rewrite<'a, '_> {
    fn visit_import_declaration(&mut self, declaration: &mut ImportDeclaration<'a>) {
        self.literal(&mut declaration.source, self.is_commonjs);
    }

    fn visit_export_from_declaration(&mut self, declaration: &mut ExportFromDeclaration<'a>) {
        self.literal(&mut declaration.source, self.is_commonjs);
    }

    fn visit_export_all_declaration(&mut self, declaration: &mut ExportAllDeclaration<'a>) {
        self.literal(&mut declaration.source, self.is_commonjs);
    }

    fn visit_ts_external_module_reference(&mut self, reference: &mut TSExternalModuleReference<'a>) {
        self.literal(&mut reference.expression, true);
    }

    fn visit_import_expression(&mut self, import: &mut ImportExpression<'a>) {
        match &mut import.source {
            Expression::StringLiteral(literal) => self.literal(literal, false),
            _ => walk_mut::walk_import_expression(self, import),
        }
    }

    fn visit_call_expression(&mut self, call: &mut CallExpression<'a>) {
        if call.callee.is_specific_id("require")
            && let [Argument::StringLiteral(literal)] = call.arguments.as_mut_slice()
        {
            self.literal(literal, true);
        }
        walk_mut::walk_call_expression(self, call);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specifiers_become_the_files_that_will_be_there() {
        // As they are when `jobs` is done: with what is made of sources.
        let names = [
            "a.ts",
            "a.js",
            "a/index.ts",
            "a/index.js",
            "lib/index.ts",
            "lib/index.js",
            "lib/b.service.ts",
            "lib/b.service.js",
            "c.mts",
            "c.mjs",
            "d.cts",
            "d.cjs",
            "e.tsx",
            "e.js",
            "f.js",
            "index.ts",
            "index.js",
            "g.json",
            "g/index.ts",
            "g/index.js",
            "h/package.json",
            "h/index.ts",
            "h/index.js",
            "k.ts",
            "k.mjs",
            "m",
            "m.ts",
            "m.js",
            "n.v1.ts",
            "n.v1.js",
            "o/index.mts",
            "o/index.mjs",
            "p.ts",
            "q.d.ts",
        ];
        let names = Names::new(names.iter().map(|name| (*name).to_owned()).collect());
        let check = |from: &str, specifier: &str, imported: Option<&str>, required: Option<&str>| {
            assert_eq!(names.rewritten(from, specifier, false).as_deref(), imported, "{specifier} imported in {from}");
            assert_eq!(names.rewritten(from, specifier, true).as_deref(), required, "{specifier} required in {from}");
        };
        for (from, specifier, to) in [
            // A file before a folder.
            ("x.ts", "./a", "./a.js"),
            ("x.ts", "./a/", "./a/index.js"),
            ("x.ts", "./a/index", "./a/index.js"),
            ("x.ts", "./lib", "./lib/index.js"),
            ("x.ts", "./lib/b.service", "./lib/b.service.js"),
            ("x.ts", "./n.v1", "./n.v1.js"),
            ("lib/x.ts", "./b.service.ts", "./b.service.js"),
            ("lib/x.ts", "../lib/../a", "../lib/../a.js"),
            ("lib/x.ts", ".", "./index.js"),
            ("lib/x.ts", "./", "./index.js"),
            ("lib/x.ts", "..", "../index.js"),
            ("lib/deep/x.ts", "../..", "../../index.js"),
            ("a/index.ts", "../a", "../a.js"),
            ("x.ts", "./c", "./c.mjs"),
            ("x.ts", "./c.mts", "./c.mjs"),
            ("x.ts", "./d", "./d.cjs"),
            ("x.ts", "./d.cts", "./d.cjs"),
            ("x.ts", "./e", "./e.js"),
            ("x.ts", "./e.tsx", "./e.js"),
            ("x.ts", "./f", "./f.js"),
            ("x.ts", "./k.ts", "./k.mjs"),
            ("x.ts", "./o", "./o/index.mjs"),
        ] {
            check(from, specifier, Some(to), Some(to));
        }
        check("x.ts", "./g", Some("./g/index.js"), None);
        check("x.ts", "./h", Some("./h/index.js"), None);
        let left = [
            "./a.js",
            "./m",
            "./g.json",
            "./none",
            "./none.ts",
            "./p.ts",
            "./q",
            "../a",
            "a",
            "lib",
            "/a",
            "./a?b",
            "./%61",
        ];
        for specifier in left {
            check("x.ts", specifier, None, None);
        }
    }
}
