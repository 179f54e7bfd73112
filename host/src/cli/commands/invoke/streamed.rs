//! `lamina invoke NAME --stream`: the answer as it is written.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Method;
use lamina_wire::event_stream::{Complete, Decoder, Event};

use super::{InvokeArgs, TIMEOUT, failed};
use crate::cli::Ctx;
use crate::cli::client::{Call, Client, Error};
use crate::cli::failure::Done;
use crate::cli::output::{printable, style};

/// Bytes on standard output as they come, or with `--output json` an object a line
/// for each event; the log on standard error.
pub(super) async fn print(ctx: &Ctx, client: &Client, args: &InvokeArgs, payload: Bytes) -> Result<Done, Error> {
    let path = ["2021-11-15", "functions", &args.name, "response-streaming-invocations"];
    let qualifier = args.qualifier.as_deref();
    let mut call = Call::new(Method::POST, &path).query_if("Qualifier", qualifier).timeout(TIMEOUT).body(payload);
    if args.tail {
        call = call.header("x-amz-log-type", "Tail");
    }
    let mut download = client.download(call).await?;
    download.idle = TIMEOUT;
    let mut events = Decoder::default();
    while let Some(bytes) = download.next().await? {
        events.push(&bytes);
        while let Some(event) = events.event().map_err(|error| Error::Unreadable(error.to_string()))? {
            let printed = match event {
                Event::PayloadChunk(bytes) if ctx.output.is_json() => {
                    let text = String::from_utf8_lossy(&bytes);
                    ctx.output.json(&serde_json::json!({"PayloadChunk": {"Payload": text}}))
                }
                Event::PayloadChunk(bytes) => ctx.output.bytes(&bytes),
                Event::InvokeComplete(complete) => return Ok(ended(ctx, args, &complete)),
            };
            if let Err(failure) = printed {
                return Ok(Err(failure));
            }
        }
    }
    Err(Error::Unreadable("the answer ended without its last event: it broke off".to_owned()))
}

fn ended(ctx: &Ctx, args: &InvokeArgs, complete: &Complete) -> Done {
    if ctx.output.is_json() {
        ctx.output.json(&serde_json::json!({"InvokeComplete": complete}))?;
    } else if let Some(log) = &complete.log_result {
        let log: Vec<u8> = STANDARD.decode(log).unwrap_or_default();
        let (faint, plain, log) = (style::FAINT, style::PLAIN, String::from_utf8_lossy(&log));
        ctx.output.note(format_args!("{faint}{}{plain}", printable(log.trim_end())));
    }
    match &complete.error_code {
        None => Ok(std::process::ExitCode::SUCCESS),
        Some(_) => Err(failed(&args.name, complete.error_details.as_deref().unwrap_or_default().as_bytes()).told()),
    }
}
