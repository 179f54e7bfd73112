//! Calls whose answer is passed on as it is written.

use http_body_util::BodyExt as _;
use lamina_kit::DetachOnDrop;
use lamina_runtime::{ResponseBody, StreamHead, StreamStart};
use lamina_types::{Invocation, Version, World};
use tokio::sync::oneshot;

use crate::answer::{Body, End, Ended, StreamAnswer, Streamed};
use crate::dispatcher::{Admitted, Dispatcher};
use crate::error::InvokeError;

/// What is known of a call before it runs.
struct How {
    version: Version,
    /// Whether its answer may come with its outcome instead of as a stream.
    may_answer_whole: bool,
    is_watched: bool,
}

impl Dispatcher {
    /// Runs a component that may stream and answers when it has begun to, or one that
    /// answers with bytes and answers when it has ended.
    ///
    /// The guest runs on the caller's task until its answer begins, and on a task
    /// of its own from then on. Dropped half-way, it runs on: its caller has left,
    /// and its next write fails.
    pub async fn streaming(&self, invocation: Invocation) -> Result<Streamed, InvokeError> {
        self.stream(invocation, false).await
    }

    /// The same for a caller who is also told how the call ended.
    pub async fn watched(&self, invocation: Invocation) -> Result<Streamed, InvokeError> {
        self.stream(invocation, true).await
    }

    async fn stream(&self, invocation: Invocation, is_watched: bool) -> Result<Streamed, InvokeError> {
        let Admitted { call, ending } = self.admit(invocation).await?;
        let version = call.function.version;
        if call.function.world == World::Function {
            let (running, ()) = self.start(self.deps.runtime.buffered(call).map(|run| (run, ())), ending)?;
            let (outcome, tail) = running.await?;
            let answer = outcome.result.map_or_else(StreamAnswer::Failed, StreamAnswer::Whole);
            return Ok(Streamed { version, answer, end: End::Ended(tail) });
        }
        let how = How { version, may_answer_whole: call.function.world == World::ManagedRuntime, is_watched };
        let (running, start) = match how.may_answer_whole {
            true => self.start(self.deps.runtime.managed(call), ending)?,
            false => self.start(self.deps.runtime.streaming(call), ending)?,
        };
        self.begun(running, start, how).await
    }

    /// Drives a call until it has begun to answer, or has ended.
    async fn begun(
        &self,
        mut running: DetachOnDrop<Ended>,
        start: StreamStart,
        how: How,
    ) -> Result<Streamed, InvokeError> {
        let How { version, may_answer_whole, is_watched } = how;
        let (mut head, body) = (start.head, start.body);
        let ended = tokio::select! {
            biased;
            ended = &mut running => ended,
            begun = &mut head => match begun {
                // Dropped here, the call goes on as a task.
                Ok(head) => {
                    let answer = StreamAnswer::Started { head, body: Body::Stream(body) };
                    let end = if is_watched { self.watch(running) } else { End::Unwatched };
                    return Ok(Streamed { version, answer, end });
                }
                // The guest gave its writer back unused.
                Err(_) => running.await,
            },
        };
        let (outcome, tail) = ended?;
        let answer = match (head.try_recv().ok(), outcome.result) {
            (None, Err(failure)) => StreamAnswer::Failed(failure),
            (Some(head), Err(failure)) => {
                let answer = StreamAnswer::Started { head, body: Body::Stream(body) };
                return Ok(Streamed { version, answer, end: End::Failed(failure, tail) });
            }
            (None, Ok(bytes)) if may_answer_whole => StreamAnswer::Whole(bytes),
            (head, Ok(_)) => whole(head, body).await,
        };
        Ok(Streamed { version, answer, end: End::Ended(tail) })
    }

    /// Has the call run to its end as a task that tells of it.
    fn watch(&self, running: impl Future<Output = Ended> + Send + 'static) -> End {
        let (tell, told) = oneshot::channel();
        self.tasks.spawn(async move {
            // Who asked may have left.
            let _ = tell.send(running.await);
        });
        End::Running(told)
    }
}

/// The answer of a call that has ended well: at most one chunk waits.
async fn whole(head: Option<StreamHead>, body: ResponseBody) -> StreamAnswer {
    let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    StreamAnswer::Started { head: head.unwrap_or_default(), body: Body::Whole(bytes) }
}
