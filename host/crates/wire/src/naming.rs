//! How requests name functions (reference 1.2): name, partial ARN or full ARN,
//! with a qualifier in the name, in the query, or both when they agree.

use lamina_types::names::FunctionNaming;
use lamina_types::{AccountId, FunctionArn, FunctionName, FunctionRef, NameError, Qualifier, Region};

use crate::error::Invalid;
use crate::pattern::{self, Pattern};
use crate::violation::Violations;

/// Longest name of a function.
const NAME_CHARS_MAX: usize = 64;

/// Whose platform this is: what ARNs begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The region.
    pub region: Region,
    /// The account.
    pub account: AccountId,
}

impl Owner {
    /// The ARN of a function, as asked for.
    pub fn arn(&self, name: &FunctionName, qualifier: Option<&Qualifier>) -> FunctionArn {
        let function = FunctionRef { name: name.clone(), qualifier: qualifier.cloned() };
        FunctionArn { region: self.region.clone(), account: self.account.clone(), function }
    }

    /// The ARN with whatever stands in the places of name and qualifier.
    fn arn_of(&self, rest: &str) -> String {
        format!("arn:aws:lambda:{}:{}:function:{rest}", self.region, self.account)
    }
}

/// Which of the model's shapes a call's name has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `FunctionName`: up to 140 characters.
    Plain,
    /// `NamespacedFunctionName`: up to 256 characters.
    Namespaced,
}

impl Shape {
    fn rules(self) -> (&'static Pattern, usize) {
        match self {
            Self::Plain => (&pattern::FUNCTION_NAME, 140),
            Self::Namespaced => (&pattern::NAMESPACED_FUNCTION_NAME, 256),
        }
    }
}

/// Layer one for a name.
pub fn check(text: Option<&String>, shape: Shape, violations: &mut Violations) {
    let (pattern, most) = shape.rules();
    violations.pattern("functionName", text, pattern);
    violations.length("functionName", text, 1..=most);
}

/// A name (and perhaps the query's qualifier) as a reference to a function of
/// `owner`. Call [`check`] first, or let [`resolve`] do it.
pub fn resolve(text: &str, qualifier: Option<&str>, shape: Shape, owner: &Owner) -> Result<FunctionRef, Invalid> {
    let mut violations = Violations::new();
    check(Some(&text.to_owned()), shape, &mut violations);
    let given = qualifier.map(str::to_owned);
    violations.pattern("qualifier", given.as_ref(), &pattern::QUALIFIER);
    violations.length("qualifier", given.as_ref(), 1..=128);
    violations.finish()?;
    let mut function = owned(text, owner)?;
    let Some(asked) = qualifier else { return Ok(function) };
    let asked: Qualifier = asked
        .parse()
        .map_err(|_| Invalid::NoSuchFunction { arn: owner.arn_of(&format!("{}:{asked}", function.name)) })?;
    match &function.qualifier {
        Some(own) if *own != asked => Err(Invalid::Parameter(
            "The derived qualifier from the function name does not match the specified qualifier.".into(),
        )),
        _ => {
            function.qualifier = Some(asked);
            Ok(function)
        }
    }
}

/// The name of a function to be made: no qualifier, at most 64 characters.
pub fn created(text: &str, owner: &Owner) -> Result<FunctionName, Invalid> {
    let bare = text.rsplit(':').next().unwrap_or(text);
    if bare.chars().count() > NAME_CHARS_MAX {
        let mut violations = Violations::new();
        violations.length("functionName", Some(&bare.to_owned()), 1..=NAME_CHARS_MAX);
        // Recorded: layer one's words under layer two's name.
        return match violations.finish() {
            Err(Invalid::Validation(text)) => Err(Invalid::Parameter(text)),
            other => other.and_then(|()| Err(Invalid::Parameter("the function's name is too long".into()))),
        };
    }
    let function = owned(text, owner)?;
    match function.qualifier {
        None => Ok(function.name),
        Some(_) => {
            let mut violations = Violations::new();
            violations.add("functionName", text, &pattern::FUNCTION_NAME.constraint());
            violations.finish()?;
            Ok(function.name)
        }
    }
}

/// A full ARN in a path, as tags take it. `None` when it is of something else
/// than a function.
pub fn tagged(arn: &str, owner: &Owner) -> Result<Option<FunctionRef>, Invalid> {
    let mut violations = Violations::new();
    let given = arn.to_owned();
    violations.pattern("resource", Some(&given), &pattern::TAGGABLE);
    violations.length("resource", Some(&given), 1..=256);
    violations.finish()?;
    if !arn.contains(":function:") {
        return Ok(None);
    }
    owned(arn, owner).map(Some)
}

fn owned(text: &str, owner: &Owner) -> Result<FunctionRef, Invalid> {
    let no_such = |error: NameError| Invalid::NoSuchFunction { arn: owner.arn_of(&error.value) };
    let naming: FunctionNaming = text.parse().map_err(no_such)?;
    match naming {
        FunctionNaming::Plain(function) => Ok(function),
        FunctionNaming::Partial(account, function) if account == owner.account => Ok(function),
        FunctionNaming::Arn(arn) if arn.region != owner.region => {
            Err(Invalid::OtherRegion { region: arn.region.to_string(), here: owner.region.to_string() })
        }
        FunctionNaming::Arn(arn) if arn.account == owner.account => Ok(arn.function),
        FunctionNaming::Partial(..) | FunctionNaming::Arn(_) => Err(Invalid::OtherAccount),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Owner {
        Owner { region: "us-east-1".parse().unwrap(), account: "000000000000".parse().unwrap() }
    }

    fn check_ok(text: &str, qualifier: Option<&str>, expect: &str) {
        let function = resolve(text, qualifier, Shape::Namespaced, &owner()).unwrap();
        let shown = match function.qualifier {
            Some(qualifier) => format!("{}:{qualifier}", function.name),
            None => function.name.to_string(),
        };
        assert_eq!(shown, expect, "{text}");
    }

    #[test]
    fn ways_to_name_a_function() {
        check_ok("f", None, "f");
        check_ok("f:1", Some("1"), "f:1");
        check_ok("f", Some("$LATEST"), "f:$LATEST");
        check_ok("000000000000:function:f", None, "f");
        check_ok("arn:aws:lambda:us-east-1:000000000000:function:f:live", None, "f:live");
        check_ok("arn:aws:lambda:us-east-1:000000000000:function", None, "function");
    }

    #[test]
    fn ways_to_name_none() {
        let error = |text: &str, qualifier| resolve(text, qualifier, Shape::Namespaced, &owner()).unwrap_err();
        assert!(matches!(error("a b", None), Invalid::Validation(_)));
        assert!(matches!(error("f:1:2", None), Invalid::Validation(_)));
        assert!(matches!(error("f:1", Some("2")), Invalid::Parameter(_)));
        assert!(matches!(error("f", Some("$latest")), Invalid::NoSuchFunction { .. }));
        assert!(matches!(error(&"x".repeat(65), None), Invalid::NoSuchFunction { .. }));
        assert_eq!(
            error("arn:aws:lambda:eu-west-1:000000000000:function:f", None).to_string(),
            "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')"
        );
        assert!(matches!(error("arn:aws:lambda:us-east-1:111111111111:function:f", None), Invalid::OtherAccount));
    }

    #[test]
    fn names_of_new_functions() {
        assert_eq!(created("f", &owner()).unwrap().as_str(), "f");
        let long = created(&"x".repeat(65), &owner()).unwrap_err();
        assert!(matches!(&long, Invalid::Parameter(text) if text.contains("less than or equal to 64")), "{long}");
        assert!(matches!(created("f:1", &owner()), Err(Invalid::Validation(_))));
    }
}
