//! Layer one of Lambda's validation: the service model's constraints, all
//! violations in one answer (reference 3.2).

use crate::error::Invalid;
use crate::pattern::Pattern;

/// Collects violations; [`Violations::finish`] turns them into one error.
#[derive(Debug, Default)]
pub struct Violations {
    found: Vec<String>,
}

impl Violations {
    /// None so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one. `shown` is how the value prints.
    pub fn add(&mut self, path: &str, shown: &str, constraint: &str) {
        self.found.push(format!("Value '{shown}' at '{path}' failed to satisfy constraint: {constraint}"));
    }

    /// The member must be there.
    pub fn required<T>(&mut self, path: &str, value: Option<&T>) {
        if value.is_none() {
            self.found.push(format!("Value null at '{path}' failed to satisfy constraint: Member must not be null"));
        }
    }

    /// The text, if given, must be this long (in characters).
    pub fn length(&mut self, path: &str, value: Option<&String>, range: std::ops::RangeInclusive<usize>) {
        let Some(value) = value else { return };
        let length = value.chars().count();
        if length > *range.end() {
            self.add(path, value, &format!("Member must have length less than or equal to {}", range.end()));
        } else if length < *range.start() {
            self.add(path, value, &format!("Member must have length greater than or equal to {}", range.start()));
        }
    }

    /// The text, if given, must match.
    pub fn pattern(&mut self, path: &str, value: Option<&String>, pattern: &Pattern) {
        if let Some(value) = value.filter(|value| !(pattern.matches)(value)) {
            self.add(path, value, &pattern.constraint());
        }
    }

    /// The text, if given, must be one of these.
    pub fn one_of(&mut self, path: &str, value: Option<&String>, allowed: &[&str]) {
        if let Some(value) = value.filter(|value| !allowed.contains(&value.as_str())) {
            self.add(path, value, &enum_constraint(allowed));
        }
    }

    /// The number, if given, must be in the range.
    pub fn range(&mut self, path: &str, value: Option<i64>, range: std::ops::RangeInclusive<i64>) {
        let Some(value) = value else { return };
        let shown = value.to_string();
        if value > *range.end() {
            self.add(path, &shown, &format!("Member must have value less than or equal to {}", range.end()));
        } else if value < *range.start() {
            self.add(path, &shown, &format!("Member must have value greater than or equal to {}", range.start()));
        }
    }

    /// The list, if given, must have at most so many elements.
    pub fn count(&mut self, path: &str, values: Option<&Vec<String>>, most: usize) {
        if let Some(values) = values.filter(|values| values.len() > most) {
            self.add(path, &list(values), &format!("Member must have length less than or equal to {most}"));
        }
    }

    /// Every element, if there are any, must meet the constraint.
    pub fn each(&mut self, path: &str, values: Option<&Vec<String>>, meets: impl Fn(&str) -> bool, constraint: &str) {
        if let Some(values) = values.filter(|values| !values.iter().all(|value| meets(value))) {
            self.add(path, &list(values), &format!("Member must satisfy constraint: [{constraint}]"));
        }
    }

    /// One ValidationException over all that was found.
    pub fn finish(self) -> Result<(), Invalid> {
        let count = self.found.len();
        match count {
            0 => Ok(()),
            1 => Err(Invalid::Validation(format!("1 validation error detected: {}", self.found[0]))),
            _ => Err(Invalid::Validation(format!("{count} validation errors detected: {}", self.found.join("; ")))),
        }
    }
}

/// The constraint of an enum, in the words clients know.
pub fn enum_constraint(allowed: &[&str]) -> String {
    format!("Member must satisfy enum value set: [{}]", allowed.join(", "))
}

fn list(values: &[String]) -> String {
    format!("[{}]", values.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern;

    #[test]
    fn all_violations_in_one_text() {
        let mut one = Violations::new();
        one.range("memorySize", Some(64), 128..=32_768);
        assert_eq!(
            one.finish(),
            Err(Invalid::Validation(
                "1 validation error detected: Value '64' at 'memorySize' failed to satisfy constraint: Member must \
                 have value greater than or equal to 128"
                    .into()
            ))
        );
        let mut two = Violations::new();
        two.required::<String>("role", None);
        two.pattern("handler", Some(&"a b".to_owned()), &pattern::HANDLER);
        let Err(Invalid::Validation(text)) = two.finish() else { panic!("must fail") };
        assert_eq!(
            text,
            "2 validation errors detected: Value null at 'role' failed to satisfy constraint: Member must not be \
             null; Value 'a b' at 'handler' failed to satisfy constraint: Member must satisfy regular expression \
             pattern: [^\\s]+"
        );
        assert_eq!(Violations::new().finish(), Ok(()));
    }

    #[test]
    fn lists_print_in_brackets() {
        let mut violations = Violations::new();
        let given = vec!["x86_64".to_owned(), "mips".to_owned()];
        violations.each("architectures", Some(&given), |v| v != "mips", &enum_constraint(&["x86_64", "arm64"]));
        let Err(Invalid::Validation(text)) = violations.finish() else { panic!("must fail") };
        assert!(text.contains("Value '[x86_64, mips]' at 'architectures'"), "{text}");
        assert!(
            text.ends_with("Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64]]")
        );
    }
}
