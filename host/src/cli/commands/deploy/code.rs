//! The function itself: CreateFunction, UpdateFunctionCode,
//! UpdateFunctionConfiguration, TagResource, PublishVersion.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use lamina_types::FunctionName;
use serde_json::{Map, Value, json};

use super::guess::Guess;
use super::{Configuration, Deployment, wait};
use crate::cli::client::{Call, Client, Error};
use crate::cli::commands::member;
use crate::cli::failure::Failure;
use crate::cli::progress::Progress;

/// Lambda asks for a role, and nothing here uses it.
const ROLE_DEFAULT: &str = "arn:aws:iam::000000000000:role/lamina";
/// 70 MB over a slow line.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(900);

/// Path of an operation on one function.
fn call(method: Method, name: &FunctionName, operation: &str) -> Call {
    Call::new(method, &["2015-03-31", "functions", name.as_str(), operation])
}

/// Its configuration, if there is such a function.
pub(super) async fn existing(client: &Client, name: &FunctionName) -> Result<Option<Value>, Failure> {
    let answer = client.call(Call::get(&["2015-03-31", "functions", name.as_str()])).await;
    match answer {
        Ok(answer) => Ok(Some(answer.json()?.get_mut("Configuration").map(Value::take).unwrap_or_default())),
        Err(error) if error.is("ResourceNotFoundException") => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Creates it, with what was guessed where nothing was said, and waits until it is
/// Active.
pub(super) async fn create(
    client: &Client,
    deployment: &Deployment,
    guessed: Option<&Guess>,
) -> Result<Value, Failure> {
    let mut body = members(&deployment.configuration);
    body.entry("Role").or_insert_with(|| ROLE_DEFAULT.into());
    body.insert("FunctionName".into(), deployment.name.as_str().into());
    if let Some(Guess { runtime, handler }) = guessed {
        body.entry("Runtime").or_insert_with(|| runtime.as_str().into());
        body.entry("Handler").or_insert_with(|| handler.as_str().into());
    }
    body.insert("Code".into(), json!({ "ZipFile": STANDARD.encode(&deployment.code) }));
    if !deployment.tags.is_empty() {
        body.insert("Tags".into(), json!(deployment.tags));
    }
    upload(client, Call::new(Method::POST, &["2015-03-31", "functions"]), body).await?;
    wait::until_ready(client, &deployment.name).await
}

/// Updates code and configuration, one after the other, waiting for each. A runtime
/// that is said, or was guessed, comes first: it says how the code is read.
pub(super) async fn update(
    client: &Client,
    deployment: &Deployment,
    existing: &Value,
    guessed: Option<&Guess>,
) -> Result<Value, Failure> {
    let name = &deployment.name;
    if wait::is_changing(existing) {
        wait::until_settled(client, name).await?;
    }
    let mut members = members(&deployment.configuration);
    if let Some(Guess { runtime, handler }) = guessed {
        members.entry("Runtime").or_insert_with(|| runtime.as_str().into());
        members.entry("Handler").or_insert_with(|| handler.as_str().into());
    }
    let runs = ["Runtime", "Handler"].into_iter().filter_map(|member| members.remove_entry(member));
    let runs = Map::from_iter(runs.collect::<Vec<_>>());
    if !runs.is_empty() {
        client.call(call(Method::PUT, name, "configuration").json(&Value::Object(runs))).await?;
        wait::until_ready(client, name).await?;
    }
    let body = Map::from_iter([("ZipFile".to_owned(), STANDARD.encode(&deployment.code).into())]);
    upload(client, call(Method::PUT, name, "code"), body).await?;
    let mut configuration = wait::until_ready(client, name).await?;
    if !members.is_empty() {
        client.call(call(Method::PUT, name, "configuration").json(&Value::Object(members))).await?;
        configuration = wait::until_ready(client, name).await?;
    }
    Ok(configuration)
}

async fn upload(client: &Client, call: Call, body: Map<String, Value>) -> Result<(), Error> {
    let call = call.json(&Value::Object(body)).timeout(UPLOAD_TIMEOUT);
    let progress = Progress::bytes("uploading", call.length());
    let answer = client.call(call.progress(progress.clone())).await;
    progress.clear();
    answer.map(drop)
}

/// The members that Create and UpdateFunctionConfiguration share.
fn members(configuration: &Configuration) -> Map<String, Value> {
    let mut members = Map::new();
    let mut member = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            members.insert(name.to_owned(), value);
        }
    };
    member("Runtime", configuration.runtime.clone().map(Value::from));
    member("Handler", configuration.handler.clone().map(Value::from));
    member("MemorySize", configuration.memory_mib.map(Value::from));
    member("Timeout", configuration.timeout_s.map(Value::from));
    member("Environment", configuration.environment.as_ref().map(|variables| json!({ "Variables": variables })));
    member("Role", configuration.role.clone().map(Value::from));
    member("Description", configuration.description.clone().map(Value::from));
    let apply_on = |on: bool| json!({ "ApplyOn": if on { "PublishedVersions" } else { "None" } });
    member("SnapStart", configuration.snap_start.map(apply_on));
    members
}

/// Sets the tags of a function that was there before.
pub(super) async fn tag(client: &Client, arn: &str, deployment: &Deployment) -> Result<Value, Failure> {
    let call = Call::new(Method::POST, &["2017-03-31", "tags", arn]);
    client.call(call.json(&json!({ "Tags": deployment.tags }))).await?;
    wait::until_ready(client, &deployment.name).await
}

/// Publishes what was deployed, and nothing that came in between, with the snapshot that
/// it may ask for.
pub(super) async fn publish(client: &Client, name: &FunctionName, deployed: &Value) -> Result<Value, Failure> {
    let guard = json!({ "CodeSha256": member(deployed, "CodeSha256") });
    let published = client.call(call(Method::POST, name, "versions").json(&guard)).await?.json()?;
    // It can be called; what became of its snapshot is told.
    wait::until_snapshotted(client, name, published).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_given_is_sent() {
        assert!(members(&Configuration::default()).is_empty());
        let configuration = Configuration {
            memory_mib: Some(256),
            environment: Some([("A".to_owned(), "1".to_owned())].into()),
            ..Configuration::default()
        };
        let expect = json!({ "MemorySize": 256, "Environment": { "Variables": { "A": "1" } } });
        assert_eq!(Value::Object(members(&configuration)), expect);
    }
}
