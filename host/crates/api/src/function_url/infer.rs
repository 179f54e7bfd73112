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

/// Bytes of the head that a function gives its answer, as they go over HTTP/1.1: what
/// an answer's head may have in the other worlds. A map of headers panics past some
/// ten thousand.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// Why a result is no answer; for the log, the caller gets a 502.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    #[error("the result is no JSON: {0}")]
    NotJson(String),
    #[error("the result has no usable {0}")]
    Member(&'static str),
    #[error("`{0}` cannot be a header")]
    Header(String),
    #[error("its headers and cookies have more than {HEAD_BYTES_MAX} bytes")]
    TooLarge,
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
    let mut head = Head::new("application/json");
    if let Some(given) = member::<BTreeMap<Cow<'_, str>, Value>>(shape.headers, "headers")? {
        for (name, value) in given {
            let value = match value {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                Value::Bool(flag) => flag.to_string(),
                Value::Null => continue,
                Value::Array(_) | Value::Object(_) => return Err(Unusable::Member("headers")),
            };
            head.set(&name, &value)?;
        }
    }
    for cookie in member::<Vec<Cow<'_, str>>>(shape.cookies, "cookies")?.unwrap_or_default() {
        head.append(SET_COOKIE, &cookie)?;
    }
    let encoded = member::<bool>(shape.is_base64_encoded, "isBase64Encoded")?.unwrap_or(false);
    let body = body(shape.body, encoded)?;
    Ok(Inferred { status, headers: head.headers, body: if has_body(status) { body } else { Bytes::new() } })
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
    let mut head = Head::new("application/octet-stream");
    if let Some(content_type) = content_type {
        head.set(CONTENT_TYPE.as_str(), content_type)?;
    }
    let mut status = StatusCode::OK;
    if let Some(prelude) = prelude {
        status = status_code(prelude.status)?;
        if prelude.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(CONTENT_TYPE.as_str())) {
            head.headers.remove(CONTENT_TYPE);
        }
        for (name, value) in &prelude.headers {
            head.append(header_name(name)?, value)?;
        }
        for cookie in &prelude.cookies {
            head.append(SET_COOKIE, cookie)?;
        }
    }
    Ok(Inferred { status, headers: head.headers, body: Bytes::new() })
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

/// A head on its way, of bounded size.
struct Head {
    headers: HeaderMap,
    left: usize,
}

impl Head {
    /// One that has nothing yet but its default type.
    fn new(content_type: &'static str) -> Self {
        Self { headers: with_type(content_type), left: HEAD_BYTES_MAX }
    }

    /// One header instead of another; those that are ours are left out.
    fn set(&mut self, name: &str, value: &str) -> Result<(), Unusable> {
        let name = header_name(name)?;
        let value = self.value(&name, value)?;
        if !is_ours(&name) {
            self.headers.insert(name, value);
        }
        Ok(())
    }

    /// The same, beside another.
    fn append(&mut self, name: HeaderName, value: &str) -> Result<(), Unusable> {
        let value = self.value(&name, value)?;
        if !is_ours(&name) {
            self.headers.append(name, value);
        }
        Ok(())
    }

    /// The value, if there is room for it.
    fn value(&mut self, name: &HeaderName, value: &str) -> Result<HeaderValue, Unusable> {
        // A colon, a space and the line's end.
        let bytes = name.as_str().len() + value.len() + 4;
        self.left = self.left.checked_sub(bytes).ok_or(Unusable::TooLarge)?;
        header_value(name.as_str(), value)
    }
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

    /// A function that sent 30,000 headers made its connection's task panic, and took
    /// every other stream of an HTTP/2 connection with it.
    #[test]
    fn heads_are_bounded() {
        let many = |count: usize| (0..count).map(|at| format!("\"x-{at}\":\"1\"")).collect::<Vec<_>>().join(",");
        let result = |count| format!(r#"{{"statusCode":200,"headers":{{{}}}}}"#, many(count)).into_bytes();
        assert_eq!(from_result(result(5_000)).unwrap().headers.len(), 5_001);
        assert_eq!(from_result(result(30_000)).unwrap_err(), Unusable::TooLarge);
        let long = |bytes: usize| format!(r#"{{"statusCode":200,"headers":{{"x":"{}"}}}}"#, "y".repeat(bytes));
        assert!(from_result(long(HEAD_BYTES_MAX - 5).into_bytes()).is_ok());
        assert_eq!(from_result(long(HEAD_BYTES_MAX - 4).into_bytes()).unwrap_err(), Unusable::TooLarge);
        let cookies = format!(r#"{{"statusCode":200,"cookies":["{}"]}}"#, vec!["a=1"; 10_000].join("\",\""));
        assert_eq!(from_result(cookies.into_bytes()).unwrap_err(), Unusable::TooLarge);
        let headers = (0..40_000).map(|at| (format!("x-{at}"), String::new())).collect();
        let prelude = HttpPrelude { status: 200, headers, cookies: vec![] };
        assert_eq!(from_prelude(Some(&prelude), None).unwrap_err(), Unusable::TooLarge);
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
