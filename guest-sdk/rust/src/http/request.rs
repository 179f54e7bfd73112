//! From an event of payload format 2.0 to a request.
//!
//! Source: "Request payload format" of function URLs in Lambda's developer guide.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::COOKIE;
use http::{HeaderName, HeaderValue, Method, Uri};
use serde::Deserialize;
use serde_json::Value;

use super::{Body, Request};
use crate::Error;
use crate::event::UNMARSHAL_ERROR;

/// What the platform says of a request besides: the event's `requestContext`. It is
/// among the request's extensions.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestContext(pub Value);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    version: String,
    raw_path: String,
    #[serde(default)]
    raw_query_string: String,
    #[serde(default)]
    cookies: Vec<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    request_context: Value,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

fn unread(what: impl std::fmt::Display) -> Error {
    Error::new(UNMARSHAL_ERROR, format!("the event is no HTTP request of payload format 2.0: {what}"))
}

/// Reads an event.
///
/// # Errors
/// [`UNMARSHAL_ERROR`] when it is not of payload format 2.0.
pub(super) fn read(payload: &[u8]) -> Result<Request, Error> {
    let payload: Payload = serde_json::from_slice(payload).map_err(unread)?;
    if payload.version != "2.0" {
        return Err(unread(format_args!("its version is `{}`", payload.version)));
    }
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let method = text(&payload.request_context["http"]["method"]).ok_or_else(|| unread("it names no method"))?;
    let method: Method = method.parse().map_err(unread)?;
    let host = text(&payload.request_context["domainName"]).or_else(|| payload.headers.get("host").cloned());
    let mut request = Request::new(body(payload.body, payload.is_base64_encoded)?);
    *request.method_mut() = method;
    *request.uri_mut() = uri(host.as_deref(), &payload.raw_path, &payload.raw_query_string)?;
    for (name, value) in &payload.headers {
        let name: HeaderName = name.parse().map_err(unread)?;
        request.headers_mut().insert(name, HeaderValue::from_bytes(value.as_bytes()).map_err(unread)?);
    }
    if !payload.cookies.is_empty() {
        let cookies = HeaderValue::from_bytes(payload.cookies.join("; ").as_bytes()).map_err(unread)?;
        request.headers_mut().insert(COOKIE, cookies);
    }
    request.extensions_mut().insert(RequestContext(payload.request_context));
    Ok(request)
}

fn body(text: Option<String>, is_base64: bool) -> Result<Body, Error> {
    Ok(match text {
        None => Body::Empty,
        Some(text) if text.is_empty() => Body::Empty,
        Some(text) if is_base64 => Body::Binary(STANDARD.decode(text).map_err(unread)?),
        Some(text) => Body::Text(text),
    })
}

/// `https://HOST/PATH?QUERY`, or without the host where none is known. What may not
/// stand in a URI, as in a path that was decoded, is encoded.
fn uri(host: Option<&str>, path: &str, query: &str) -> Result<Uri, Error> {
    let mut text = String::new();
    if let Some(host) = host {
        text.push_str("https://");
        text.push_str(host);
    }
    if !path.starts_with('/') {
        text.push('/');
    }
    encode(&mut text, path, b"/:@");
    if !query.is_empty() {
        text.push('?');
        encode(&mut text, query, b"/:@?");
    }
    text.parse().map_err(unread)
}

fn encode(to: &mut String, part: &str, allowed: &[u8]) {
    for byte in part.bytes() {
        let stays = byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(&byte) || allowed.contains(&byte);
        if stays { to.push(char::from(byte)) } else { to.push_str(&format!("%{byte:02X}")) }
    }
}

/// The names and values of a request's query, decoded, in their order; a name that is
/// there twice is so here.
pub fn query_pairs<B>(request: &http::Request<B>) -> Vec<(String, String)> {
    let query = request.uri().query().unwrap_or_default();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(a, b)| (decoded(a), decoded(b))).collect()
}

/// A part of a query in its own words; bytes that are no UTF-8 are replaced.
fn decoded(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        match (byte, digit(ahead.next()), digit(ahead.next())) {
            (b'+', ..) => bytes.push(b' '),
            (b'%', Some(high), Some(low)) => {
                bytes.push((high << 4 | low) as u8);
                rest = ahead;
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
