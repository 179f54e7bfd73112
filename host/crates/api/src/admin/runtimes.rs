//! `/lamina/v1/runtimes`: the managed runtimes that are installed.

use http::StatusCode;
use lamina_types::Digest;
use lamina_wire::Invalid;
use lamina_wire::managed::{InstallRuntime, RuntimeAnswer};
use serde_json::json;

use crate::answer::{Answer, json, no_content};
use crate::error::{ApiError, exception};
use crate::request::Call;

pub(crate) fn list(call: &Call<'_>) -> Result<Answer, ApiError> {
    call.query().finish("ListRuntimes")?;
    let catalog = call.shared.deps.registry.catalog();
    let runtimes = catalog.runtimes();
    let shown = runtimes.versions().map(|version| {
        let functions = catalog.functions().map(|entry| entry.runs_on(&version.component)).sum();
        RuntimeAnswer::new(version, call.owner(), runtimes.is_current(version), functions)
    });
    let shown: Vec<RuntimeAnswer<'_>> = shown.collect();
    json(StatusCode::OK, &json!({ "Runtimes": shown }))
}

/// 201 for a new one, 200 for one that is installed already.
pub(crate) async fn install(call: Call<'_>) -> Result<Answer, ApiError> {
    call.query().finish("InstallRuntime")?;
    let (deployer, owner, shared) = (call.deployer(), call.owner(), call.shared);
    let InstallRuntime { component, language, description, versions } = InstallRuntime::parse(&call.body.bytes)?;
    // Dozens of MB that nobody needs any more.
    drop(call);
    let (component, installed) = (component.into(), shared.now());
    let install = lamina_deploy::InstallRuntime { component, language, description, versions, installed };
    let installed = deployer.install_runtime(install).await;
    let (version, is_new) = installed.map_err(|error| ApiError::deploy(error, owner))?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    let catalog = shared.deps.registry.catalog();
    let functions = catalog.functions().map(|entry| entry.runs_on(&version.component)).sum();
    json(status, &RuntimeAnswer::new(&version, owner, catalog.runtimes().is_current(&version), functions))
}

pub(crate) async fn make_current(call: Call<'_>) -> Result<Answer, ApiError> {
    call.query().finish("MakeRuntimeCurrent")?;
    let component = component(&call)?;
    let version = call.deployer().make_runtime_current(&component).await;
    let version = version.map_err(|error| ApiError::deploy(error, call.owner()))?;
    let catalog = call.shared.deps.registry.catalog();
    let functions = catalog.functions().map(|entry| entry.runs_on(&component)).sum();
    json(StatusCode::OK, &RuntimeAnswer::new(&version, call.owner(), true, functions))
}

pub(crate) async fn remove(call: Call<'_>) -> Result<Answer, ApiError> {
    call.query().finish("RemoveRuntime")?;
    let removed = call.deployer().remove_runtime(&component(&call)?).await;
    removed.map_err(|error| ApiError::deploy(error, call.owner()))?;
    Ok(no_content())
}

/// The version that the path names.
fn component(call: &Call<'_>) -> Result<Digest, ApiError> {
    let given = call.segment(0);
    given.parse().map_err(|_| ApiError::new(exception::NOT_FOUND, format!("there is no runtime version {given}")))
}

/// What the operator's strict switch refuses.
pub(crate) fn check_strict(call: &Call<'_>, runtime: Option<&str>) -> Result<(), ApiError> {
    let Some(runtime) = runtime.filter(|_| call.shared.config.strict_runtimes) else { return Ok(()) };
    match lamina_types::RuntimeKind::of(runtime) {
        lamina_types::RuntimeKind::Foreign => {
            let instead = "this platform refuses what it cannot run (--strict-runtimes): give a runtime of nodejs or \
                           python, or a component with runtime provided.al2023";
            Err(Invalid::not_yet(&format!("Runtime {runtime}"), instead).into())
        }
        lamina_types::RuntimeKind::Own | lamina_types::RuntimeKind::Managed(_) => Ok(()),
    }
}
