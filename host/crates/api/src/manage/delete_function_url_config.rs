//! DeleteFunctionUrlConfig.

use super::url;
use crate::answer::{Answer, no_content};
use crate::error::ApiError;
use crate::request::Call;

pub(crate) async fn perform(call: Call<'_>) -> Result<Answer, ApiError> {
    let name = url::function(&call, "DeleteFunctionUrlConfig")?;
    let deleted = call.shared.deps.registry.delete_url(&name).await;
    deleted.map_err(|error| url::refused(error, &call))?;
    Ok(no_content())
}
