//! `GET /lamina/v1/status`: what platform this is, and what is on it.

use http::StatusCode;
use serde_json::json;

use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::request::Call;

pub(crate) fn perform(call: &Call<'_>) -> Result<Answer, ApiError> {
    call.query().finish("GetStatus")?;
    let (config, deps) = (&call.shared.config, &call.shared.deps);
    let catalog = deps.registry.catalog();
    let status = json!({
        "Version": config.version,
        "Region": config.region.as_str(),
        "AccountId": config.account.as_str(),
        "Signing": config.signing,
        "Functions": catalog.functions_len(),
        "Running": deps.dispatcher.running(),
        "CodeBytes": catalog.code_bytes(),
    });
    answer::json(StatusCode::OK, &status)
}
