//! GetRuntimeManagementConfig and PutRuntimeManagementConfig.

use http::StatusCode;
use lamina_registry::RuntimeChoice;
use lamina_types::{Digest, FunctionRef, Qualifier, RuntimeManagement, Version};
use lamina_wire::managed::{self, PutRuntimeManagement, RuntimeManagementAnswer};

use super::asked;
use crate::answer::{Answer, json};
use crate::error::ApiError;
use crate::request::Call;

pub(crate) fn get(call: &Call<'_>) -> Result<Answer, ApiError> {
    let function = asked(call, "GetRuntimeManagementConfig")?;
    let version = version(call, &function)?;
    let catalog = call.shared.deps.registry.catalog();
    let entry = catalog.function(&function.name);
    let Some((management, runs_on)) = entry.and_then(|entry| entry.runtime_management(version)) else {
        return Err(ApiError::function_not_found(&function, call.owner()));
    };
    let stays = (management != RuntimeManagement::AUTO).then_some(runs_on).flatten();
    answer(call, &function, version, management, stays)
}

pub(crate) async fn put(call: Call<'_>) -> Result<Answer, ApiError> {
    let function = asked(&call, "PutRuntimeManagementConfig")?;
    let PutRuntimeManagement { update, runtime } = PutRuntimeManagement::parse(&call.body.bytes, call.owner())?;
    let version = version(&call, &function)?;
    let choice = RuntimeChoice { name: function.name.clone(), version, update, runtime };
    let chosen = call.registry().put_runtime_management(choice).await;
    let management = chosen.map_err(|error| match error {
        lamina_registry::Error::VersionNotFound { .. } => ApiError::function_not_found(&function, call.owner()),
        error => ApiError::registry(error, call.owner()),
    })?;
    answer(&call, &function, version, management, management.version)
}

/// The version that is meant; there are no aliases yet.
fn version(call: &Call<'_>, function: &FunctionRef) -> Result<Version, ApiError> {
    match &function.qualifier {
        None => Ok(Version::Latest),
        Some(Qualifier::Version(version)) => Ok(*version),
        Some(Qualifier::Alias(_)) => Err(ApiError::function_not_found(function, call.owner())),
    }
}

fn answer(
    call: &Call<'_>,
    function: &FunctionRef,
    version: Version,
    management: RuntimeManagement,
    stays: Option<Digest>,
) -> Result<Answer, ApiError> {
    // Always qualified (reference 4.12).
    let qualifier = Qualifier::Version(version);
    let answer = RuntimeManagementAnswer {
        update_runtime_on: management.update.as_str(),
        function_arn: call.owner().arn(&function.name, Some(&qualifier)).to_string(),
        runtime_version_arn: stays.map(|component| managed::arn(&component, &call.owner().region)),
    };
    json(StatusCode::OK, &answer)
}
