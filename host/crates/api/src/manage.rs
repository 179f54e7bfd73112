//! The operations of Lambda's API, one file each (reference 1.3, 4), and what
//! they share: how a request names a function, and guards by revision.

pub(crate) mod add_permission;
pub(crate) mod create_function;
pub(crate) mod create_function_url_config;
pub(crate) mod delete_function;
pub(crate) mod delete_function_url_config;
pub(crate) mod get_account_settings;
pub(crate) mod get_function;
pub(crate) mod get_function_configuration;
pub(crate) mod get_function_url_config;
pub(crate) mod get_policy;
pub(crate) mod list_functions;
pub(crate) mod list_tags;
pub(crate) mod list_versions_by_function;
pub(crate) mod publish_version;
pub(crate) mod remove_permission;
pub(crate) mod runtime_management;
pub(crate) mod tag_resource;
pub(crate) mod untag_resource;
pub(crate) mod update_function_code;
pub(crate) mod update_function_configuration;
pub(crate) mod update_function_url_config;

mod policy;
mod tagged;
mod url;

use bytes::Bytes;
use lamina_registry::{Catalog, Event, Revised};
use lamina_types::limits::PACKAGE_ZIPPED_BYTES_MAX;
use lamina_types::records::FunctionView;
use lamina_types::{FunctionName, FunctionRef, Qualifier, RevisionId, Version};
use lamina_wire::Invalid;
use lamina_wire::naming::{self, Shape};

use crate::error::{ApiError, exception};
use crate::request::Call;

/// The function that the first segment and the query's `Qualifier` name. The
/// query must hold nothing else.
pub(crate) fn asked(call: &Call<'_>, operation: &str) -> Result<FunctionRef, ApiError> {
    let mut query = call.query();
    let qualifier = query.take("Qualifier")?;
    query.finish(operation)?;
    Ok(naming::resolve(call.segment(0), qualifier.as_deref(), Shape::Namespaced, call.owner())?)
}

/// The function that the first segment names, for operations that concern it as
/// a whole or its `$LATEST`.
fn whole(call: &Call<'_>, operation: &str) -> Result<FunctionName, ApiError> {
    let function = naming::resolve(call.segment(0), None, Shape::Plain, call.owner())?;
    match function.qualifier {
        None | Some(Qualifier::LATEST) => Ok(function.name),
        Some(qualifier) => {
            let instead = format!("{operation} takes the function's name or unqualified ARN");
            Err(Invalid::not_yet(&format!("Qualifier {qualifier}"), &instead).into())
        }
    }
}

/// As [`whole`], for operations whose query must be empty.
fn whole_alone(call: &Call<'_>, operation: &str) -> Result<FunctionName, ApiError> {
    call.query().finish(operation)?;
    whole(call, operation)
}

/// The version that is asked for, as the API shows it.
pub(crate) fn view(call: &Call<'_>, catalog: &Catalog, function: &FunctionRef) -> Result<FunctionView, ApiError> {
    let version = match &function.qualifier {
        None => Some(Version::Latest),
        Some(Qualifier::Version(version)) => Some(*version),
        // There are none yet.
        Some(Qualifier::Alias(_)) => None,
    };
    let entry = catalog.function(&function.name);
    let view = entry.zip(version).and_then(|(entry, version)| entry.view(version));
    view.ok_or_else(|| ApiError::function_not_found(function, call.owner()))
}

/// Tells the audit log that an answer will show environment variables, before it
/// does.
async fn secrets_read<'a>(call: &Call<'_>, views: impl IntoIterator<Item = &'a FunctionView>) -> Result<(), ApiError> {
    let with_secrets =
        views.into_iter().filter(|view| view.configuration.environment.as_ref().is_some_and(|all| !all.is_empty()));
    let mut functions: Vec<&str> = with_secrets.map(|view| view.name.as_str()).collect();
    functions.dedup();
    if functions.is_empty() {
        return Ok(());
    }
    let event = Event::new("SecretsRead").with("functions", functions);
    call.registry().audit(event).await.map_err(|error| ApiError::registry(error, call.owner()))
}

/// What a request guards with. A text that is no revision id at all is one that
/// does not match; a function that is not there is missing before that.
fn revision(call: &Call<'_>, text: Option<&str>, of: (&FunctionName, Revised)) -> Result<Option<RevisionId>, ApiError> {
    let (name, revised) = of;
    let Some(text) = text else { return Ok(None) };
    match text.parse() {
        Ok(revision) => Ok(Some(revision)),
        Err(_) if call.shared.deps.registry.catalog().function(name).is_some() => Err(ApiError::stale(revised)),
        Err(_) => {
            let function = FunctionRef { name: name.clone(), qualifier: None };
            Err(ApiError::function_not_found(&function, call.owner()))
        }
    }
}

/// The upload, if it is not too large to be looked at.
fn upload(bytes: Vec<u8>) -> Result<Bytes, ApiError> {
    if bytes.len() > PACKAGE_ZIPPED_BYTES_MAX {
        let text = format!("Zipped size must be smaller than {PACKAGE_ZIPPED_BYTES_MAX} bytes");
        return Err(ApiError::new(exception::TOO_LARGE, text));
    }
    Ok(bytes.into())
}

/// The qualifier that the answer's ARN ends with: a version that was made.
fn made(view: &FunctionView) -> Option<Qualifier> {
    match view.version {
        Version::Latest => None,
        number @ Version::Number(_) => Some(Qualifier::Version(number)),
    }
}
