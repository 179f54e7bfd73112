//! Components that get the request itself, of the world `function-http`.

use std::num::NonZeroU64;
use std::sync::{Arc, OnceLock};

use http::header::{CONTENT_LENGTH, HOST, TRAILER};
use http::uri::{Authority, PathAndQuery, Uri};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use lamina_invoke::Body;
use lamina_runtime::{HttpError, RequestBody};
use lamina_types::limits::RESPONSE_PAYLOAD_BYTES_MAX;

use super::hop::{is_hop, named};
use super::infer::{has_body, is_ours};
use super::refusal::Refusal;
use super::trailed::{Trailed, are_taken};
use super::{Visit, address};
use crate::answer::{Answer, AnswerBody};
use crate::body::{self, Bounded, Bounds, Pace};
use crate::error::{ApiError, exception};
use crate::pace::paced;
use crate::request::{self, Head};
use crate::trace::{TRACE_ID, TRACE_PARENT, parent};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const TLS_VERSION: HeaderName = HeaderName::from_static("x-amzn-tls-version");
const TLS_SUITE: HeaderName = HeaderName::from_static("x-amzn-tls-cipher-suite");

/// Reads the whole request first, and answers when all of the response is there: with
/// a length, unless there are trailers and a client that takes them. (Lambda's own
/// buffered answers have none.)
pub(super) async fn buffered(mut visit: Visit<'_>, body: Incoming) -> Result<Answer, Refusal> {
    let config = &visit.shared.config;
    let bytes_max = config.payload_bytes_max;
    let bounds = Bounds { bytes_max, pace: Pace::whole(&config.limits), room: Some(&visit.shared.room), hash: false };
    let body = body::read(body, bounds).await.map_err(|error| Refusal::unreadable(error, bytes_max))?;
    let (method, trailers_taken) = (visit.head.parts.method.clone(), are_taken(&visit.head.parts));
    rewrite(&mut visit)?;
    let (dispatcher, tasks) = (visit.shared.deps.dispatcher.clone(), visit.shared.tasks.clone());
    // The call ends at its timeout, and with it the body; a little later this does.
    let timeout = visit.timeout.saturating_mul(2);
    let (invocation, parts) = visit.into_call(Vec::new());
    let request = Request::from_parts(parts, whole(body));
    // A client that leaves does not stop it.
    let called = tasks.detach_on_drop(async move {
        let (head, body) = dispatcher.http(invocation, request).await?.response?.into_parts();
        Ok::<_, Refusal>((head, collected(body, timeout).await?))
    });
    let (mut head, body) = called.await?;
    let body = match body.trailers {
        Some(trailers) if trailers_taken => {
            // A length would leave no place for them.
            head.headers.remove(CONTENT_LENGTH);
            Body::Stream(Trailed::new(body.bytes, trailers).map_err(|never| match never {}).boxed_unsync())
        }
        _ => Body::Whole(body.bytes),
    };
    answered(Response::from_parts(head, body), &method)
}

/// Passes both bodies on as they come.
pub(super) async fn streaming(mut visit: Visit<'_>, body: Incoming) -> Result<Answer, Refusal> {
    let config = &visit.shared.config;
    let bytes_max = config.payload_bytes_max;
    let body = Bounded::new(body, bytes_max, Pace::streamed(&config.limits));
    let body = body.map_err(|error| Refusal::unreadable(error, bytes_max))?;
    rewrite(&mut visit)?;
    let method = visit.head.parts.method.clone();
    let broken = Arc::new(OnceLock::new());
    let noted = broken.clone();
    let body = body.map_err(move |error| {
        let text = error.to_string();
        // The first one counts.
        let _ = noted.set(error);
        HttpError(text)
    });
    let (dispatcher, rate) = (&visit.shared.deps.dispatcher, visit.shared.config.stream_bytes_per_s);
    let (invocation, parts) = visit.into_call(Vec::new());
    let request = Request::from_parts(parts, body.boxed_unsync());
    let served = dispatcher.http(invocation, request).await?;
    match (served.response, broken.get()) {
        (Ok(response), _) => answered(response.map(|body| at_rate(body, rate)), &method),
        // Whatever the component made of its request's end, this is the reason.
        (Err(_), Some(error)) => Err(Refusal::unreadable(error.clone(), bytes_max)),
        (Err(failure), None) => Err(failure.into()),
    }
}

fn at_rate(body: Body, rate: Option<NonZeroU64>) -> Body {
    match body {
        Body::Stream(body) => Body::Stream(paced(body, rate)),
        whole @ Body::Whole(_) => whole,
    }
}

fn whole(body: body::Body) -> RequestBody {
    match body.trailers {
        None => Full::new(body.bytes).map_err(|never| match never {}).boxed_unsync(),
        Some(trailers) => Trailed::new(body.bytes, trailers).map_err(|never| match never {}).boxed_unsync(),
    }
}

/// The whole body, up to Lambda's limit of a buffered answer.
async fn collected(body: Body, timeout: std::time::Duration) -> Result<body::Body, Refusal> {
    let body = match body {
        Body::Whole(bytes) => body::Body::of(bytes),
        Body::Stream(body) => {
            let bounds =
                Bounds { bytes_max: RESPONSE_PAYLOAD_BYTES_MAX, pace: Pace::within(timeout), room: None, hash: false };
            body::read(body, bounds).await.map_err(|error| Refusal::Failed(format!("the response: {error}")))?
        }
    };
    if body.bytes.len() > RESPONSE_PAYLOAD_BYTES_MAX {
        return Err(Refusal::Failed("the response is larger than a buffered one may be".to_owned()));
    }
    Ok(body)
}

/// Makes the request the component's: an absolute URI without the URL's own part
/// of the path, no headers that end at this connection, and the platform's own.
fn rewrite(visit: &mut Visit<'_>) -> Result<(), Refusal> {
    let Head { peer, parts, .. } = &mut *visit.head;
    let (id, config) = (&visit.url.config.id, &visit.shared.config);
    let host = parts.headers.get(HOST).map(HeaderValue::as_bytes);
    let authority = match host {
        Some(host) => Authority::try_from(host).ok(),
        None => address::domain(request::host(parts), id, config).parse().ok(),
    };
    let uri = authority.and_then(|authority| absolute(&parts.uri, visit.prefix, (config.scheme(), authority)));
    let malformed = || ApiError::new(exception::INVALID_CONTENT, "The request's host or path is malformed.");
    parts.uri = uri.ok_or_else(|| Refusal::Denied(malformed()))?;
    parts.version = Version::HTTP_11;
    let headers = &mut parts.headers;
    remove_hops(headers);
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static(config.scheme()));
    headers.insert(FORWARDED_PORT, HeaderValue::from(peer.port));
    match peer.spoken {
        Some(spoken) => {
            headers.insert(TLS_VERSION, HeaderValue::from_static(spoken.version()));
            headers.insert(TLS_SUITE, HeaderValue::from_static(spoken.suite()));
        }
        // A client cannot say it.
        None => {
            headers.remove(TLS_VERSION);
            headers.remove(TLS_SUITE);
        }
    }
    let texts = [(FORWARDED_FOR, peer.ip()), (TRACE_ID, visit.trace_id.clone())];
    let traced = visit.span.map(|span| (TRACE_PARENT, parent(span)));
    for (name, text) in texts.into_iter().chain(traced) {
        // An address and a trace id are always a header's value.
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(name, value);
        }
    }
    Ok(())
}

fn absolute(uri: &Uri, prefix: usize, (scheme, authority): (&str, Authority)) -> Option<Uri> {
    let sent = uri.path_and_query()?;
    let path = match sent.as_str().get(prefix..)? {
        _ if prefix == 0 => sent.clone(),
        rest if rest.starts_with('/') => PathAndQuery::try_from(rest).ok()?,
        rest => PathAndQuery::try_from(format!("/{rest}")).ok()?,
    };
    Uri::builder().scheme(scheme).authority(authority).path_and_query(path).build().ok()
}

/// Removes what belongs to one connection, also what `Connection` names.
fn remove_hops(headers: &mut HeaderMap) {
    let gone: Vec<HeaderName> = headers.keys().filter(|name| is_hop(name)).cloned().collect();
    for name in named(headers).into_iter().chain(gone) {
        headers.remove(name);
    }
}

/// The component's response as it can be sent.
fn answered(response: Response<Body>, method: &Method) -> Result<Answer, Refusal> {
    let (mut head, body) = response.into_parts();
    if head.status.is_informational() || head.status == StatusCode::SWITCHING_PROTOCOLS {
        return Err(Refusal::Failed(format!("the response has the interim status {}", head.status)));
    }
    let announced: Vec<HeaderValue> = head.headers.get_all(TRAILER).iter().cloned().collect();
    let ours: Vec<HeaderName> =
        head.headers.keys().filter(|name| is_ours(name) && *name != CONTENT_LENGTH).cloned().collect();
    for name in ours {
        head.headers.remove(name);
    }
    let body = match body {
        _ if !has_body(head.status) => {
            head.headers.remove(CONTENT_LENGTH);
            AnswerBody::empty()
        }
        // What GET would have: the response says, not the body it has not.
        Body::Whole(bytes) if *method == Method::HEAD && head.headers.contains_key(CONTENT_LENGTH) => {
            drop(bytes);
            AnswerBody::empty()
        }
        Body::Whole(bytes) => {
            head.headers.remove(CONTENT_LENGTH);
            AnswerBody::whole(bytes)
        }
        Body::Stream(body) => {
            // What comes after the body is sent over HTTP/1.1 only if it is announced.
            for name in announced {
                head.headers.append(TRAILER, name);
            }
            AnswerBody::Stream(body)
        }
    };
    if !has_length(&head.headers) {
        head.headers.remove(CONTENT_LENGTH);
    }
    let mut answer = Response::new(body);
    *answer.status_mut() = head.status;
    *answer.headers_mut() = head.headers;
    Ok(answer)
}

/// Whether there is one length, and it is a number.
fn has_length(headers: &HeaderMap) -> bool {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let first = lengths.next().and_then(|value| value.to_str().ok());
    first.is_some_and(|text| text.parse::<u64>().is_ok()) && lengths.next().is_none()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http_body::Body as _;

    use super::*;

    #[test]
    fn uris_become_absolute() {
        let check = |target: &str, prefix: usize, expect: &str| {
            let uri = absolute(&target.parse().unwrap(), prefix, ("http", "h:1".parse().unwrap())).unwrap();
            assert_eq!(uri.to_string(), expect);
        };
        check("/a/b?c=d", 0, "http://h:1/a/b?c=d");
        check("/", 0, "http://h:1/");
        check("http://other/a", 0, "http://h:1/a");
        check("/_url/i/a?c", 7, "http://h:1/a?c");
        check("/_url/i?c", 7, "http://h:1/?c");
        check("/_url/i", 7, "http://h:1/");
    }

    #[test]
    fn headers_of_the_connection_go() {
        let pairs = [
            ("connection", "close, x-own"),
            ("x-own", "1"),
            ("transfer-encoding", "chunked"),
            ("expect", "100-continue"),
            ("cookie", "a=1"),
            ("content-length", "1"),
            ("host", "h"),
        ];
        let pairs = pairs.map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        let mut headers: HeaderMap = pairs.into_iter().collect();
        remove_hops(&mut headers);
        let mut left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["content-length", "cookie", "host"]);
    }

    fn answer(status: u16, headers: &[(&str, &'static str)], method: Method) -> Result<Answer, Refusal> {
        let mut response = Response::new(Body::Whole(Bytes::from_static(b"abc")));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        for (name, value) in headers {
            response.headers_mut().append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_static(value));
        }
        answered(response, &method)
    }

    #[test]
    fn responses_are_made_sendable() {
        let own = [("connection", "close"), ("content-length", "3"), ("x-amzn-requestid", "forged"), ("x-a", "b")];
        let sent = answer(200, &own, Method::GET).unwrap();
        assert_eq!((sent.headers().len(), &sent.headers()["x-a"]), (1, &HeaderValue::from_static("b")));
        assert_eq!(sent.body().size_hint().exact(), Some(3));
        let head = answer(200, &[("content-length", "9")], Method::HEAD).unwrap();
        assert_eq!((&head.headers()[CONTENT_LENGTH], head.body().is_end_stream()), (&HeaderValue::from(9), true));
        let none = answer(204, &[("content-length", "3")], Method::GET).unwrap();
        assert_eq!((none.headers().len(), none.body().is_end_stream()), (0, true));
        assert!(matches!(answer(101, &[], Method::GET), Err(Refusal::Failed(_))));
    }

    #[tokio::test]
    async fn buffered_responses_are_bounded() {
        let timeout = std::time::Duration::from_secs(5);
        let most = Bytes::from(vec![0; RESPONSE_PAYLOAD_BYTES_MAX]);
        assert!(collected(Body::Whole(most), timeout).await.is_ok());
        let more = Bytes::from(vec![0; RESPONSE_PAYLOAD_BYTES_MAX + 1]);
        assert!(collected(Body::Whole(more.clone()), timeout).await.is_err());
        assert!(collected(Body::Stream(whole(body::Body::of(more))), timeout).await.is_err());
    }
}
