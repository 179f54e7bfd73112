//! DeleteFunction.

use lamina_types::{Qualifier, Version};

use super::asked;
use crate::answer::{Answer, no_content};
use crate::error::{ApiError, exception};
use crate::request::Call;

pub(crate) async fn perform(call: Call<'_>) -> Result<Answer, ApiError> {
    let function = asked(&call, "DeleteFunction")?;
    let version = version(function.qualifier.as_ref())?;
    let deleted = call.shared.deps.deployer.delete(&function.name, version).await;
    deleted.map_err(|error| ApiError::deploy(error, call.owner()))?;
    // 200 in the model, 204 on the wire (recorded).
    Ok(no_content())
}

/// The one version to delete; `None` is the whole function.
fn version(qualifier: Option<&Qualifier>) -> Result<Option<u64>, ApiError> {
    let refused = |text: &str| Err(ApiError::new(exception::INVALID_PARAMETER, text));
    match qualifier {
        None => Ok(None),
        Some(Qualifier::Version(Version::Number(number))) => Ok(Some(*number)),
        Some(Qualifier::Version(Version::Latest)) => {
            refused("$LATEST version cannot be deleted without deleting the function.")
        }
        Some(Qualifier::Alias(_)) => refused("Deletion of aliases is not currently supported."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_deleted() {
        let check = |text: &str| version(Some(&text.parse().unwrap())).map_err(|error| error.text.unwrap_or_default());
        assert_eq!(version(None), Ok(None));
        assert_eq!(check("3"), Ok(Some(3)));
        assert_eq!(check("$LATEST"), Err("$LATEST version cannot be deleted without deleting the function.".into()));
        assert_eq!(check("live"), Err("Deletion of aliases is not currently supported.".into()));
    }
}
