//! GetAccountSettings.

use http::StatusCode;
use lamina_wire::account;

use crate::answer::{Answer, json};
use crate::error::ApiError;
use crate::request::Call;

pub(crate) fn perform(call: &Call<'_>) -> Result<Answer, ApiError> {
    call.query().finish("GetAccountSettings")?;
    let catalog = call.shared.deps.registry.catalog();
    let concurrency = call.shared.deps.dispatcher.concurrency_max();
    json(StatusCode::OK, &account::settings(catalog.functions_len(), catalog.code_bytes(), concurrency))
}
