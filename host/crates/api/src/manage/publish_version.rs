//! PublishVersion.

use http::StatusCode;
use lamina_registry::Revised;
use lamina_wire::function::PublishVersion;
use lamina_wire::view::FunctionConfiguration;

use super::{made, revision, whole_alone};
use crate::answer::{Answer, json};
use crate::error::ApiError;
use crate::request::Call;

pub(crate) async fn perform(call: Call<'_>) -> Result<Answer, ApiError> {
    let name = whole_alone(&call, "PublishVersion")?;
    let PublishVersion { code_sha256, description, revision: guard } = PublishVersion::parse(&call.body.bytes)?;
    let revision = revision(&call, guard.as_deref(), (&name, Revised::Function))?;
    let publish = lamina_registry::PublishVersion { name, code_sha256, description, revision };
    let published = call.shared.deps.deployer.publish_version(publish).await;
    let view = published.map_err(|error| ApiError::deploy(error, call.owner()))?;
    json(StatusCode::CREATED, &FunctionConfiguration::whole(&view, call.owner(), made(&view).as_ref()))
}
