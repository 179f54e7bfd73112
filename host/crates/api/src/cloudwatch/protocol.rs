//! The three protocols: what is asked, how it is answered, and how it is refused.

use http::header::{CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{HeaderName, Response, StatusCode};
use lamina_types::RequestId;
use lamina_wire::tree::{Tree, element, escape};
use lamina_wire::{cbor, form};
use serde_json::{Value, json};

use super::{Failure, envelope};
use crate::answer::{Answer, AnswerBody};

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const PROTOCOL: HeaderName = HeaderName::from_static("smithy-protocol");
const CBOR: &str = "rpc-v2-cbor";
/// The code of an error as the query protocol has it, for clients that match on it.
const QUERY_ERROR: HeaderName = HeaderName::from_static("x-amzn-query-error");
/// What targets and paths name.
const SERVICE: &str = "GraniteServiceVersion20100801";

/// How a request is written, and its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// `POST /service/GraniteServiceVersion20100801/operation/NAME`.
    Cbor,
    /// `X-Amz-Target: GraniteServiceVersion20100801.NAME`.
    Json,
    /// A form with `Action=NAME`.
    Query,
}

/// An operation and its input.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) operation: String,
    pub(super) value: Value,
}

impl Protocol {
    pub(super) fn of(parts: &Parts) -> Self {
        let cbor = parts.headers.get(PROTOCOL).is_some_and(|value| value.as_bytes() == CBOR.as_bytes());
        match cbor {
            true => Self::Cbor,
            false if parts.headers.contains_key(TARGET) => Self::Json,
            false => Self::Query,
        }
    }

    pub(super) fn read(self, parts: &Parts, body: &[u8]) -> Result<Asked, String> {
        let unreadable = |reason: &str| format!("The request cannot be read: {reason}");
        match self {
            Self::Cbor => {
                let path = parts.uri.path().strip_prefix("/service/").and_then(|path| path.strip_prefix(SERVICE));
                let operation = path.and_then(|path| path.strip_prefix("/operation/"));
                let operation =
                    operation.ok_or_else(|| format!("The path is not /service/{SERVICE}/operation/NAME"))?;
                let value = match body {
                    // An operation without input may have no body.
                    [] => json!({}),
                    bytes => cbor::decode(bytes).map_err(unreadable)?,
                };
                Ok(Asked { operation: operation.to_owned(), value })
            }
            Self::Json => {
                let target = parts.headers.get(TARGET).and_then(|value| value.to_str().ok()).unwrap_or_default();
                let operation = target.strip_prefix(SERVICE).and_then(|rest| rest.strip_prefix('.'));
                let operation = operation.ok_or_else(|| format!("X-Amz-Target is not {SERVICE}.NAME"))?;
                let value = match body {
                    [] => json!({}),
                    bytes => serde_json::from_slice(bytes).map_err(|error| unreadable(&error.to_string()))?,
                };
                Ok(Asked { operation: operation.to_owned(), value })
            }
            Self::Query => {
                let text = std::str::from_utf8(body).map_err(|_| unreadable("it is not UTF-8"))?;
                let value = form::decode(text).map_err(unreadable)?;
                let operation = value.get("Action").and_then(Value::as_str);
                let operation = operation.ok_or_else(|| "The form has no Action".to_owned())?;
                Ok(Asked { operation: operation.to_owned(), value })
            }
        }
    }

    pub(super) fn answer(self, operation: &str, tree: &Tree, id: &RequestId) -> Answer {
        let body = match self {
            Self::Cbor => cbor::encode(tree),
            Self::Json => tree.to_json().to_string().into_bytes(),
            Self::Query => {
                let mut xml = String::new();
                envelope(&mut xml, &format!("{operation}Response"), id, |xml| {
                    element(xml, &format!("{operation}Result"), |xml| tree.write_xml(xml));
                });
                xml.into_bytes()
            }
        };
        self.response(StatusCode::OK, body)
    }

    pub(super) fn failure(self, failure: &Failure, id: &RequestId) -> Answer {
        let Failure { status, name, code, text } = failure;
        let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let fault = if status.is_server_error() { "Receiver" } else { "Sender" };
        tracing::debug!(request_id = %id, error = name, "{text}");
        let body = match self {
            Self::Cbor => cbor::encode(&Tree::Map(vec![
                ("__type", Tree::text(format!("com.amazonaws.cloudwatch#{name}"))),
                ("message", Tree::text(text)),
            ])),
            Self::Json => json!({ "__type": name, "message": text }).to_string().into_bytes(),
            Self::Query => {
                let mut xml = String::new();
                envelope(&mut xml, "ErrorResponse", id, |xml| {
                    element(xml, "Error", |xml| {
                        element(xml, "Type", |xml| xml.push_str(fault));
                        element(xml, "Code", |xml| xml.push_str(code));
                        element(xml, "Message", |xml| escape(xml, text));
                    });
                });
                xml.into_bytes()
            }
        };
        let mut answer = self.response(status, body);
        if let Ok(value) = HeaderValue::try_from(format!("{code};{fault}")) {
            answer.headers_mut().insert(QUERY_ERROR, value);
        }
        answer
    }

    fn response(self, status: StatusCode, body: Vec<u8>) -> Answer {
        let mut answer = Response::new(AnswerBody::whole(body));
        *answer.status_mut() = status;
        let headers = answer.headers_mut();
        let content_type = match self {
            Self::Cbor => "application/cbor",
            Self::Json => "application/x-amz-json-1.0",
            Self::Query => "text/xml",
        };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        if self == Self::Cbor {
            headers.insert(PROTOCOL, HeaderValue::from_static(CBOR));
        }
        answer
    }
}
