//! How long the strings become that members of enums evaluate to. TypeScript evaluates
//! them when it compiles, and has no bound: `b = a + a`, `c = b + b` and so on doubles
//! with each member. Here they are measured before anything evaluates them.

use std::collections::HashMap;

use oxc::ast::ast::{BinaryOperator, Expression, Program, TSEnumDeclaration};
use oxc::ast_visit::{Visit, walk};

/// All that is made while members are evaluated, in bytes.
pub(super) const ENUMS_BYTES_MAX: usize = 4 << 20;
/// No number is longer in JavaScript.
const NUMBER_BYTES: usize = 25;

/// Whether members and all their parts have at most [`ENUMS_BYTES_MAX`].
pub(super) fn are_short(program: &Program<'_>) -> bool {
    let mut lengths = Lengths::default();
    lengths.visit_program(program);
    lengths.total <= ENUMS_BYTES_MAX
}

/// Upper bounds: a member is as long as the longest of its name, whichever enum it is in.
#[derive(Default)]
struct Lengths<'a> {
    members: HashMap<&'a str, usize>,
    total: usize,
}

impl<'a> Visit<'a> for Lengths<'a> {
    fn visit_ts_enum_declaration(&mut self, declaration: &TSEnumDeclaration<'a>) {
        // What is declared in a member's function is evaluated first.
        walk::walk_ts_enum_declaration(self, declaration);
        for member in &declaration.body.members {
            if let Some(initializer) = &member.initializer {
                let bytes = self.expression(initializer);
                let longest = self.members.entry(member.id.static_name().as_str()).or_default();
                *longest = bytes.max(*longest);
            }
        }
    }
}

impl<'a> Lengths<'a> {
    /// The length of a value, which is added to the total, as are those of its parts.
    fn expression(&mut self, expression: &Expression<'a>) -> usize {
        let bytes = match expression {
            Expression::StringLiteral(literal) => literal.value.len(),
            Expression::TemplateLiteral(template) => {
                let text = template.quasis.iter().map(|quasi| quasi.value.raw.len());
                let text = text.fold(0, usize::saturating_add);
                template.expressions.iter().fold(text, |bytes, part| bytes.saturating_add(self.expression(part)))
            }
            Expression::BinaryExpression(binary) => {
                let left = self.expression(&binary.left);
                let both = left.saturating_add(self.expression(&binary.right));
                if binary.operator == BinaryOperator::Addition { both } else { NUMBER_BYTES }
            }
            Expression::UnaryExpression(unary) => self.expression(&unary.argument),
            Expression::ParenthesizedExpression(inner) => self.expression(&inner.expression),
            Expression::Identifier(name) => self.member(name.name.as_str()),
            Expression::StaticMemberExpression(member) => self.member(member.property.name.as_str()),
            Expression::ComputedMemberExpression(member) => match &member.expression {
                Expression::StringLiteral(name) => self.member(name.value.as_str()),
                _ => NUMBER_BYTES,
            },
            _ => NUMBER_BYTES,
        };
        let bytes = bytes.max(NUMBER_BYTES);
        self.total = self.total.saturating_add(bytes);
        bytes
    }

    fn member(&self, name: &str) -> usize {
        self.members.get(name).copied().unwrap_or(NUMBER_BYTES)
    }
}
