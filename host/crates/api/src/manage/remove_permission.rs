//! RemovePermission.

use lamina_registry::{Error, Revised};
use lamina_wire::pattern;
use lamina_wire::violation::Violations;

use super::revision;
use crate::answer::{Answer, no_content};
use crate::error::{ApiError, exception};
use crate::request::Call;

pub(crate) async fn perform(call: Call<'_>) -> Result<Answer, ApiError> {
    let mut query = call.query();
    let qualifier = query.take("Qualifier")?;
    let guard = query.take("RevisionId")?;
    query.finish("RemovePermission")?;
    let sid = call.segment(1).to_owned();
    let mut violations = Violations::new();
    violations.pattern("statementId", Some(&sid), &pattern::NAMESPACED_STATEMENT_ID);
    violations.length("statementId", Some(&sid), 1..=100);
    violations.finish()?;
    let name = super::policy::function(&call, qualifier.as_deref(), ApiError::no_resource)?;
    let missing = |text: String| ApiError::new(exception::NOT_FOUND, text);
    let arn = call.owner().arn(&name, None);
    if call.shared.deps.registry.catalog().function(&name).is_none() {
        return Err(missing(format!("No policy found for: {arn}")));
    }
    let revision = revision(&call, guard.as_deref(), (&name, Revised::Policy))?;
    let removed = call.registry().remove_permission(&name, &sid, revision).await;
    removed.map_err(|error| match error {
        Error::StatementNotFound(_) => missing(format!("Statement {sid} is not found in resource policy.")),
        Error::FunctionNotFound(_) => missing(format!("No policy found for: {arn}")),
        error => ApiError::registry(error, call.owner()),
    })?;
    Ok(no_content())
}
