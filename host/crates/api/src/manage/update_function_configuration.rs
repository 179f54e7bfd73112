//! UpdateFunctionConfiguration.

use http::StatusCode;
use lamina_registry::{ConfigurationUpdate, Revised};
use lamina_wire::function::UpdateConfiguration;
use lamina_wire::view::FunctionConfiguration;

use super::{revision, whole_alone};
use crate::admin::runtimes::check_strict;
use crate::answer::{Answer, json};
use crate::error::ApiError;
use crate::request::Call;

pub(crate) async fn perform(call: Call<'_>) -> Result<Answer, ApiError> {
    let name = whole_alone(&call, "UpdateFunctionConfiguration")?;
    let UpdateConfiguration { change, revision: guard } = UpdateConfiguration::parse(&call.body.bytes)?;
    check_strict(&call, change.runtime.as_deref())?;
    let revision = revision(&call, guard.as_deref(), (&name, Revised::Function))?;
    let update = ConfigurationUpdate { name, change, revision };
    let updated = call.shared.deps.deployer.update_configuration(update).await;
    let view = updated.map_err(|error| ApiError::deploy(error, call.owner()))?;
    json(StatusCode::OK, &FunctionConfiguration::whole(&view, call.owner(), None))
}
