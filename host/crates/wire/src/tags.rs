//! Tags (reference 4.7).

use std::collections::BTreeMap;

use lamina_types::limits::TAGS_MAX;
use serde::Serialize;

use crate::error::Invalid;
use crate::object::Object;
use crate::violation::Violations;

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// TagResource's body.
pub fn parse(body: &[u8]) -> Result<Tags, Invalid> {
    let mut body = Object::parse(body)?;
    let tags = body.text_map("Tags")?;
    let mut violations = Violations::new();
    violations.required("tags", tags.as_ref());
    violations.finish()?;
    body.finish("TagResource")?;
    let tags = tags.unwrap_or_default();
    if tags.is_empty() {
        return Err(Invalid::Parameter("An error occurred and the request cannot be processed.".into()));
    }
    check(&tags)?;
    Ok(tags)
}

/// Layer two for any set of tags.
pub fn check(tags: &Tags) -> Result<(), Invalid> {
    if tags.len() > TAGS_MAX {
        return Err(Invalid::Parameter("Number of tags exceeds resource tag limit.".into()));
    }
    for (key, value) in tags {
        if key.is_empty() || key.chars().count() > 128 || !key.chars().all(allowed) {
            return Err(Invalid::Parameter(format!(
                "The tag key '{key}' is not allowed: 1 to 128 letters, digits, spaces and _.:/=+-@"
            )));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(Invalid::Parameter(format!("The tag key '{key}' is not allowed: aws: is a reserved prefix")));
        }
        if value.chars().count() > 256 || !value.chars().all(allowed) {
            return Err(Invalid::Parameter(format!(
                "The value of tag '{key}' is not allowed: up to 256 letters, digits, spaces and _.:/=+-@"
            )));
        }
    }
    Ok(())
}

fn allowed(c: char) -> bool {
    c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c)
}

/// ListTags' answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TagList<'a> {
    /// All of them.
    pub tags: &'a Tags,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_checked() {
        assert_eq!(parse(br#"{"Tags":{"a":"1","lamina:fuel":"5000"}}"#).unwrap().len(), 2);
        let many: Tags = (0..51).map(|n| (n.to_string(), String::new())).collect();
        assert_eq!(check(&many).unwrap_err().to_string(), "Number of tags exceeds resource tag limit.");
        for bad in [r#"{"aws:x":"1"}"#, r#"{"":"1"}"#, r#"{"a*":"1"}"#, r#"{"a":"<"}"#, "{}"] {
            let body = format!(r#"{{"Tags":{bad}}}"#);
            assert!(matches!(parse(body.as_bytes()), Err(Invalid::Parameter(_))), "{bad}");
        }
        assert!(matches!(parse(b"{}"), Err(Invalid::Validation(_))));
    }
}
