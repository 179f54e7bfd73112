//! `GET /lamina/v1/code/{function}`: a version's upload, as it came.
//! GetFunction's `Code.Location` is a presigned URL of it.

use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};

use crate::answer::{Answer, AnswerBody};
use crate::error::ApiError;
use crate::manage;
use crate::request::Call;

pub(crate) async fn perform(call: Call<'_>) -> Result<Answer, ApiError> {
    let function = manage::asked(&call, "GetCode")?;
    let digest = manage::view(&call, &call.shared.deps.registry.catalog(), &function)?.code.package;
    let package = call.shared.deps.deployer.package(&digest).await;
    let package = package.map_err(|error| ApiError::deploy(error, call.owner()))?;
    let bare = package.starts_with(b"\0asm");
    let media_type = if bare { "application/wasm" } else { "application/zip" };
    let mut answer = Answer::new(AnswerBody::whole(package));
    *answer.status_mut() = StatusCode::OK;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    Ok(answer)
}
