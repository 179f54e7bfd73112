//! UpdateFunctionConfiguration.

use lamina_types::records::ConfigurationChange;

use super::members::Members;
use crate::error::Invalid;
use crate::object::Object;
use crate::violation::Violations;

/// UpdateFunctionConfiguration's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateConfiguration {
    /// What changes; the rest stays.
    pub change: ConfigurationChange,
    /// The revision the caller guards, if any.
    pub revision: Option<String>,
}

impl UpdateConfiguration {
    /// Reads and checks a body.
    pub fn parse(body: &[u8]) -> Result<Self, Invalid> {
        const OPERATION: &str = "UpdateFunctionConfiguration";
        let mut body = Object::parse(body)?;
        let mut violations = Violations::new();
        let mut members = Members::take(&mut body, &mut violations, OPERATION)?;
        let revision = body.text("RevisionId")?;
        violations.finish()?;
        body.finish(OPERATION)?;
        members.check()?;
        let change = ConfigurationChange {
            timeout_s: members.timeout_s(),
            memory: members.memory(),
            runtime: members.runtime.take(),
            role: members.role.take(),
            handler: members.handler.take(),
            description: members.description.take(),
            environment: members.environment.take(),
            log_group: members.log_group.take(),
            log_format: members.log_format,
            snap_start: members.snap_start,
        };
        Ok(Self { change, revision })
    }
}
