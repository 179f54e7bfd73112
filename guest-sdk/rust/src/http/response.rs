//! From a response to an answer of payload format 2.0.
//!
//! Source: "Response payload format" of function URLs in Lambda's developer guide.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::SET_COOKIE;
use http::{HeaderName, HeaderValue};
use serde::Serialize;

use super::{Body, Response};
use crate::Error;
use crate::event::MARSHAL_ERROR;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    status_code: u16,
    headers: BTreeMap<&'a str, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cookies: Vec<&'a str>,
    body: String,
    is_base64_encoded: bool,
}

/// A header's value as text, which JSON needs.
fn text<'a>(name: &HeaderName, value: &'a HeaderValue) -> Result<&'a str, Error> {
    let text = std::str::from_utf8(value.as_bytes());
    text.map_err(|_| Error::new(MARSHAL_ERROR, format!("the value of the response's header {name} is not UTF-8")))
}

/// Writes a response.
///
/// # Errors
/// [`MARSHAL_ERROR`] when a header's value is not UTF-8.
pub(super) fn payload<B: Into<Body>>(response: Response<B>) -> Result<Vec<u8>, Error> {
    let (parts, body) = response.into_parts();
    let (body, is_base64_encoded) = match body.into() {
        Body::Empty => (String::new(), false),
        Body::Text(text) => (text, false),
        Body::Binary(bytes) => (STANDARD.encode(bytes), true),
    };
    let mut headers: BTreeMap<&str, String> = BTreeMap::new();
    let mut cookies = Vec::new();
    for (name, value) in &parts.headers {
        let value = text(name, value)?;
        if name == SET_COOKIE {
            cookies.push(value);
            continue;
        }
        let joined = headers.entry(name.as_str()).or_default();
        if !joined.is_empty() {
            joined.push(',');
        }
        joined.push_str(value);
    }
    let status_code = parts.status.as_u16();
    let payload = Payload { status_code, headers, cookies, body, is_base64_encoded };
    serde_json::to_vec(&payload).map_err(|error| Error::new(MARSHAL_ERROR, error.to_string()))
}
