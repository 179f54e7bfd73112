//! GetFunctionConfiguration.

use http::StatusCode;
use lamina_wire::view::FunctionConfiguration;

use super::{asked, secrets_read, view};
use crate::answer::{Answer, json};
use crate::error::ApiError;
use crate::request::Call;

pub(crate) async fn perform(call: &Call<'_>) -> Result<Answer, ApiError> {
    let function = asked(call, "GetFunctionConfiguration")?;
    let view = view(call, &call.shared.deps.registry.catalog(), &function)?;
    secrets_read(call, [&view]).await?;
    json(StatusCode::OK, &FunctionConfiguration::whole(&view, call.owner(), function.qualifier.as_ref()))
}
