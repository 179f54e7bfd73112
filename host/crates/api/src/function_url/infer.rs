//! The HTTP answer of a buffered function URL, inferred from the function's
//! result (reference 5.3).
//!
//! Whatever a function wrote is data: names and values that cannot stand in a
//! header make the answer a 502 with a line in the log, never a panic.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use lamina_runtime::HttpPrelude;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::json;
use crate::answer::{ERROR_TYPE, REQUEST_ID};

/// Why a result is no answer; for the log, the caller gets a 502.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    #[error("the result is no JSON: {0}")]
    NotJson(String),
    #[error("the result has no usable {0}")]
    Member(&'static str),
    #[error("`{0}` cannot be a header")]
    Header(String),
}

/// Head and body of an answer.
#[derive(Debug)]
pub(super) struct Inferred {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// The members that make an object an answer. Others are passed over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape<'a> {
    #[serde(borrow)]
    status_code: Option<&'a RawValue>,
    #[serde(borrow)]
    headers: Option<&'a RawValue>,
    #[serde(borrow)]
    cookies: Option<&'a RawValue>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
    #[serde(borrow)]
    is_base64_encoded: Option<&'a RawValue>,
}

/// Infers the answer from a handler's result.
pub(super) fn from_result(result: Vec<u8>) -> Result<Inferred, Unusable> {
    // serde_json does not look into strings that are passed over.
    if std::str::from_utf8(&result).is_err() {
        return Err(Unusable::NotJson("it is no UTF-8".to_owned()));
    }
    match result.iter().find(|b| !b.is_ascii_whitespace()) {
        None => Ok(plain(Bytes::new())),
        Some(b'{') => {
            let shape: Shape<'_> =
                serde_json::from_slice(&result).map_err(|error| Unusable::NotJson(error.to_string()))?;
            match shape.status_code {
                Some(status) => from_shape(&shape, status),
                None => Ok(plain(json::compact(&result))),
            }
        }
        Some(b'"') => {
            let text: String = serde_json::from_slice(&result).map_err(|error| Unusable::NotJson(error.to_string()))?;
            Ok(plain(text))
        }
        Some(_) => {
            let _: &RawValue = serde_json::from_slice(&result).map_err(|error| Unusable::NotJson(error.to_string()))?;
            Ok(plain(json::compact(&result)))
        }
    }
}

fn plain(body: impl Into<Bytes>) -> Inferred {
    Inferred { status: StatusCode::OK, headers: with_type("application/json"), body: body.into() }
}

fn with_type(content_type: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(4);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers
}

fn from_shape(shape: &Shape<'_>, status: &RawValue) -> Result<Inferred, Unusable> {
    let status: u16 = status.get().parse().map_err(|_| Unusable::Member("statusCode"))?;
    let status = status_code(status)?;
    let mut headers = with_type("application/json");
    if let Some(given) = member::<BTreeMap<Cow<'_, str>, Value>>(shape.headers, "headers")? {
        for (name, value) in given {
            let value = match value {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                Value::Bool(flag) => flag.to_string(),
                Value::Null => continue,
                Value::Array(_) | Value::Object(_) => return Err(Unusable::Member("headers")),
            };
            set(&mut headers, &name, &value)?;
        }
    }
    for cookie in member::<Vec<Cow<'_, str>>>(shape.cookies, "cookies")?.unwrap_or_default() {
        headers.append(SET_COOKIE, header_value("set-cookie", &cookie)?);
    }
    let encoded = member::<bool>(shape.is_base64_encoded, "isBase64Encoded")?.unwrap_or(false);
    let body = body(shape.body, encoded)?;
    Ok(Inferred { status, headers, body: if has_body(status) { body } else { Bytes::new() } })
}

fn member<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>, name: &'static str) -> Result<Option<T>, Unusable> {
    match raw {
        None => Ok(None),
        Some(raw) => serde_json::from_str(raw.get()).map_err(|_| Unusable::Member(name)),
    }
}

/// A string as it is or decoded, anything else as compact JSON.
fn body(raw: Option<&RawValue>, encoded: bool) -> Result<Bytes, Unusable> {
    let Some(raw) = raw.filter(|raw| raw.get() != "null") else { return Ok(Bytes::new()) };
    if !raw.get().starts_with('"') {
        return Ok(json::compact(raw.get().as_bytes()).into());
    }
    let text: String = serde_json::from_str(raw.get()).map_err(|_| Unusable::Member("body"))?;
    if encoded {
        return STANDARD.decode(text).map(Bytes::from).map_err(|_| Unusable::Member("body in base64"));
    }
    Ok(text.into())
}

/// The head that a streaming function gave; its own content type counts where
/// its headers have none.
pub(super) fn from_prelude(prelude: Option<&HttpPrelude>, content_type: Option<&str>) -> Result<Inferred, Unusable> {
    let mut headers = with_type("application/octet-stream");
    if let Some(content_type) = content_type {
        headers.insert(CONTENT_TYPE, header_value("content-type", content_type)?);
    }
    let mut status = StatusCode::OK;
    if let Some(prelude) = prelude {
        status = status_code(prelude.status)?;
        let mut own = HeaderMap::new();
        for (name, value) in &prelude.headers {
            set_or_append(&mut own, name, value)?;
        }
        for name in own.keys() {
            headers.remove(name);
        }
        headers.extend(own);
        for cookie in &prelude.cookies {
            headers.append(SET_COOKIE, header_value("set-cookie", cookie)?);
        }
    }
    Ok(Inferred { status, headers, body: Bytes::new() })
}

/// Statuses that end an exchange; a function cannot answer an interim one.
fn status_code(status: u16) -> Result<StatusCode, Unusable> {
    let code = StatusCode::from_u16(status).ok().filter(|code| (200..=599).contains(&code.as_u16()));
    code.ok_or(Unusable::Member("statusCode"))
}

/// Whether HTTP lets an answer of this status have a body.
pub(super) fn has_body(status: StatusCode) -> bool {
    status != StatusCode::NO_CONTENT && status != StatusCode::NOT_MODIFIED
}

/// Headers that are the connection's or the platform's: a function's own are
/// dropped, as they would contradict what is sent.
pub(super) fn is_ours(name: &HeaderName) -> bool {
    *name == CONTENT_LENGTH
        || *name == REQUEST_ID
        || *name == ERROR_TYPE
        || matches!(
            name.as_str(),
            "connection"
                | "keep-alive"
                | "proxy-authenticate"
                | "proxy-connection"
                | "te"
                | "trailer"
                | "transfer-encoding"
                | "upgrade"
        )
}

fn set(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), Unusable> {
    let name = header_name(name)?;
    let value = header_value(name.as_str(), value)?;
    if !is_ours(&name) {
        headers.insert(name, value);
    }
    Ok(())
}

fn set_or_append(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), Unusable> {
    let name = header_name(name)?;
    let value = header_value(name.as_str(), value)?;
    if !is_ours(&name) {
        headers.append(name, value);
    }
    Ok(())
}

fn header_name(name: &str) -> Result<HeaderName, Unusable> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| Unusable::Header(name.chars().take(100).collect()))
}

fn header_value(name: &str, value: &str) -> Result<HeaderValue, Unusable> {
    HeaderValue::from_str(value)
        .or_else(|_| HeaderValue::from_bytes(value.as_bytes()))
        .map_err(|_| Unusable::Header(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(result: &str, status: u16, content_type: &str, body: &str) -> HeaderMap {
        let inferred = from_result(result.as_bytes().to_vec()).unwrap_or_else(|error| panic!("{result}: {error}"));
        assert_eq!(inferred.status.as_u16(), status, "{result}");
        assert_eq!(inferred.headers[CONTENT_TYPE], content_type, "{result}");
        assert_eq!(inferred.body, body, "{result}");
        inferred.headers
    }

    #[test]
    fn results_become_answers() {
        let json = "application/json";
        check(r#""hello""#, 200, json, "hello");
        check("null", 200, json, "null");
        check("", 200, json, "");
        check(" 1.50 ", 200, json, "1.50");
        check("true", 200, json, "true");
        check(r#"{"b": 1, "a": [ 2 ]}"#, 200, json, r#"{"b":1,"a":[2]}"#);
        check("[1, 2]", 200, json, "[1,2]");
        check(r#"{"statusCode":201,"body":"x"}"#, 201, json, "x");
        check(r#"{"statusCode":200}"#, 200, json, "");
        check(r#"{"statusCode":200,"body":{"a": 1}}"#, 200, json, r#"{"a":1}"#);
        check(r#"{"statusCode":200,"body":null,"other":1}"#, 200, json, "");
        check(r#"{"statusCode":200,"body":"aGk=","isBase64Encoded":true}"#, 200, json, "hi");
        check(r#"{"statusCode":204,"body":"gone"}"#, 204, json, "");
        let headers = check(
            r#"{"statusCode":200,"headers":{"Content-Type":"text/plain","X-N":1,"X-B":true,"X-Null":null},"cookies":["a=1","b=2"],"body":"x"}"#,
            200,
            "text/plain",
            "x",
        );
        assert_eq!((&headers["x-n"], &headers["x-b"]), (&"1".parse().unwrap(), &"true".parse().unwrap()));
        assert_eq!(headers.get_all(SET_COOKIE).iter().collect::<Vec<_>>(), ["a=1", "b=2"]);
    }

    #[test]
    fn headers_of_the_connection_are_dropped() {
        let result = r#"{"statusCode":200,"headers":{"Content-Length":"9","Connection":"close","Transfer-Encoding":"x","x-amzn-RequestId":"y"}}"#;
        assert_eq!(check(result, 200, "application/json", "").len(), 1);
    }

    #[test]
    fn unusable_results() {
        for result in [
            "{",
            "nope",
            r#"{"statusCode":"200"}"#,
            r#"{"statusCode":99}"#,
            r#"{"statusCode":100}"#,
            r#"{"statusCode":600}"#,
            r#"{"statusCode":200,"headers":{"a b":"1"}}"#,
            r#"{"statusCode":200,"headers":{"a":"1\r\nx: 2"}}"#,
            r#"{"statusCode":200,"headers":{"a":["1"]}}"#,
            r#"{"statusCode":200,"headers":[]}"#,
            r#"{"statusCode":200,"cookies":["a\nb"]}"#,
            r#"{"statusCode":200,"cookies":"a"}"#,
            r#"{"statusCode":200,"body":"!","isBase64Encoded":true}"#,
        ] {
            assert!(from_result(result.as_bytes().to_vec()).is_err(), "{result}");
        }
        for bytes in [&b"\"\xff\""[..], b"{\"a\":\"\xff\"}", b"[\"\xff\"]", b"{\"statusCode\":200,\"x\":\"\xff\"}"] {
            assert!(from_result(bytes.to_vec()).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn preludes_become_heads() {
        let prelude = HttpPrelude {
            status: 201,
            headers: vec![("Content-Type".into(), "text/html".into()), ("Content-Length".into(), "1".into())],
            cookies: vec!["a=1".into()],
        };
        let head = from_prelude(Some(&prelude), Some("text/plain")).unwrap();
        assert_eq!((head.status.as_u16(), &head.headers[CONTENT_TYPE]), (201, &"text/html".parse().unwrap()));
        assert_eq!(head.headers.len(), 2);
        let head = from_prelude(None, None).unwrap();
        assert_eq!(
            (head.status.as_u16(), &head.headers[CONTENT_TYPE]),
            (200, &"application/octet-stream".parse().unwrap())
        );
        let bad = HttpPrelude { status: 200, headers: vec![("a".into(), "\n".into())], cookies: vec![] };
        assert!(from_prelude(Some(&bad), None).is_err());
    }
}
