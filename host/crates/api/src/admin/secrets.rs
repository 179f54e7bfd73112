//! `POST /lamina/v1/secrets/rotate`: a new key for secrets.

use http::StatusCode;
use lamina_registry::Event;
use serde_json::json;

use crate::answer::{self, Answer};
use crate::error::{ApiError, exception};
use crate::request::Call;

/// Why there is nothing to rotate here.
const OPERATORS: &str = "The operator gives the keys of this platform's secrets: put a new first line into what \
                         gives them, and start the platform again.";

pub(crate) async fn perform(call: Call<'_>) -> Result<Answer, ApiError> {
    call.query().finish("RotateSecrets")?;
    let Some(rotate) = call.shared.deps.rotate_secrets.clone() else {
        return Err(ApiError::new(exception::INVALID_PARAMETER, OPERATORS));
    };
    let event = call.registry().audit(Event::new("SecretsRotated")).await;
    event.map_err(|error| ApiError::registry(error, call.owner()))?;
    let rotated = tokio::task::spawn_blocking(move || rotate()).await;
    let rotated = rotated.unwrap_or_else(|error| Err(error.to_string()));
    rotated.map_err(|error| ApiError::internal(format!("rotating secrets: {error}")))?;
    answer::json(StatusCode::ACCEPTED, &json!({ "Rotated": true }))
}
