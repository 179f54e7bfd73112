//! GetFunction.

use http::StatusCode;
use lamina_types::FunctionRef;
use lamina_wire::view::{CodeLocation, FunctionAnswer, FunctionConfiguration};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{asked, secrets_read, view};
use crate::answer::{Answer, json};
use crate::auth::{self, Link};
use crate::error::ApiError;
use crate::request::Call;

pub(crate) async fn perform(call: &Call<'_>) -> Result<Answer, ApiError> {
    let function = asked(call, "GetFunction")?;
    let catalog = call.shared.deps.registry.catalog();
    let view = view(call, &catalog, &function)?;
    secrets_read(call, [&view]).await?;
    let (path, query) = place(&function);
    let link = Link {
        scheme: call.shared.config.scheme(),
        host: call.host(),
        path: &path,
        query: &query,
        region: call.owner().region.as_str(),
        now_s: call.shared.now().seconds(),
    };
    let location = auth::presigned(&link, &call.principal, &catalog)?;
    let tags = catalog.function(&function.name).map(|entry| entry.tags().clone());
    let answer = FunctionAnswer {
        configuration: FunctionConfiguration::whole(&view, call.owner(), function.qualifier.as_ref()),
        code: CodeLocation { repository_type: "S3", location },
        tags: tags.filter(|tags| !tags.is_empty()),
    };
    json(StatusCode::OK, &answer)
}

/// Path and query of the operation that answers the code.
fn place(function: &FunctionRef) -> (String, String) {
    let path = format!("/lamina/v1/code/{}", function.name);
    let query = match &function.qualifier {
        Some(qualifier) => {
            format!("Qualifier={}", utf8_percent_encode(&qualifier.to_string(), NON_ALPHANUMERIC))
        }
        None => String::new(),
    };
    (path, query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_code_is() {
        let place = |qualifier: Option<&str>| {
            place(&FunctionRef { name: "f".parse().unwrap(), qualifier: qualifier.map(|q| q.parse().unwrap()) })
        };
        assert_eq!(place(None), ("/lamina/v1/code/f".into(), String::new()));
        assert_eq!(place(Some("$LATEST")).1, "Qualifier=%24LATEST");
        assert_eq!(place(Some("7")).1, "Qualifier=7");
    }
}
