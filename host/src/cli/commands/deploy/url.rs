//! A function's URL that anybody may call: the config and two permissions.

use http::Method;
use lamina_types::FunctionName;
use serde_json::{Value, json};

use crate::cli::client::{Call, Client};
use crate::cli::commands::member;
use crate::cli::failure::Failure;

/// What the URL does with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UrlMode {
    /// As it is; BUFFERED for a new one.
    Kept,
    /// BUFFERED.
    Buffered,
    /// RESPONSE_STREAM.
    Stream,
}

impl UrlMode {
    const fn name(self) -> Option<&'static str> {
        match self {
            Self::Kept => None,
            Self::Buffered => Some("BUFFERED"),
            Self::Stream => Some("RESPONSE_STREAM"),
        }
    }
}

/// Sees to it that there is a URL of this mode and that anybody may call it;
/// what is so already stays. Answers the URL.
pub(super) async fn ensure(client: &Client, name: &FunctionName, mode: UrlMode) -> Result<String, Failure> {
    let config = config(client, name, mode).await?;
    // The same two statements as AWS's own console makes.
    let by_url = json!({
        "StatementId": "FunctionURLAllowPublicAccess",
        "Action": "lambda:InvokeFunctionUrl",
        "Principal": "*",
        "FunctionUrlAuthType": "NONE",
    });
    let invoke = json!({
        "StatementId": "FunctionURLInvokeAllowPublicAccess",
        "Action": "lambda:InvokeFunction",
        "Principal": "*",
        "InvokedViaFunctionUrl": true,
    });
    for statement in [by_url, invoke] {
        let call = Call::new(Method::POST, &["2015-03-31", "functions", name.as_str(), "policy"]);
        match client.call(call.json(&statement)).await {
            Ok(_) => {}
            Err(error) if error.is("ResourceConflictException") => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(member(&config, "FunctionUrl").to_owned())
}

async fn config(client: &Client, name: &FunctionName, mode: UrlMode) -> Result<Value, Failure> {
    let call = |method| Call::new(method, &["2021-10-31", "functions", name.as_str(), "url"]);
    let mut wanted = json!({ "AuthType": "NONE" });
    if let Some(mode) = mode.name() {
        wanted["InvokeMode"] = mode.into();
    }
    let config = match client.call(call(Method::GET)).await {
        Ok(answer) => answer.json()?,
        Err(error) if error.is("ResourceNotFoundException") => {
            return Ok(client.call(call(Method::POST).json(&wanted)).await?.json()?);
        }
        Err(error) => return Err(error.into()),
    };
    let same = |member: &str| wanted.get(member).is_none_or(|wanted| config.get(member) == Some(wanted));
    if same("InvokeMode") && same("AuthType") {
        return Ok(config);
    }
    Ok(client.call(call(Method::PUT).json(&wanted)).await?.json()?)
}
