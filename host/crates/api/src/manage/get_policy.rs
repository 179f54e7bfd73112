//! GetPolicy.

use http::StatusCode;
use lamina_types::FunctionRef;
use lamina_wire::policy;
use serde_json::json;

use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::request::Call;

pub(crate) fn perform(call: &Call<'_>) -> Result<Answer, ApiError> {
    let mut query = call.query();
    let qualifier = query.take("Qualifier")?;
    query.finish("GetPolicy")?;
    let name = super::policy::function(call, qualifier.as_deref(), ApiError::no_resource)?;
    let catalog = call.shared.deps.registry.catalog();
    let Some(entry) = catalog.function(&name) else {
        return Err(ApiError::function_not_found(&FunctionRef { name, qualifier: None }, call.owner()));
    };
    let policy = entry.policy().ok_or_else(ApiError::no_resource)?;
    let document = policy::document(&policy.statements, &call.owner().arn(&name, None).to_string());
    answer::json(StatusCode::OK, &json!({ "Policy": document, "RevisionId": policy.revision.as_str() }))
}
