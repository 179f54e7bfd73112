//! A `function-http` component: it gets the request itself and answers it.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};
use http_body_util::BodyExt as _;
use lamina_meter::Traffic;
use lamina_types::limits::STREAMED_RESPONSE_BYTES_MAX;
use lamina_types::{FunctionError, Outcome, World};
use tokio::sync::oneshot;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;
use wasmtime_wasi_http::{WasiBody, WasiHttpView as _};

use super::{Call, HttpError, RequestBody, ResponseBody, Running, within};
use crate::code::Handler;
use crate::error::RunError;
use crate::response::Broken;
use crate::runtime::Runtime;

/// The caller's side of a call: the response as soon as the guest set it; fails
/// when the call ends before it did.
pub struct HttpStart {
    /// The response. Its body yields an error when the call failed before the
    /// guest had finished it.
    pub response: oneshot::Receiver<http::Response<ResponseBody>>,
}

/// What the guest did with its response-outparam.
#[derive(Clone, Default)]
struct Answer(Arc<AtomicU8>);

impl Answer {
    const SET: u8 = 1;
    const ERROR: u8 = 2;

    fn set(&self, to: u8) {
        self.0.store(to, Ordering::SeqCst);
    }

    fn result(&self) -> Result<Vec<u8>, FunctionError> {
        let message = match self.0.load(Ordering::SeqCst) {
            Self::SET => return Ok(Vec::new()),
            Self::ERROR => "the component answered with an error instead of a response",
            _ => "the component ended without setting a response",
        };
        Err(FunctionError::no_response(message))
    }
}

impl Runtime {
    /// Runs a `function-http` component on a fresh instance; the future is the
    /// call, as in [`Runtime::streaming`]. The request must have a Host header
    /// or an authority.
    pub fn http(
        &self,
        call: Call,
        request: http::Request<RequestBody>,
    ) -> Result<(impl Future<Output = Result<Outcome, RunError>> + Send + 'static, HttpStart), RunError> {
        let mut running = Running::new(self, call)?;
        let loaded = running.call.code.loaded.clone();
        if !matches!(loaded.linked.handler, Handler::Http(_)) {
            return Err(RunError::World { world: running.call.function.world, wanted: World::FunctionHttp.name() });
        }
        let (sender, response) = oneshot::channel();
        let (answer, broken) = (Answer::default(), Broken::default());
        let drive = async move {
            // Before the store goes: its end would look like the body's own.
            let mut verdict = broken.verdict();
            let Handler::Http(indices) = &loaded.linked.handler else {
                return Err(RunError::Internal("the world changed".into()));
            };
            let restored = match running.restored().await {
                Ok(restored) => restored,
                Err(stopped) => return stopped,
            };
            let timeout = running.timeout();
            let ended = within(
                timeout,
                pin!(async {
                    let traffic = running.call.traffic.clone();
                    let counts = traffic.clone();
                    let request = request.map(|body| {
                        let counted = body.map_frame(move |frame| {
                            if let (Some(traffic), Some(data)) = (&counts, frame.data_ref()) {
                                traffic.read(data.len());
                            }
                            frame
                        });
                        counted.map_err(|error| wasi_error(&error))
                    });
                    let store = &mut running.store;
                    let request = store.data_mut().http().new_incoming_request(Scheme::Http, request)?;
                    let (answered, breaks) = (answer.clone(), broken.clone());
                    let outparam = store.data_mut().http().new_response_outparam_from_callback(move |result| {
                        answered.set(if result.is_ok() { Answer::SET } else { Answer::ERROR });
                        if let Ok(response) = result {
                            let response = response
                                .map(|body| HttpBody { body, broken: breaks, bytes: 0, traffic }.boxed_unsync());
                            // A caller that left does not stop the guest.
                            let _ = sender.send(response);
                        }
                    })?;
                    let instance = match running.begun(restored).await? {
                        Ok(instance) => instance,
                        Err(failure) => return Ok(Err(super::buffered::failure(failure))),
                    };
                    let proxy = indices.load(&mut running.store, &instance)?;
                    proxy.wasi_http_incoming_handler().call_handle(&mut running.store, request, outparam).await?;
                    Ok(answer.result())
                }),
            )
            .await;
            let outcome = running.outcome(ended);
            verdict.whole = matches!(&outcome, Ok(outcome) if outcome.result.is_ok());
            drop(verdict);
            drop(running);
            outcome
        };
        Ok((drive, HttpStart { response }))
    }
}

fn wasi_error(error: &HttpError) -> wasmtime_wasi_http::Error {
    wasmtime_wasi_http::Error::InternalError(Some(error.0.clone()))
}

/// The guest's body; the engine ends it cleanly when a guest traps, we do not.
struct HttpBody {
    body: WasiBody,
    broken: Broken,
    bytes: u64,
    traffic: Option<Arc<Traffic>>,
}

impl HttpBody {
    /// Breaks off where a streamed answer may end.
    fn count(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, HttpError> {
        let length = frame.data_ref().map_or(0, Bytes::len);
        self.bytes += length as u64;
        if let Some(traffic) = &self.traffic {
            traffic.wrote(length);
        }
        if self.bytes > STREAMED_RESPONSE_BYTES_MAX {
            return Err(HttpError(format!("a streamed answer holds at most {STREAMED_RESPONSE_BYTES_MAX} bytes")));
        }
        Ok(frame)
    }
}

impl Body for HttpBody {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
        Poll::Ready(match frame {
            Some(Ok(frame)) => Some(self.count(frame)),
            Some(Err(error)) => Some(Err(HttpError(error.to_string()))),
            None if self.broken.is_set() => Some(Err(HttpError::broken())),
            None => None,
        })
    }
}
