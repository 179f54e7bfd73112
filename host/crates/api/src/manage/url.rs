//! What the four operations on function URLs share.

use http::StatusCode;
use lamina_registry::Error;
use lamina_types::FunctionName;
use lamina_types::records::UrlConfig;
use lamina_wire::naming::{self, Shape};
use lamina_wire::url::UrlAnswer;
use lamina_wire::violation::Violations;
use lamina_wire::{Invalid, pattern};

use crate::answer::{Answer, json};
use crate::error::{ApiError, exception};
use crate::function_url;
use crate::request::Call;

/// The function whose URL it is. Only aliases could have URLs of their own
/// beside it, and there are none yet.
pub(super) fn function(call: &Call<'_>, operation: &str) -> Result<FunctionName, ApiError> {
    let mut query = call.query();
    let qualifier = query.take("Qualifier")?;
    query.finish(operation)?;
    let mut violations = Violations::new();
    violations.pattern("qualifier", qualifier.as_ref(), &pattern::URL_QUALIFIER);
    violations.length("qualifier", qualifier.as_ref(), 1..=128);
    violations.finish()?;
    let function = naming::resolve(call.segment(0), qualifier.as_deref(), Shape::Plain, call.owner())?;
    match function.qualifier {
        None => Ok(function.name),
        Some(qualifier) => {
            let instead = "only the unqualified function has a URL";
            Err(Invalid::not_yet(&format!("Qualifier {qualifier}"), instead).into())
        }
    }
}

/// Lambda's other words for a function that is not there.
pub(super) fn no_function() -> ApiError {
    ApiError::new(exception::NOT_FOUND, "Function does not exist")
}

/// Why a change was refused.
pub(super) fn refused(error: Error, call: &Call<'_>) -> ApiError {
    match error {
        Error::FunctionNotFound(_) => no_function(),
        error => ApiError::registry(error, call.owner()),
    }
}

/// The answer of CreateFunctionUrlConfig.
pub(super) fn created(config: &UrlConfig, call: &Call<'_>) -> Result<Answer, ApiError> {
    let (url, arn) = names(config, call);
    json(StatusCode::CREATED, &UrlAnswer::created(config, url, arn))
}

/// The answer of the others.
pub(super) fn shown(config: &UrlConfig, call: &Call<'_>) -> Result<Answer, ApiError> {
    let (url, arn) = names(config, call);
    json(StatusCode::OK, &UrlAnswer::shown(config, url, arn))
}

fn names(config: &UrlConfig, call: &Call<'_>) -> (String, String) {
    let url = function_url::url(&config.id, call.host(), &call.shared.config);
    (url, call.owner().arn(&config.function, None).to_string())
}
