//! One connection of HTTP/2.
//!
//! h2 bounds what it keeps: streams, header lists, continuations, resets that
//! were not looked at yet, one answer to a ping or settings at a time. Here is
//! what only a server can judge: a client that resets more than it lets be
//! answered, one that says much and asks nothing, a stream whose window stays
//! shut, and a connection without requests.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_LENGTH, COOKIE, HOST};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use lamina_kit::Tasks;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use super::Phase;
use super::gauge::{Counted, Gauge};
use super::paced::Paced;
use super::stall::Streams;
use crate::answer::{Answer, AnswerBody};
use crate::limits::Limits;

/// Streams that were reset before they were looked at; past it the connection ends.
const PENDING_RESETS_MAX: usize = 20;
/// Streams that a client made us reset by an error; past it the connection ends.
const ERROR_RESETS_MAX: usize = 100;
/// Bytes of one stream, and of all of a connection, that may come unasked for.
const WINDOW_BYTES: u32 = 1 << 20;
/// Bytes of one stream's answer that wait in its connection.
const SEND_BYTES_MAX: usize = 64 << 10;
/// How long a client has to go, once it was told to.
const GOING: Duration = Duration::from_secs(2);

/// Serves one connection with `service`, whose answers' bodies may break off.
pub(super) async fn drive<T, S>(
    limits: &Limits,
    (stream, gauge): (Paced<T>, Arc<Gauge>),
    (mut phase, tasks): (watch::Receiver<Phase>, Tasks),
    service: S,
) where
    T: AsyncRead + AsyncWrite + Unpin,
    S: Service<Request<Incoming>, Response = Answer, Error = Infallible>,
    S::Future: Send + 'static,
{
    let fields_max = limits.head_fields_max;
    let service = service_fn(|mut request: Request<Incoming>| {
        let flight = gauge.begin();
        let is_head = request.method() == Method::HEAD;
        let refused = request.headers().len() > fields_max;
        name_host(&mut request);
        join_cookies(&mut request);
        let answering = (!refused).then(|| service.call(request));
        // Apart: h2 would move the large future about.
        Box::pin(async move {
            let answer = match answering {
                Some(answering) => answering.await?,
                None => too_many_fields(),
            };
            let answer = if is_head { without_body(answer) } else { answer };
            Ok::<_, Infallible>(answer.map(|body| Counted::in_pieces(body, flight)))
        })
    });
    let streams = Streams { tasks, stall_timeout: limits.stall_timeout };
    let mut serving = builder(limits, streams).serve_connection(TokioIo::new(stream), service);
    let mut going = false;
    loop {
        tokio::select! {
            ended = &mut serving => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection broke off");
                }
                return;
            }
            () = idle(&gauge, if going { GOING } else { limits.idle_timeout }) => {
                if std::mem::replace(&mut going, true) {
                    return;
                }
                std::pin::Pin::new(&mut serving).graceful_shutdown();
            }
            () = gauge.overrun() => {
                tracing::debug!("a connection was cut whose client resets its requests");
                return;
            }
            changed = phase.changed() => {
                match changed.map(|()| *phase.borrow()) {
                    Ok(Phase::Serving) => {}
                    Ok(Phase::Draining) => {
                        // Once it has no more requests it need not wait for a client
                        // that does not go.
                        going = true;
                        std::pin::Pin::new(&mut serving).graceful_shutdown();
                    }
                    // Also when the server is gone.
                    Ok(Phase::Cutting) | Err(_) => return,
                }
            }
        }
    }
}

/// Completes when two looks have found no request, so long one after the other.
async fn idle(gauge: &Gauge, period: Duration) {
    let (mut begun, mut quiet) = (gauge.begun(), gauge.is_idle());
    loop {
        tokio::time::sleep(period).await;
        let now = (gauge.begun(), gauge.is_idle());
        if now == (begun, true) && quiet {
            return;
        }
        (begun, quiet) = now;
    }
}

fn builder(limits: &Limits, streams: Streams) -> http2::Builder<Streams> {
    let mut builder = http2::Builder::new(streams);
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams_max)
        .max_header_list_size(u32::try_from(limits.head_bytes_max).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(PENDING_RESETS_MAX)
        .max_local_error_reset_streams(ERROR_RESETS_MAX)
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .max_send_buf_size(SEND_BYTES_MAX)
        .keep_alive_interval(limits.ping_period)
        .keep_alive_timeout(limits.ping_timeout);
    builder
}

/// Whoever reads the request finds the host where HTTP/1.1 has it.
fn name_host<B>(request: &mut Request<B>) {
    let Some(authority) = request.uri().authority() else { return };
    if let Ok(host) = HeaderValue::from_str(authority.as_str()) {
        // One that differs stays beside it, and makes the request ambiguous.
        if request.headers().get(HOST) != Some(&host) {
            request.headers_mut().append(HOST, host);
        }
    }
}

/// A client may send each cookie apart, for compression; whoever reads the request
/// expects one field (RFC 9113, section 8.2.3).
fn join_cookies<B>(request: &mut Request<B>) {
    let mut cookies = request.headers().get_all(COOKIE).iter();
    if cookies.nth(1).is_none() {
        return;
    }
    let all: Vec<&[u8]> = request.headers().get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    // Values that were each good are so together.
    if let Ok(joined) = HeaderValue::from_bytes(&all.join(&b"; "[..])) {
        request.headers_mut().insert(COOKIE, joined);
    }
}

/// What hyper answers over HTTP/1.1.
fn too_many_fields() -> Answer {
    let mut answer = Answer::new(AnswerBody::empty());
    *answer.status_mut() = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    answer
}

/// The answer to HEAD, as hyper makes it for HTTP/1.1 only.
fn without_body(answer: Answer) -> Answer {
    let (mut head, body) = answer.into_parts();
    if let Some(length) = body.size_hint().exact()
        && !body.is_end_stream()
    {
        head.headers.entry(CONTENT_LENGTH).or_insert_with(|| length.into());
    }
    Answer::from_parts(head, AnswerBody::empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_look_as_over_http_1_1() {
        let check = |uri: &str, headers: &[(&str, &str)], expect: &[(&str, &str)]| {
            let mut request = Request::get(uri);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let mut request = request.body(()).unwrap();
            name_host(&mut request);
            join_cookies(&mut request);
            let found = request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
            let mut found: Vec<_> = found.collect();
            found.sort_unstable();
            assert_eq!(found, expect, "{uri} {headers:?}");
        };
        check("http://a:1/x", &[], &[("host", "a:1")]);
        check("http://a/x", &[("host", "a")], &[("host", "a")]);
        check("http://a/x", &[("host", "b")], &[("host", "a"), ("host", "b")]);
        check("/x", &[("host", "b")], &[("host", "b")]);
        check("/x", &[("cookie", "a=1")], &[("cookie", "a=1")]);
        check("/x", &[("cookie", "a=1"), ("cookie", "b=2; c=3")], &[("cookie", "a=1; b=2; c=3")]);
    }

    #[test]
    fn heads_keep_the_length_of_their_body() {
        let head = without_body(Answer::new(AnswerBody::whole("abc")));
        assert_eq!((&head.headers()[CONTENT_LENGTH], head.body().is_end_stream()), (&HeaderValue::from(3), true));
        let mut own = Answer::new(AnswerBody::empty());
        own.headers_mut().insert(CONTENT_LENGTH, 9.into());
        assert_eq!(without_body(own).headers()[CONTENT_LENGTH], HeaderValue::from(9));
    }
}
