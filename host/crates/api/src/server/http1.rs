//! One connection of HTTP/1.1 or 1.0.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use http::{Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::watch;

use super::gauge::{Counted, Flight, Gauge};
use super::paced::Paced;
use super::refusal;
use super::{Phase, Watch, Wire};
use crate::answer::Answer;
use crate::limits::Limits;

/// What is read ahead of a connection, and written behind it, in bytes.
const BUFFER_BYTES_MAX: usize = 256 << 10;
/// hyper's own: with another number it allocates for each request.
const FIELDS_DEFAULT: usize = 100;

/// Serves one connection with `service`, whose answers' bodies may break off.
pub(super) async fn drive<T, S>(
    limits: &Limits,
    (stream, gauge): (Paced<T>, Arc<Gauge>),
    phase: watch::Receiver<Phase>,
    service: S,
) where
    T: Wire,
    S: Service<Request<Incoming>, Response = Answer, Error = Infallible>,
{
    // Whether the last request was of HTTP/1.0, whose bodies end with the connection.
    let old = AtomicBool::new(false);
    let service = service_fn(|request: Request<Incoming>| {
        old.store(request.version() == Version::HTTP_10, Ordering::Relaxed);
        Answering { flight: Some(gauge.begin()), answer: Box::pin(service.call(request)) }
    });
    let mut phase = Watch::new(phase);
    let mut serving = builder(limits).serve_connection(TokioIo::new(stream), service);
    loop {
        tokio::select! {
            biased;
            ended = std::future::poll_fn(|cx| serving.poll_without_shutdown(cx)) => {
                let (stream, late) = serving.into_parts().io.into_inner().into_parts();
                let Err(error) = ended else { return refusal::close(stream).await };
                tracing::debug!(%error, "a connection broke off");
                if late {
                    refusal::refuse(stream, StatusCode::REQUEST_TIMEOUT).await;
                } else if error.is_parse() || error.is_incomplete_message() {
                    // It was answered, by hyper, and more of it may be on its way; or
                    // there is no more of it, which is no reason to end TLS unsaid.
                    refusal::close(stream).await;
                } else if error.is_user() && old.load(Ordering::Relaxed) {
                    // Closed as usual, a body that broke off would look complete.
                    let _ = stream.tcp().set_zero_linger();
                }
                return;
            }
            changed = std::future::poll_fn(|cx| phase.poll(cx)) => match changed {
                Some(Phase::Serving) => {}
                Some(Phase::Draining) => std::pin::Pin::new(&mut serving).graceful_shutdown(),
                // Also when the server is gone.
                Some(Phase::Cutting) | None => return,
            },
        }
    }
}

/// An answer that is being made, and its place among the connection's requests. The
/// large future is moved once, into its box.
struct Answering<F> {
    flight: Option<Flight>,
    answer: Pin<Box<F>>,
}

impl<F: Future<Output = Result<Answer, Infallible>>> Future for Answering<F> {
    type Output = Result<Response<Counted>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = ready!(self.answer.as_mut().poll(cx));
        // Taken once: nobody polls what is ready.
        let flight = self.flight.take();
        Poll::Ready(answer.map(|answer| answer.map(|body| Counted::new(body, flight))))
    }
}

fn builder(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    // The stream has the deadlines.
    builder.timer(TokioTimer::new()).header_read_timeout(None);
    builder.max_buf_size(BUFFER_BYTES_MAX).max_header_size(limits.head_bytes_max);
    if limits.head_fields_max != FIELDS_DEFAULT {
        builder.max_headers(limits.head_fields_max);
    }
    builder
}
