//! ES modules as CommonJS, as TypeScript compiles them where a `package.json` or an
//! extension says CommonJS: with `esModuleInterop`.
//!
//! Imports and exports are taken apart by the transformer that oxc has for module
//! runners: exports become getters before everything else, and what is imported is read
//! off its module wherever it is named, so that both are live and cycles work. It writes
//! calls that a module runner waits for; here they become `require`.

use oxc::allocator::{Allocator, ArenaVec, TakeIn as _};
use oxc::ast::ast::{
    Argument, BindingIdentifier, Expression, IdentifierReference, ImportDeclarationSpecifier, Program, Statement,
};
use oxc::ast::builder::AstBuilder;
use oxc::ast_visit::{VisitMut, walk_mut};
use oxc::semantic::SemanticBuilder;
use oxc::span::SPAN;
use oxc::str::Ident;
use oxc::transformer_plugins::ModuleRunnerTransform;

/// How all names start that the transformer writes.
const PREFIX: &str = "__vite_ssr_";

/// What stands before the code, in its one line. The runtime reads the names that a
/// module passes on off calls of `__exportStar`, as TypeScript's own helper is called.
fn head(default: &str, star: &str) -> String {
    format!(
        "\"use strict\";Object.defineProperty(exports,\"__esModule\",{{value:true}});\
         function {default}(m){{return m&&m.__esModule?m:{{default:m}}}}\
         function {star}(m){{if(m&&m.__esModule)return m;var n={{}};\
         if(m!=null)for(let k of Object.getOwnPropertyNames(Object(m)))if(k!==\"default\")\
         Object.defineProperty(n,k,{{enumerable:true,get(){{return m[k]}}}});n.default=m;return n}}\
         function __exportStar(m){{for(let k of Object.keys(Object(m)))\
         if(k!==\"default\"&&!Object.prototype.hasOwnProperty.call(exports,k))\
         Object.defineProperty(exports,k,{{enumerable:true,get(){{return m[k]}}}})}}\n"
    )
}

/// Makes CommonJS of a program without types; what is to stand before it, if it had
/// anything of an ES module.
pub(super) fn transform<'a>(program: &mut Program<'a>, allocator: &'a Allocator, text: &str) -> Option<String> {
    if !program.body.iter().any(Statement::is_module_declaration) {
        return None;
    }
    let builder = AstBuilder::new(allocator);
    let forms = forms(program, &builder);
    // The types' transformer does not keep all it needs of what it was given.
    let scoping = SemanticBuilder::new().build(program).semantic.into_scoping();
    ModuleRunnerTransform::new().transform(allocator, program, scoping);
    let names = ["__importDefault", "__importStar", "default_1", "imported_"];
    let [default, star, value, imported] = names.map(|name| unused(text, name));
    let (default, star, value, imported) = (default.as_str(), star.as_str(), value.as_str(), imported.as_str());
    let mut names = Rename { allocator, builder: &builder, default, star, value, imported };
    for (init, form) in program.body.iter_mut().filter_map(import_of).zip(forms) {
        names.import(init, form);
    }
    names.visit_program(program);
    Some(head(default, star))
}

/// A name that is nowhere in the text.
pub(super) fn unused(text: &str, name: &str) -> String {
    let mut name = name.to_owned();
    while text.contains(&name) {
        name.push('_');
    }
    name
}

/// What of a module is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Names, all names, or nothing: the module serves as it is.
    Plain,
    Default,
    /// Its namespace, or `default` beside names.
    Star,
}

impl Form {
    fn of<'n>(names: impl ExactSizeIterator<Item = &'n str>) -> Self {
        let count = names.len();
        match names.filter(|name| *name == "default").count() {
            0 => Self::Plain,
            defaults if defaults == count => Self::Default,
            _ => Self::Star,
        }
    }
}

/// The forms of all imports, in the order in which the transformer writes them.
///
/// `import a, * as b` becomes two imports: the transformer would lose the first.
fn forms<'a>(program: &mut Program<'a>, builder: &AstBuilder<'a>) -> Vec<Form> {
    let (mut forms, mut body) = (Vec::new(), ArenaVec::with_capacity_in(program.body.len(), builder));
    for mut statement in program.body.drain(..) {
        let mut second = None;
        match &mut statement {
            Statement::ImportDeclaration(import) => {
                let is_namespace = |specifier: Option<&ImportDeclarationSpecifier<'_>>| {
                    matches!(specifier, Some(ImportDeclarationSpecifier::ImportNamespaceSpecifier(_)))
                };
                let (source, span, kind) = (import.source.clone(), import.span, import.import_kind);
                if let Some(specifiers) = &mut import.specifiers
                    && specifiers.len() > 1
                    && is_namespace(specifiers.last())
                    && let Some(namespace) = specifiers.pop()
                {
                    let only = Some(ArenaVec::from_value_in(namespace, builder));
                    second = Some(Statement::new_import_declaration(span, only, source, None, None, kind, builder));
                }
                let specifiers = import.specifiers.as_ref().map_or(&[][..], |specifiers| specifiers.as_slice());
                forms.push(match is_namespace(specifiers.last()) {
                    true => Form::Star,
                    false => Form::of(specifiers.iter().map(|specifier| match specifier {
                        ImportDeclarationSpecifier::ImportSpecifier(named) => named.imported.name().as_str(),
                        _ => "default",
                    })),
                });
            }
            Statement::ExportFromDeclaration(export) => {
                forms.push(Form::of(export.specifiers.iter().map(|specifier| specifier.local.name().as_str())));
            }
            Statement::ExportAllDeclaration(export) => {
                forms.push(if export.exported.is_some() { Form::Star } else { Form::Plain });
            }
            _ => {}
        }
        body.push(statement);
        if let Some(second) = second {
            forms.push(Form::Star);
            body.push(second);
        }
    }
    program.body = body;
    forms
}

/// Puts CommonJS in the place of what module runners have.
struct Rename<'a, 'n> {
    allocator: &'a Allocator,
    builder: &'n AstBuilder<'a>,
    default: &'n str,
    star: &'n str,
    value: &'n str,
    imported: &'n str,
}

impl<'a> Rename<'a, '_> {
    /// `await import_("x", {importedNames: [...]})` becomes `require("x")`.
    fn import(&self, init: &mut Expression<'a>, form: Form) {
        let Expression::AwaitExpression(wait) = init else { return };
        let Expression::CallExpression(call) = &mut wait.argument else { return };
        let Some(source) = call.arguments.first_mut() else { return };
        let required = self.call("require", source.take_in(self.builder));
        *init = match form {
            Form::Plain => required,
            Form::Default => self.call(self.default, Argument::from(required)),
            Form::Star => self.call(self.star, Argument::from(required)),
        };
    }

    fn call(&self, name: &str, argument: Argument<'a>) -> Expression<'a> {
        let callee = Expression::new_identifier(SPAN, self.ident(name), self.builder);
        Expression::new_call_expression(SPAN, callee, None, [argument], false, self.builder)
    }

    fn ident(&self, name: &str) -> Ident<'a> {
        Ident::from_strs_array_in([name], &self.allocator)
    }

    fn renamed(&self, name: &str) -> Option<Ident<'a>> {
        let name = name.strip_prefix(PREFIX)?;
        Some(match name {
            "exports__" => self.ident("exports"),
            "exportAll__" => self.ident("__exportStar"),
            "export_default__" => self.ident(self.value),
            name => Ident::from_strs_array_in([self.imported, name.strip_prefix("import_")?], &self.allocator),
        })
    }
}

/// The value of a declaration that the transformer made of an import.
fn import_of<'a, 'b>(statement: &'b mut Statement<'a>) -> Option<&'b mut Expression<'a>> {
    let Statement::VariableDeclaration(declaration) = statement else { return None };
    let [declarator] = declaration.declarations.as_mut_slice() else { return None };
    let init = declarator.init.as_mut()?;
    let Expression::AwaitExpression(wait) = &*init else { return None };
    let Expression::CallExpression(call) = &wait.argument else { return None };
    call.callee.is_specific_id("__vite_ssr_import__").then_some(init)
}

impl<'a> VisitMut<'a> for Rename<'a, '_> {
    fn visit_identifier_reference(&mut self, identifier: &mut IdentifierReference<'a>) {
        if let Some(name) = self.renamed(identifier.name.as_str()) {
            identifier.name = name;
        }
    }

    fn visit_binding_identifier(&mut self, identifier: &mut BindingIdentifier<'a>) {
        if let Some(name) = self.renamed(identifier.name.as_str()) {
            identifier.name = name;
        }
    }

    fn visit_expression(&mut self, expression: &mut Expression<'a>) {
        match expression {
            // As the author wrote it: only ES modules have it, and the engine says so.
            Expression::Identifier(name) if name.name == "__vite_ssr_import_meta__" => {
                *expression = Expression::new_import_meta(name.span, self.builder);
            }
            Expression::CallExpression(call) if call.callee.is_specific_id("__vite_ssr_dynamic_import__") => {
                let span = call.span;
                let mut arguments = call.arguments.take_in(self.builder).into_iter();
                let source = arguments.next().map(Argument::into_expression);
                let options = arguments.next().map(Argument::into_expression);
                if let Some(source) = source {
                    *expression = Expression::new_import_expression(span, source, options, None, self.builder);
                }
                walk_mut::walk_expression(self, expression);
            }
            _ => walk_mut::walk_expression(self, expression),
        }
    }
}
