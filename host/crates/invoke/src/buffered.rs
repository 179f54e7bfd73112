//! Calls that are collected to their end.

use bytes::Bytes;
use http_body_util::BodyExt as _;
use lamina_kit::DetachOnDrop;
use lamina_runtime::{ResponseBody, RunError, StreamHead, StreamStart};
use lamina_types::limits::RESPONSE_PAYLOAD_BYTES_MAX;
use lamina_types::{FunctionError, Invocation, Outcome, Status, World};

use crate::answer::Served;
use crate::dispatcher::{Admitted, Dispatcher, Ending};
use crate::error::InvokeError;

/// How a call ended whose body was collected, and the head it gave its answer.
type Gathered = Result<((Outcome, Option<Vec<u8>>), Option<StreamHead>), RunError>;

impl Dispatcher {
    /// Runs a `function` component, or one that may stream (a `function-stream`
    /// component, a managed runtime), whose answer is collected up to Lambda's limit
    /// of a buffered one.
    ///
    /// Dropped half-way, the call runs on to its end, as on Lambda.
    pub async fn buffered(&self, invocation: Invocation) -> Result<Served, InvokeError> {
        let Admitted { call, ending } = self.admit(invocation).await?;
        let version = call.function.version;
        let ((outcome, tail), head) = match call.function.world {
            World::Function | World::FunctionHttp => {
                let (running, ()) = self.start(self.deps.runtime.buffered(call).map(|run| (run, ())), ending)?;
                (running.await?, None)
            }
            // Apart: the others' calls would carry their futures about.
            World::FunctionStream => self.gathered(self.deps.runtime.streaming(call), ending).await?,
            World::ManagedRuntime => self.gathered(self.deps.runtime.managed(call), ending).await?,
        };
        Ok(Served { version, outcome, head, tail })
    }

    /// Runs a call that may stream to its end, and collects its body.
    fn gathered(
        &self,
        started: Result<(impl Future<Output = Result<Outcome, RunError>> + Send + 'static, StreamStart), RunError>,
        ending: Ending,
    ) -> DetachOnDrop<Gathered> {
        self.tasks.detach_on_drop(async move {
            let (outcome, head) = match collected(started).await {
                Ok((outcome, head)) => (Ok(outcome), head),
                Err(error) => (Err(error), None),
            };
            Ok((ending.end(outcome)?, head))
        })
    }
}

/// Runs a call that may stream, and collects the body into the outcome if it does.
async fn collected(
    started: Result<(impl Future<Output = Result<Outcome, RunError>>, StreamStart), RunError>,
) -> Result<(Outcome, Option<StreamHead>), RunError> {
    let (drive, start) = started?;
    let (outcome, body) = tokio::join!(drive, collect(start.body));
    let mut outcome = outcome?;
    match body {
        Ok(body) => outcome.result = outcome.result.map(|whole| if body.is_empty() { whole } else { body }),
        // Also when the guest failed because its writes did: this is why.
        Err(too_large) => {
            outcome.result = Err(too_large);
            outcome.usage.status = Status::Failure;
        }
    }
    // The call has ended: the head is there or never comes.
    Ok((outcome, start.head.await.ok()))
}

/// The whole body. Past the limit reading ends, so that the guest's next write
/// fails, and the answer is Lambda's error.
async fn collect(mut body: ResponseBody) -> Result<Vec<u8>, FunctionError> {
    let mut answer = Vec::new();
    while let Some(frame) = body.frame().await {
        // A body that broke off belongs to a call that failed: its outcome says so.
        let Ok(frame) = frame else { break };
        let data: Bytes = frame.into_data().unwrap_or_default();
        if answer.len() + data.len() > RESPONSE_PAYLOAD_BYTES_MAX {
            return Err(FunctionError::response_too_large());
        }
        answer.extend_from_slice(&data);
    }
    Ok(answer)
}
