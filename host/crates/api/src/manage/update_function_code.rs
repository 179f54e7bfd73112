//! UpdateFunctionCode.

use http::StatusCode;
use lamina_registry::Revised;
use lamina_wire::function::UpdateCode;
use lamina_wire::view::FunctionConfiguration;

use super::{made, revision, upload, whole_alone};
use crate::answer::{Answer, json};
use crate::error::ApiError;
use crate::request::Call;

pub(crate) async fn perform(call: Call<'_>) -> Result<Answer, ApiError> {
    let name = whole_alone(&call, "UpdateFunctionCode")?;
    let (deployer, owner) = (call.deployer(), call.owner());
    let UpdateCode { code, architecture, publish, dry_run, revision: guard } = UpdateCode::parse(&call.body.bytes)?;
    let revision = revision(&call, guard.as_deref(), (&name, Revised::Function))?;
    // Up to 70 MB that nobody needs any more.
    drop(call);
    let upload = upload(code)?;
    let update = lamina_deploy::UpdateCode { name, upload, architecture, publish, dry_run, revision };
    let updated = deployer.update_code(update).await;
    let view = updated.map_err(|error| ApiError::deploy(error, owner))?;
    json(StatusCode::OK, &FunctionConfiguration::whole(&view, owner, made(&view).as_ref()))
}
