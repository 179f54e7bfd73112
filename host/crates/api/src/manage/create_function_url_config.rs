//! CreateFunctionUrlConfig.

use lamina_registry::NewUrl;
use lamina_wire::url::UrlRequest;

use super::url;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::request::Call;

pub(crate) async fn perform(call: Call<'_>) -> Result<Answer, ApiError> {
    let name = url::function(&call, "CreateFunctionUrlConfig")?;
    let UrlRequest { invoke_mode, cors } = UrlRequest::parse_create(&call.body.bytes)?;
    let made = call.shared.deps.registry.create_url(NewUrl { name, invoke_mode, cors }).await;
    url::created(&made.map_err(|error| url::refused(error, &call))?, &call)
}
