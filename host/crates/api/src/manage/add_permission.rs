//! AddPermission.

use http::StatusCode;
use lamina_registry::{Error, Permission, Revised};
use lamina_wire::policy::{self, AddPermission};
use serde_json::json;

use super::revision;
use crate::answer::{self, Answer};
use crate::error::{ApiError, exception};
use crate::request::Call;

pub(crate) async fn perform(call: Call<'_>) -> Result<Answer, ApiError> {
    let mut query = call.query();
    let qualifier = query.take("Qualifier")?;
    query.finish("AddPermission")?;
    let name = super::policy::function(&call, qualifier.as_deref(), latest)?;
    let AddPermission { statement, revision: guard } = AddPermission::parse(&call.body.bytes)?;
    let revision = revision(&call, guard.as_deref(), (&name, Revised::Policy))?;
    let shown = policy::statement(&statement, &call.owner().arn(&name, None).to_string());
    let sid = statement.sid.clone();
    let added = call.registry().add_permission(Permission { name, statement, revision }).await;
    added.map_err(|error| match error {
        Error::StatementExists(_) => exists(&sid),
        error => ApiError::registry(error, call.owner()),
    })?;
    answer::json(StatusCode::CREATED, &json!({ "Statement": shown }))
}

fn exists(sid: &str) -> ApiError {
    let text = format!(
        "The statement id ({sid}) provided already exists. Please provide a new statement id, or remove the existing \
         statement."
    );
    ApiError::new(exception::CONFLICT, text)
}

fn latest() -> ApiError {
    ApiError::new(exception::INVALID_PARAMETER, "We currently do not support adding policies for $LATEST.")
}
