//! What the three operations on resource policies share.

use lamina_types::{FunctionName, Qualifier};
use lamina_wire::Invalid;
use lamina_wire::naming::{self, Shape};

use crate::error::ApiError;
use crate::request::Call;

/// The function whose policy it is. Versions and aliases have policies of their
/// own on Lambda; here the function has one. `latest` is the answer for
/// `$LATEST`, which never has any.
pub(super) fn function(
    call: &Call<'_>,
    qualifier: Option<&str>,
    latest: impl FnOnce() -> ApiError,
) -> Result<FunctionName, ApiError> {
    let function = naming::resolve(call.segment(0), qualifier, Shape::Namespaced, call.owner())?;
    match function.qualifier {
        None => Ok(function.name),
        Some(Qualifier::LATEST) => Err(latest()),
        Some(qualifier) => {
            let instead = "only the unqualified function has a policy";
            Err(Invalid::not_yet(&format!("Qualifier {qualifier}"), instead).into())
        }
    }
}
