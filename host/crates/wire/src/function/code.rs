//! Code: the member of CreateFunction, and UpdateFunctionCode.

use crate::error::Invalid;
use crate::object::Object;
use crate::violation::{Violations, enum_constraint};

/// The model's architectures. Components run on both alike.
pub(super) const ARCHITECTURES: &[&str] = &["x86_64", "arm64"];

/// Members that say where code is, other than in the request.
const ELSEWHERE: &[&str] =
    &["S3Bucket", "S3Key", "S3ObjectVersion", "S3ObjectStorageMode", "ImageUri", "SourceKMSKeyArn"];

/// The code a request gives.
#[derive(Debug, Default)]
pub(super) struct Given {
    zip_file: Option<Vec<u8>>,
    elsewhere: Option<&'static str>,
}

impl Given {
    /// The upload; anything else is refused.
    pub(super) fn required(self) -> Result<Vec<u8>, Invalid> {
        if let Some(name) = self.elsewhere {
            return Err(Invalid::not_yet(name, "give the component or a zip as ZipFile"));
        }
        self.zip_file
            .filter(|bytes| !bytes.is_empty())
            .ok_or_else(|| Invalid::Parameter("Please provide the function's code: ZipFile is missing or empty".into()))
    }
}

/// Takes `Code` of CreateFunction.
pub(super) fn take_nested(
    body: &mut Object<'_>,
    violations: &mut Violations,
    operation: &str,
) -> Result<Given, Invalid> {
    let code = body.object("Code")?;
    violations.required("code", code.as_ref());
    let Some(mut code) = code else { return Ok(Given::default()) };
    let given = take(&mut code)?;
    code.finish(operation)?;
    Ok(given)
}

fn take(members: &mut Object<'_>) -> Result<Given, Invalid> {
    let mut given = Given { zip_file: members.blob("ZipFile")?, elsewhere: None };
    for name in ELSEWHERE {
        if members.text(name)?.is_some_and(|value| !value.is_empty()) {
            given.elsewhere.get_or_insert(name);
        }
    }
    Ok(given)
}

/// UpdateFunctionCode's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateCode {
    /// The upload.
    pub code: Vec<u8>,
    /// A new architecture; stored and returned.
    pub architecture: Option<String>,
    /// Whether a version is made of it.
    pub publish: bool,
    /// Validate only.
    pub dry_run: bool,
    /// The revision the caller guards, if any.
    pub revision: Option<String>,
}

impl UpdateCode {
    /// Reads and checks a body.
    pub fn parse(body: &[u8]) -> Result<Self, Invalid> {
        const OPERATION: &str = "UpdateFunctionCode";
        let mut body = Object::parse(body)?;
        let mut violations = Violations::new();
        let given = take(&mut body)?;
        let architectures = body.texts("Architectures")?;
        violations.count("architectures", architectures.as_ref(), 1);
        let known = |value: &str| ARCHITECTURES.contains(&value);
        violations.each("architectures", architectures.as_ref(), known, &enum_constraint(ARCHITECTURES));
        let publish = body.boolean("Publish")?.unwrap_or(false);
        let dry_run = body.boolean("DryRun")?.unwrap_or(false);
        let revision = body.text("RevisionId")?;
        let publish_to = body.text("PublishTo")?;
        violations.finish()?;
        body.finish(OPERATION)?;
        if publish_to.is_some() {
            return Err(Invalid::not_yet("PublishTo", "leave it out"));
        }
        let code = given.required()?;
        let architecture = architectures.and_then(|mut list| list.pop());
        Ok(Self { code, architecture, publish, dry_run, revision })
    }
}
