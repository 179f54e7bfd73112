//! `lamina invoke NAME`.

mod streamed;

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Method;
use lamina_types::limits::{REQUEST_PAYLOAD_BYTES_MAX, RESPONSE_PAYLOAD_BYTES_MAX};
use serde_json::{Value, json};

use super::member;
use crate::cli::client::{Call, Client, Error};
use crate::cli::failure::{Done, Failure};
use crate::cli::output::{self, printable, style};
use crate::cli::progress::Progress;
use crate::cli::target::TargetArgs;
use crate::cli::{Ctx, files};

/// The longest a function runs, and a little more.
const TIMEOUT: Duration = Duration::from_secs(930);

/// Call a function with an event, and print what it answers
///
/// Exit codes: 0 answered, 1 the function failed or could not be called.
#[derive(Debug, clap::Args)]
pub(crate) struct InvokeArgs {
    /// The function
    #[arg(value_parser = super::function)]
    name: String,
    /// The event: JSON, @FILE, or - for standard input
    #[arg(long, value_name = "JSON|@FILE|-")]
    payload: Option<String>,
    /// Print the end of the call's log, too, on standard error
    #[arg(long)]
    tail: bool,
    /// Print the answer while the function writes it
    #[arg(long)]
    stream: bool,
    /// A version
    #[arg(long, value_name = "VERSION")]
    qualifier: Option<String>,
    #[command(flatten)]
    target: TargetArgs,
}

/// One call.
#[derive(Debug)]
pub(crate) struct Invocation<'a> {
    pub(crate) name: &'a str,
    pub(crate) payload: Bytes,
    pub(crate) tail: bool,
    pub(crate) qualifier: Option<&'a str>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Invoked {
    pub(crate) payload: Bytes,
    /// Set when the function failed.
    pub(crate) error: Option<String>,
    pub(crate) version: String,
    pub(crate) request_id: String,
    pub(crate) content_type: Option<String>,
    /// The end of the log, if it was asked for.
    pub(crate) log: Option<String>,
}

/// Calls the function. Dropped half-way, the function runs on.
pub(crate) async fn invoke(client: &Client, invocation: Invocation<'_>) -> Result<Invoked, Error> {
    let mut call = Call::new(Method::POST, &["2015-03-31", "functions", invocation.name, "invocations"])
        .query_if("Qualifier", invocation.qualifier)
        .timeout(TIMEOUT)
        .answer_bytes_max(2 * RESPONSE_PAYLOAD_BYTES_MAX)
        .body(invocation.payload);
    if invocation.tail {
        call = call.header("x-amz-log-type", "Tail");
    }
    let answer = client.call(call).await?;
    let text = |name: &str| answer.header(name).map(str::to_owned);
    let log = text("x-amz-log-result").map(|log| {
        let bytes = STANDARD.decode(log).map_err(|error| Error::Unreadable(format!("X-Amz-Log-Result: {error}")))?;
        Ok::<_, Error>(String::from_utf8_lossy(&bytes).into_owned())
    });
    Ok(Invoked {
        error: text("x-amz-function-error"),
        version: text("x-amz-executed-version").unwrap_or_default(),
        request_id: text("x-amzn-requestid").unwrap_or_default(),
        content_type: text("content-type"),
        log: log.transpose()?,
        payload: answer.body,
    })
}

impl InvokeArgs {
    /// Does it.
    pub(crate) async fn run(self, ctx: &Ctx) -> Done {
        let payload = event(self.payload.as_deref())?;
        let client = Client::find(&self.target, &ctx.environment).await?;
        if self.stream {
            let streamed = streamed::print(ctx, &client, &self, payload).await;
            return streamed.unwrap_or_else(|error| Err(refused(error, &self.name)));
        }
        let waiting = Progress::wait("running");
        let qualifier = self.qualifier.as_deref();
        let invocation = Invocation { name: &self.name, payload, tail: self.tail, qualifier };
        let invoked = invoke(&client, invocation).await;
        waiting.clear();
        print(ctx, &self.name, &invoked.map_err(|error| refused(error, &self.name))?)
    }
}

/// Why the function could not be called, and what to do, with its name.
fn refused(error: Error, name: &str) -> Failure {
    let by_url = matches!(&error, Error::Aws(exception) if exception.message.contains("function-http component"));
    let failure = Failure::from(error);
    match super::parts(name) {
        Ok((name, _)) if by_url => failure.next(format!("call its URL: lamina url {name}")),
        _ => failure,
    }
}

/// The event that the command line names.
fn event(payload: Option<&str>) -> Result<Bytes, Failure> {
    let too_long = || {
        Failure::new(format!("the event is longer than {REQUEST_PAYLOAD_BYTES_MAX} bytes"))
            .next("give a shorter one, or one that says where the data is")
    };
    let bytes = match payload {
        None => Vec::new(),
        Some("-") => files::bounded(io::stdin().lock(), REQUEST_PAYLOAD_BYTES_MAX)
            .map_err(|error| Failure::io("reading standard input", &error))?
            .ok_or_else(too_long)?,
        Some(text) => match text.strip_prefix('@') {
            Some(path) => files::read(Path::new(path), REQUEST_PAYLOAD_BYTES_MAX)?,
            None if text.len() > REQUEST_PAYLOAD_BYTES_MAX => return Err(too_long()),
            None => text.as_bytes().to_vec(),
        },
    };
    Ok(bytes.into())
}

/// The answer on standard output, everything else on standard error.
fn print(ctx: &Ctx, name: &str, invoked: &Invoked) -> Done {
    let failure = invoked.error.is_some().then(|| failed(name, &invoked.payload).told());
    if ctx.output.is_json() {
        let payload = serde_json::from_slice(&invoked.payload)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&invoked.payload).into_owned()));
        let mut told = json!({
            "StatusCode": 200,
            "ExecutedVersion": invoked.version,
            "RequestId": invoked.request_id,
            "ContentType": invoked.content_type,
            "Payload": payload,
        });
        if let Some(error) = &invoked.error {
            told["FunctionError"] = json!(error);
        }
        if let Some(log) = &invoked.log {
            told["Log"] = json!(log);
        }
        return after(failure, ctx.output.json(&told));
    }
    if let Some(log) = &invoked.log {
        let (faint, plain) = (style::FAINT, style::PLAIN);
        ctx.output.note(format_args!("{faint}{}{plain}", printable(log.trim_end())));
    }
    let mut printed = ctx.output.bytes(&invoked.payload);
    if !invoked.payload.is_empty() && !invoked.payload.ends_with(b"\n") {
        if output::is_terminal() {
            printed = printed.and_then(|()| ctx.output.bytes(b"\n"));
        } else if failure.is_some() {
            // Both streams may end in one place; what goes into the pipe stays exact.
            ctx.output.note("");
        }
    }
    after(failure, printed)
}

/// The function's own failure counts whether or not its answer could be printed.
fn after(failure: Option<Failure>, printed: Result<(), Failure>) -> Done {
    match failure {
        Some(failure) => Err(failure),
        None => printed.map(|()| ExitCode::SUCCESS),
    }
}

/// The function's own error, in words.
fn failed(name: &str, payload: &[u8]) -> Failure {
    let error: Value = serde_json::from_slice(payload).unwrap_or_default();
    let text = match (member(&error, "errorType"), member(&error, "errorMessage")) {
        ("", "") => "the function failed".to_owned(),
        ("", message) => format!("the function failed: {message}"),
        (kind, message) => format!("the function failed: {kind}: {message}"),
    };
    Failure::new(text).next(format!("see its log: lamina logs {name}, or call it with --tail"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_from_the_line_or_a_file() {
        assert_eq!(event(None).unwrap(), "");
        assert_eq!(event(Some("{\"a\":1}")).unwrap(), "{\"a\":1}");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[1]").unwrap();
        assert_eq!(event(Some(&format!("@{}", file.path().display()))).unwrap(), "[1]");
        assert_eq!(event(Some("@/nonexistent")).unwrap_err().code(), 1);
    }

    #[test]
    fn a_functions_error_is_put_in_words() {
        let check = |payload: &str, expect: &str| assert_eq!(failed("f", payload.as_bytes()).text(), expect);
        check(r#"{"errorType":"T","errorMessage":"m"}"#, "the function failed: T: m");
        check(r#"{"errorMessage":"m"}"#, "the function failed: m");
        check("not json", "the function failed");
    }
}
