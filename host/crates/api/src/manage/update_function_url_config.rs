//! UpdateFunctionUrlConfig.

use lamina_registry::UrlChange;
use lamina_wire::url::UrlRequest;

use super::url;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::request::Call;

pub(crate) async fn perform(call: Call<'_>) -> Result<Answer, ApiError> {
    let name = url::function(&call, "UpdateFunctionUrlConfig")?;
    let UrlRequest { invoke_mode, cors } = UrlRequest::parse_update(&call.body.bytes)?;
    let changed = call.shared.deps.registry.update_url(UrlChange { name, invoke_mode, cors }).await;
    url::shown(&changed.map_err(|error| url::refused(error, &call))?, &call)
}
