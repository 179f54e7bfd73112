//! ListTags.

use http::StatusCode;
use lamina_types::FunctionRef;
use lamina_wire::tags::TagList;

use super::tagged;
use crate::answer::{Answer, json};
use crate::error::ApiError;
use crate::request::Call;

pub(crate) fn perform(call: &Call<'_>) -> Result<Answer, ApiError> {
    call.query().finish("ListTags")?;
    let name = tagged::function(call)?;
    let catalog = call.shared.deps.registry.catalog();
    match catalog.function(&name) {
        Some(entry) => json(StatusCode::OK, &TagList { tags: entry.tags() }),
        None => Err(ApiError::function_not_found(&FunctionRef { name, qualifier: None }, call.owner())),
    }
}
