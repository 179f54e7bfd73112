//! GetFunctionUrlConfig.

use super::url;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::request::Call;

pub(crate) fn perform(call: &Call<'_>) -> Result<Answer, ApiError> {
    let name = url::function(call, "GetFunctionUrlConfig")?;
    let catalog = call.shared.deps.registry.catalog();
    let entry = catalog.function(&name).ok_or_else(url::no_function)?;
    url::shown(&entry.url().ok_or_else(ApiError::no_resource)?.config, call)
}
