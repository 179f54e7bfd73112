//! PublishVersion.

use lamina_types::limits::DESCRIPTION_CHARS_MAX;

use crate::error::Invalid;
use crate::object::Object;
use crate::violation::Violations;

/// PublishVersion's body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublishVersion {
    /// The code the caller means to publish, as `CodeSha256` shows it.
    pub code_sha256: Option<String>,
    /// Replaces the function's description.
    pub description: Option<String>,
    /// The revision the caller guards, if any.
    pub revision: Option<String>,
}

impl PublishVersion {
    /// Reads and checks a body.
    pub fn parse(body: &[u8]) -> Result<Self, Invalid> {
        let mut body = Object::parse(body)?;
        let mut violations = Violations::new();
        let code_sha256 = body.text("CodeSha256")?.filter(|text| !text.is_empty());
        let description = body.text("Description")?;
        violations.length("description", description.as_ref(), 0..=DESCRIPTION_CHARS_MAX);
        let revision = body.text("RevisionId")?;
        let publish_to = body.text("PublishTo")?;
        violations.finish()?;
        body.finish("PublishVersion")?;
        if publish_to.is_some() {
            return Err(Invalid::not_yet("PublishTo", "leave it out"));
        }
        Ok(Self { code_sha256, description, revision })
    }
}
