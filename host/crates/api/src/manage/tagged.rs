//! What the three operations on tags share.

use lamina_types::FunctionName;
use lamina_types::settings::PREFIX;
use lamina_wire::naming;

use crate::auth;
use crate::error::{ApiError, exception};
use crate::request::Call;

/// The function that the ARN in the path names.
pub(super) fn function(call: &Call<'_>) -> Result<FunctionName, ApiError> {
    let arn = call.segment(0);
    let Some(function) = naming::tagged(arn, call.owner())? else { return Err(no_such(arn)) };
    match function.qualifier {
        None => Ok(function.name),
        Some(_) => {
            let text = "Tags on function aliases and versions are not supported. Please specify a function ARN.";
            Err(ApiError::new(exception::INVALID_PARAMETER, text))
        }
    }
}

/// Nothing else that can have tags is here yet.
fn no_such(arn: &str) -> ApiError {
    if arn.contains(":event-source-mapping:") {
        ApiError::new(exception::NOT_FOUND, format!("Event source mapping not found: {arn}"))
    } else {
        ApiError::no_resource()
    }
}

/// Settings travel as tags, and changing them is changing the configuration.
pub(super) fn permit<'a>(call: &Call<'_>, mut keys: impl Iterator<Item = &'a String>) -> Result<(), ApiError> {
    if keys.any(|key| key.starts_with(PREFIX)) {
        auth::permit(&call.principal, "lambda:UpdateFunctionConfiguration")?;
    }
    Ok(())
}
