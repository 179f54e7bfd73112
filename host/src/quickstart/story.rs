//! What a platform does, told through its API.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use lamina_types::limits::PACKAGE_ZIPPED_BYTES_MAX;
use lamina_types::{FunctionName, NameError};
use serde_json::{Value, json};

use super::narrator::Narrator;
use super::prepare::Material;
use super::{languages, refusals, streaming};
use crate::cli::client::Client;
use crate::cli::commands::deploy::{Deployed, Deployment, UrlMode, deploy};
use crate::cli::commands::invoke::{Invocation, invoke};
use crate::cli::commands::logs::Asked;
use crate::cli::commands::{logs, trust, url};
use crate::cli::failure::Failure;
use crate::cli::files;

/// A call's last log line may come a little after its answer.
const LOG_WAIT: Duration = Duration::from_secs(10);

/// Trusts the key, deploys, calls, reads logs, and is refused what must be.
/// Answers the functions, for programs.
pub(super) async fn tell(narrator: &mut Narrator, client: &Client, material: &Material) -> Result<Vec<Value>, Failure> {
    narrator.begin("trust the key")?;
    let (key, _) = trust::add(client, &material.public_key, Some("quickstart")).await?;
    let id = key.get("KeyId").and_then(Value::as_str).unwrap_or_default();
    narrator.detail(format_args!("code signed by {id} is admitted"))?;
    narrator.done()?;

    narrator.begin("deploy both functions")?;
    let hello = Example { name: "hello", file: &material.hello.signed, mode: UrlMode::Buffered };
    let hello = deployed(narrator, client, hello).await?;
    let stream = Example { name: "stream", file: &material.stream.signed, mode: UrlMode::Stream };
    let stream = deployed(narrator, client, stream).await?;
    narrator.done()?;

    narrator.begin("call hello with an event")?;
    call(narrator, client).await?;
    narrator.done()?;

    narrator.begin("call both functions' URLs; stream answers chunk by chunk")?;
    streaming::greet(narrator, client, url_of(&hello)?).await?;
    streaming::stream(narrator, client, url_of(&stream)?).await?;
    narrator.done()?;

    narrator.begin("read their logs")?;
    for name in ["hello", "stream"] {
        read_log(narrator, client, name).await?;
    }
    narrator.done()?;

    let spoken = languages::show(narrator, client, (&material.store, &material.spoken), &material.key).await?;

    narrator.begin("try to deploy a copy with one byte changed, and what nobody signed")?;
    refusals::changed(narrator, client, &material.hello.signed).await?;
    refusals::unsigned(narrator, client, &material.hello.unsigned).await?;
    for spoken in &material.spoken {
        refusals::unsigned_folder(narrator, client, &spoken.folder).await?;
    }
    narrator.done()?;
    Ok([&hello, &stream].into_iter().chain(&spoken).map(|deployed| told(client, deployed)).collect())
}

fn told(client: &Client, deployed: &Deployed) -> Value {
    let arn = deployed.configuration.get("FunctionArn");
    let by_path = deployed.url.as_deref().and_then(|function_url| url::by_path(client.endpoint(), function_url));
    json!({ "FunctionArn": arn, "FunctionUrl": deployed.url, "FunctionUrlByPath": by_path })
}

/// The deployment of a file under this name.
pub(super) fn deployment(text: &str, code: Vec<u8>) -> Result<Deployment, Failure> {
    Ok(Deployment::new(name(text)?, code))
}

/// A function's name.
pub(super) fn name(text: &str) -> Result<FunctionName, Failure> {
    text.parse().map_err(|error: NameError| Failure::new(error.to_string()))
}

/// A function to deploy.
struct Example<'a> {
    name: &'static str,
    file: &'a Path,
    mode: UrlMode,
}

async fn deployed(narrator: &Narrator, client: &Client, example: Example<'_>) -> Result<Deployed, Failure> {
    let Example { name, file, mode } = example;
    let code = files::read(file, PACKAGE_ZIPPED_BYTES_MAX)?;
    let deployment = Deployment { url: Some(mode), ..deployment(name, code)? };
    let deployed = deploy(client, &deployment).await?;
    narrator.detail(format_args!("{name}: {}", url_of(&deployed)?))?;
    Ok(deployed)
}

fn url_of(deployed: &Deployed) -> Result<&str, Failure> {
    deployed.url.as_deref().ok_or_else(|| Failure::new("the function has no URL"))
}

async fn call(narrator: &Narrator, client: &Client) -> Result<(), Failure> {
    let event = json!({ "name": "Ada" }).to_string();
    narrator.detail(format_args!("event   {event}"))?;
    let payload = Bytes::from(event);
    let invoked = invoke(client, Invocation { name: "hello", payload, tail: false, qualifier: None }).await?;
    let answer = String::from_utf8_lossy(&invoked.payload).into_owned();
    narrator.detail(format_args!("answer  {answer}"))?;
    if let Some(error) = invoked.error {
        return Err(Failure::new(format!("hello failed: {error}: {answer}")));
    }
    let value: Value = serde_json::from_str(&answer).unwrap_or_default();
    if value != json!({ "message": "Hello, Ada!" }) {
        return Err(Failure::new(format!("hello answered something else: {answer}")));
    }
    Ok(())
}

/// Prints a function's log and checks that nothing of it is missing.
async fn read_log(narrator: &Narrator, client: &Client, name: &str) -> Result<(), Failure> {
    let group = logs::group(client, name).await?;
    let mut seen = Seen::default();
    let (mut after, since) = (0, narrator.elapsed());
    while !seen.whole() {
        let left = LOG_WAIT.saturating_sub(narrator.elapsed().saturating_sub(since));
        if left.is_zero() {
            return Err(Failure::new(format!("the log of {name} is not whole after {} s", LOG_WAIT.as_secs())));
        }
        let page =
            logs::page(client, &group, Asked { after, wait: left.min(Duration::from_secs(1)), ..Asked::default() })
                .await?;
        for line in &page.events {
            narrator.detail(&line.message)?;
            seen.take(&line.message);
        }
        after = page.next_after;
    }
    Ok(())
}

/// What a call leaves in a log.
#[derive(Debug, Default)]
struct Seen {
    start: u32,
    own: u32,
    end: u32,
    report: u32,
}

impl Seen {
    fn take(&mut self, message: &str) {
        let count = match message.split_whitespace().next() {
            Some("START") => &mut self.start,
            Some("END") => &mut self.end,
            Some("REPORT") => &mut self.report,
            _ => &mut self.own,
        };
        *count += 1;
    }

    /// Whether every call that began has also ended, and has written something.
    fn whole(&self) -> bool {
        self.start > 0 && self.own > 0 && self.end == self.start && self.report == self.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_whole_with_all_its_lines() {
        let check = |lines: &[&str]| {
            let mut seen = Seen::default();
            lines.iter().for_each(|line| seen.take(line));
            seen.whole()
        };
        assert!(check(&["START RequestId: x", "own", "END RequestId: x", "REPORT RequestId: x"]));
        assert!(!check(&["START RequestId: x", "END RequestId: x", "REPORT RequestId: x"]));
        assert!(!check(&["START RequestId: x", "own", "END RequestId: x"]));
        assert!(!check(&["START a", "own", "END a", "REPORT a", "START b"]));
        assert!(!check(&[]));
    }
}
