//! One source: parsed, its types erased, printed. Uses as much stack as the source
//! nests.
//!
//! Enums and parameter properties become code; decorators are those of TypeScript's
//! `experimentalDecorators`, without metadata; imports that are only used as types go,
//! as with tsc's defaults; `./x.ts` and `./x` in an import become `./x.js`. Language features
//! stay as they are: the engine has them.

use std::path::Path;

use lamina_artifacts::PackageFile;
use oxc::allocator::Allocator;
use oxc::ast::ast::{Declaration, Program, Statement};
use oxc::codegen::{Codegen, CodegenOptions};
use oxc::diagnostics::OxcDiagnostic;
use oxc::parser::Parser;
use oxc::semantic::SemanticBuilder;
use oxc::span::SourceType;
use oxc::transformer::{HelperLoaderMode, RewriteExtensionsMode, TransformOptions, Transformer};

use super::commonjs;
use super::enums::{ENUMS_BYTES_MAX, are_short};
use super::kind::Kind;
use super::specifiers::{self, Names};

/// A source without its types.
pub(super) struct Erased {
    pub(super) code: String,
    /// The source map, as JSON.
    pub(super) map: String,
}

/// What the transformer's code for decorators calls, in one line before the code.
const HELPERS: &str = "\
var babelHelpers={\
decorate(d,t,k,s){var r=arguments.length<3?t:s===null?s=Object.getOwnPropertyDescriptor(t,k):s;\
for(var i=d.length-1;i>=0;i--){var f=d[i];if(f)r=(arguments.length<3?f(r):arguments.length>3?f(t,k,r):f(t,k))||r}\
return arguments.length>3&&r&&Object.defineProperty(t,k,r),r},\
decorateParam(i,f){return(t,k)=>f(t,k,i)}};
";

/// Erases the types of a source; the reason when it has bad syntax, or is too large.
pub(super) fn erased(name: &str, text: &str, kind: Kind, names: &Names) -> Result<Erased, String> {
    let file = name.rsplit('/').next().unwrap_or(name);
    let source_type = SourceType::from_path(file).map_err(|error| error.to_string())?;
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, text, source_type).parse();
    if let Some(first) = parsed.diagnostics.first() {
        return Err(place(first, text));
    }
    let mut program = parsed.program;
    if !are_short(&program) {
        return Err(format!("the members of its enums come to more than {ENUMS_BYTES_MAX} bytes"));
    }
    // Only CommonJS has `export =`, whatever else there is.
    let assigns = program.body.iter().any(|statement| matches!(statement, Statement::TSExportAssignment(_)));
    let is_commonjs = kind == Kind::CommonJs || (kind == Kind::ByText && assigns);
    let imports_require = program.body.iter().any(is_import_equals);
    specifiers::rewrite(&mut program, &allocator, names, name, is_commonjs);
    // Without their values a string would get a name back, as only numbers do.
    let semantic = SemanticBuilder::new().with_enum_eval(true).build(&program);
    if let Some(first) = semantic.diagnostics.first() {
        return Err(place(first, text));
    }
    let mut options = TransformOptions::default();
    options.typescript.rewrite_import_extensions = Some(RewriteExtensionsMode::Rewrite);
    options.decorator.legacy = true;
    options.helper_loader.mode = HelperLoaderMode::External;
    let scoping = semantic.semantic.into_scoping();
    let transformed = Transformer::new(&allocator, Path::new(file), &options).build_with_scoping(scoping, &mut program);
    if let Some(first) = transformed.diagnostics.first() {
        return Err(place(first, text));
    }
    let mut heads = Vec::new();
    if is_commonjs {
        heads.extend(commonjs::transform(&mut program, &allocator, text));
    } else if imports_require || kind == Kind::ByText {
        heads.extend(commonjs_names(&program, text));
    }
    let options = CodegenOptions { source_map_path: Some(file.into()), ..CodegenOptions::default() };
    let printed = Codegen::new().with_options(options).build(&program);
    let map = printed.map.ok_or("there is no source map of it")?.to_json_string();
    if printed.code.contains("babelHelpers.") {
        heads.push(HELPERS.to_owned());
    }
    // Each is a line more before the rest, also in the map.
    let mappings = format!("\"mappings\":\"{}", ";".repeat(heads.len()));
    let map = map.replacen("\"mappings\":\"", &mappings, 1);
    Ok(Erased { code: [heads.concat(), printed.code].concat(), map })
}

/// Whether this is `import x = require("y")`, perhaps exported.
fn is_import_equals(statement: &Statement<'_>) -> bool {
    match statement {
        Statement::TSImportEqualsDeclaration(_) => true,
        Statement::ExportDeclaration(export) => {
            matches!(export.declaration, Declaration::TSImportEqualsDeclaration(_))
        }
        _ => false,
    }
}

/// What an ES module needs before it for what only CommonJS has by itself: TypeScript
/// writes the first for `import x = require("y")`, and a source that does not say that it
/// is an ES module counts on all. Only names that nothing declares are declared here.
fn commonjs_names(program: &Program<'_>, text: &str) -> Option<String> {
    if !program.body.iter().any(Statement::is_module_declaration) {
        return None;
    }
    let semantic = SemanticBuilder::new().build(program).semantic;
    let unresolved = semantic.scoping().root_unresolved_references();
    let is_free = |name: &str| unresolved.keys().any(|free| free.as_str() == name);
    let mut head = String::new();
    if is_free("require") {
        let create = commonjs::unused(text, "createRequire");
        head.push_str(&format!("import{{createRequire as {create}}}from\"node:module\";"));
        head.push_str(&format!("const require={create}(import.meta.url);"));
    }
    for (name, member) in [("__filename", "filename"), ("__dirname", "dirname")] {
        if is_free(name) {
            head.push_str(&format!("const {name}=import.meta.{member};"));
        }
    }
    (!head.is_empty()).then(|| head + "\n")
}

/// Line, column and message, as a compiler tells them.
fn place(error: &OxcDiagnostic, text: &str) -> String {
    let label = error.labels.first();
    let before = label.and_then(|label| text.get(..usize::try_from(label.offset()).ok()?));
    let Some(before) = before else { return error.message.to_string() };
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("{line}:{column}: {}", error.message)
}

/// A module that throws: what is wrong with `source` shows when it is imported.
pub(super) fn thrown(source: &str, code: &str, why: &str) -> PackageFile {
    let text = format!("{source}: {why}");
    let mut quoted = String::new();
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => quoted.push(c),
        }
    }
    PackageFile { name: code.to_owned(), content: format!("throw new SyntaxError(\"{quoted}\");\n").into_bytes() }
}
