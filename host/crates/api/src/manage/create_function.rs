//! CreateFunction.

use http::StatusCode;
use lamina_deploy::Create;
use lamina_wire::function::CreateFunction;
use lamina_wire::view::FunctionConfiguration;

use super::upload;
use crate::admin::runtimes::check_strict;
use crate::answer::{Answer, json};
use crate::error::ApiError;
use crate::request::Call;

pub(crate) async fn perform(call: Call<'_>) -> Result<Answer, ApiError> {
    call.query().finish("CreateFunction")?;
    let (deployer, owner) = (call.deployer(), call.owner());
    let request = CreateFunction::parse(&call.body.bytes, owner)?;
    check_strict(&call, Some(&request.configuration.runtime))?;
    // Up to 70 MB that nobody needs any more.
    drop(call);
    let CreateFunction { name, configuration, code, tags, publish } = request;
    let create = Create { name, configuration, upload: upload(code)?, tags, publish };
    let made = deployer.create(create).await;
    let view = made.map_err(|error| ApiError::deploy(error, owner))?;
    // Also with version 1 in it the ARN is the function's (recorded).
    json(StatusCode::CREATED, &FunctionConfiguration::whole(&view, owner, None))
}
