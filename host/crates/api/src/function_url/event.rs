//! The event of a function URL: payload format 2.0 to the letter (reference
//! 5.3), written straight into one buffer.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};
use lamina_types::{RequestId, Timestamp};
use percent_encoding::percent_decode;

use super::hop::{is_hop, named};
use super::json;
use crate::tls::Spoken;

/// What an event is made of.
pub(super) struct Source<'a> {
    pub(super) method: &'a Method,
    pub(super) version: Version,
    /// As sent, without a `/_url/ID` prefix.
    pub(super) path: &'a str,
    /// As sent, without `?`.
    pub(super) query: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    pub(super) url_id: &'a str,
    pub(super) domain: &'a str,
    pub(super) source_ip: &'a str,
    /// `http` or `https`.
    pub(super) scheme: &'a str,
    /// What was agreed on, where the connection is of TLS.
    pub(super) spoken: Option<Spoken>,
    /// The port the request came to.
    pub(super) port: u16,
    pub(super) request_id: &'a RequestId,
    pub(super) trace_id: &'a str,
    pub(super) time: Timestamp,
}

/// Headers of one connection, or that the platform sets itself.
pub(super) fn is_hidden(name: &HeaderName) -> bool {
    is_hop(name)
        || matches!(
            name.as_str(),
            "cookie"
                | "x-amzn-tls-cipher-suite"
                | "x-amzn-tls-version"
                | "x-amzn-trace-id"
                | "x-forwarded-for"
                | "x-forwarded-port"
                | "x-forwarded-proto"
        )
}

/// Writes the event.
pub(super) fn write(source: &Source<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(1_536 + source.path.len() + 2 * source.query.len() + source.body.len() * 4 / 3);
    out.extend_from_slice(br#"{"version":"2.0","routeKey":"$default""#);
    json::member(&mut out, "rawPath", source.path);
    json::member(&mut out, "rawQueryString", source.query);
    cookies(&mut out, source.headers);
    headers(&mut out, source);
    query(&mut out, source.query);
    context(&mut out, source);
    body(&mut out, source);
    out.push(b'}');
    out
}

/// `,"cookies":[...]`, one element for each `name=value`; nothing without any.
fn cookies(out: &mut Vec<u8>, headers: &HeaderMap) {
    let mut first = true;
    for header in headers.get_all(http::header::COOKIE) {
        let parts = header.as_bytes().split(|b| *b == b';').map(<[u8]>::trim_ascii);
        for cookie in parts.filter(|cookie| !cookie.is_empty()) {
            out.extend_from_slice(if first { br#","cookies":[""# } else { b",\"" });
            json::lossy_content(out, cookie);
            out.push(b'"');
            first = false;
        }
    }
    if !first {
        out.push(b']');
    }
}

fn headers(out: &mut Vec<u8>, source: &Source<'_>) {
    out.extend_from_slice(br#","headers":{"x-forwarded-proto":""#);
    out.extend_from_slice(source.scheme.as_bytes());
    out.push(b'"');
    json::member(out, "x-forwarded-for", source.source_ip);
    out.extend_from_slice(br#","x-forwarded-port":""#);
    number(out, u64::from(source.port));
    out.push(b'"');
    json::member(out, "x-amzn-trace-id", source.trace_id);
    if let Some(spoken) = source.spoken {
        json::member(out, "x-amzn-tls-version", spoken.version());
        json::member(out, "x-amzn-tls-cipher-suite", spoken.suite());
    }
    let named = named(source.headers);
    // The map gives the values of one name one after the other.
    let mut last: Option<&HeaderName> = None;
    for (name, value) in source.headers.iter().filter(|(name, _)| !is_hidden(name) && !named.contains(name)) {
        if last == Some(name) {
            out.pop();
            out.push(b',');
        } else {
            out.extend_from_slice(b",\"");
            out.extend_from_slice(name.as_str().as_bytes());
            out.extend_from_slice(b"\":\"");
        }
        json::lossy_content(out, value.as_bytes());
        out.push(b'"');
        last = Some(name);
    }
    out.push(b'}');
}

/// `,"queryStringParameters":{...}`, decoded, repeats joined by commas; nothing
/// without any.
fn query(out: &mut Vec<u8>, query: &str) {
    let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    // Where each name stands: a query may have thousands.
    let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decoded(name), decoded(value));
        match places.get(&name).and_then(|at| pairs.get_mut(*at)) {
            Some((_, values)) => {
                values.push(b',');
                values.extend_from_slice(&value);
            }
            None => {
                places.insert(name.clone(), pairs.len());
                pairs.push((name, value));
            }
        }
    }
    for (at, (name, value)) in pairs.iter().enumerate() {
        out.extend_from_slice(if at == 0 { br#","queryStringParameters":{""# } else { b",\"" });
        json::lossy_content(out, name);
        out.extend_from_slice(b"\":\"");
        json::lossy_content(out, value);
        out.push(b'"');
    }
    if !pairs.is_empty() {
        out.push(b'}');
    }
}

fn decoded(piece: &str) -> Vec<u8> {
    let spaced: Vec<u8> = piece.bytes().map(|b| if b == b'+' { b' ' } else { b }).collect();
    percent_decode(&spaced).collect()
}

fn context(out: &mut Vec<u8>, source: &Source<'_>) {
    out.extend_from_slice(br#","requestContext":{"accountId":"anonymous""#);
    json::member(out, "apiId", source.url_id);
    json::member(out, "domainName", source.domain);
    json::member(out, "domainPrefix", source.url_id);
    out.extend_from_slice(br#","http":{"method":"#);
    json::string(out, source.method.as_str());
    json::member(out, "path", source.path);
    json::member(out, "protocol", if source.version == Version::HTTP_10 { "HTTP/1.0" } else { "HTTP/1.1" });
    json::member(out, "sourceIp", source.source_ip);
    if let Some(agent) = source.headers.get(http::header::USER_AGENT) {
        out.extend_from_slice(br#","userAgent":""#);
        json::lossy_content(out, agent.as_bytes());
        out.push(b'"');
    }
    out.push(b'}');
    json::member(out, "requestId", source.request_id.as_str());
    out.extend_from_slice(br#","routeKey":"$default","stage":"$default""#);
    json::member(out, "time", &source.time.to_common_log());
    out.extend_from_slice(br#","timeEpoch":"#);
    number(out, source.time.millis());
    out.push(b'}');
}

fn body(out: &mut Vec<u8>, source: &Source<'_>) {
    if source.body.is_empty() {
        out.extend_from_slice(br#","isBase64Encoded":false"#);
        return;
    }
    let text = if is_text(source.headers) { std::str::from_utf8(source.body).ok() } else { None };
    match text {
        Some(text) => {
            json::member(out, "body", text);
            out.extend_from_slice(br#","isBase64Encoded":false"#);
        }
        None => {
            json::member(out, "body", &STANDARD.encode(source.body));
            out.extend_from_slice(br#","isBase64Encoded":true"#);
        }
    }
}

/// Whether the headers say that the body is text.
fn is_text(headers: &HeaderMap) -> bool {
    let encoded = |value: &HeaderValue| !value.as_bytes().eq_ignore_ascii_case(b"identity");
    if headers.get(http::header::CONTENT_ENCODING).is_some_and(encoded) {
        return false;
    }
    let Some(value) = headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.starts_with("text/")
        || essence.ends_with("+json")
        || essence.ends_with("+xml")
        || matches!(
            essence.as_str(),
            "application/json"
                | "application/xml"
                | "application/javascript"
                | "application/x-javascript"
                | "application/ecmascript"
                | "application/x-www-form-urlencoded"
        )
}

fn number(out: &mut Vec<u8>, value: u64) {
    // A buffer is spared; numbers here are short and few.
    out.extend_from_slice(value.to_string().as_bytes());
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(path: &str, query: &str, headers: &[(&'static str, &str)], body: &[u8]) -> Value {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let bytes = write(&Source {
            method: &Method::POST,
            version: Version::HTTP_11,
            path,
            query,
            headers: &map,
            body,
            url_id: "abc",
            domain: "abc.lambda-url.us-east-1.localhost",
            source_ip: "127.0.0.1",
            scheme: "http",
            spoken: None,
            port: 8080,
            request_id: &RequestId::from_random([0; 16]),
            trace_id: "Root=1-0-0",
            time: Timestamp(1_764_000_000_123_456),
        });
        serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&bytes)))
    }

    #[test]
    fn the_whole_event() {
        let headers = [
            ("host", "h"),
            ("user-agent", "curl"),
            ("cookie", "a=1; b=2"),
            ("x-twice", "1"),
            ("x-other", "\u{e4}\""),
            ("x-twice", "2"),
            ("content-type", "application/json"),
            ("connection", "close, X-Hop"),
            ("x-hop", "1"),
            ("x-forwarded-for", "1.2.3.4"),
            ("x-amzn-tls-version", "TLSv1.3"),
        ];
        assert_eq!(
            event("/pa2%Fth/1", "a=1&b=%20x+y&a=2&c", &headers, b"{\"k\":\"\xc3\xa4\"}"),
            json!({
                "version": "2.0",
                "routeKey": "$default",
                "rawPath": "/pa2%Fth/1",
                "rawQueryString": "a=1&b=%20x+y&a=2&c",
                "cookies": ["a=1", "b=2"],
                "headers": {
                    "host": "h",
                    "user-agent": "curl",
                    "x-twice": "1,2",
                    "x-other": "\u{e4}\"",
                    "content-type": "application/json",
                    "x-amzn-trace-id": "Root=1-0-0",
                    "x-forwarded-for": "127.0.0.1",
                    "x-forwarded-port": "8080",
                    "x-forwarded-proto": "http",
                },
                "queryStringParameters": {"a": "1,2", "b": " x y", "c": ""},
                "requestContext": {
                    "accountId": "anonymous",
                    "apiId": "abc",
                    "domainName": "abc.lambda-url.us-east-1.localhost",
                    "domainPrefix": "abc",
                    "http": {
                        "method": "POST",
                        "path": "/pa2%Fth/1",
                        "protocol": "HTTP/1.1",
                        "sourceIp": "127.0.0.1",
                        "userAgent": "curl",
                    },
                    "requestId": "00000000-0000-4000-8000-000000000000",
                    "routeKey": "$default",
                    "stage": "$default",
                    "time": "24/Nov/2025:16:00:00 +0000",
                    "timeEpoch": 1_764_000_000_123u64,
                },
                "body": "{\"k\":\"\u{e4}\"}",
                "isBase64Encoded": false,
            })
        );
    }

    #[test]
    fn what_is_left_out_when_there_is_none() {
        let event = event("/", "", &[], b"");
        for name in ["cookies", "queryStringParameters", "body"] {
            assert_eq!(event.get(name), None, "{name}");
        }
        assert_eq!((&event["rawQueryString"], &event["isBase64Encoded"]), (&json!(""), &json!(false)));
        assert_eq!(event["requestContext"]["http"].get("userAgent"), None);
    }

    #[test]
    fn bodies_are_text_or_base64() {
        let check = |headers: &[(&'static str, &str)], body: &[u8], text: bool| {
            let event = event("/", "", headers, body);
            assert_eq!(event["isBase64Encoded"], json!(!text), "{headers:?}");
            let expect = if text { String::from_utf8(body.to_vec()).unwrap() } else { STANDARD.encode(body) };
            assert_eq!(event["body"], json!(expect), "{headers:?}");
        };
        for text in ["text/plain", "TEXT/HTML; charset=x", "application/ld+json", "image/svg+xml", "application/xml"] {
            check(&[("content-type", text)], b"x", true);
        }
        check(&[("content-type", "application/x-www-form-urlencoded")], b"a=1", true);
        check(&[], b"x", false);
        check(&[("content-type", "multipart/form-data; boundary=b")], b"x", false);
        check(&[("content-type", "application/octet-stream")], b"x", false);
        check(&[("content-type", "text/plain")], b"\xff", false);
        check(&[("content-type", "text/plain"), ("content-encoding", "gzip")], b"x", false);
    }
}
