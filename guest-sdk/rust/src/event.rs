//! What goes in and out of a handler: JSON by way of serde, or bytes as they are.

use std::any::TypeId;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;

/// Error type of an event that does not fit the handler's parameter.
pub const UNMARSHAL_ERROR: &str = "Runtime.UnmarshalError";
/// Error type of an answer that could not be written as JSON.
pub const MARSHAL_ERROR: &str = "Runtime.MarshalError";

/// Bytes that are passed on as they are. As a parameter it is the event as the
/// caller sent it, as an answer it is what the caller gets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Raw(pub Vec<u8>);

/// What a handler can take: anything that deserialises from JSON, [`Raw`], and
/// `()`, which takes any event and looks at none.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a handler's event",
    note = "derive `serde::Deserialize`, or take `serde_json::Value`, `lamina::Raw` or `()`"
)]
pub trait Event: Sized {
    /// Reads the payload.
    ///
    /// # Errors
    /// [`UNMARSHAL_ERROR`] when the payload has another shape.
    fn from_payload(payload: Vec<u8>) -> Result<Self, Error>;
}

/// What a handler can answer: anything that serialises to JSON, or [`Raw`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a handler's answer",
    note = "derive `serde::Serialize`, or answer with `serde_json::Value`, `lamina::Raw` or `()`"
)]
pub trait Answer {
    /// Writes the payload.
    ///
    /// # Errors
    /// [`MARSHAL_ERROR`] when the value has no form in JSON.
    fn into_payload(self) -> Result<Vec<u8>, Error>;
}

impl<T: DeserializeOwned + 'static> Event for T {
    fn from_payload(payload: Vec<u8>) -> Result<Self, Error> {
        // Serde reads `()` from `null` only, but it stands for "any event" here.
        let payload = if TypeId::of::<T>() == TypeId::of::<()>() { &b"null"[..] } else { &payload };
        serde_json::from_slice(payload).map_err(|error| Error::new(UNMARSHAL_ERROR, error.to_string()))
    }
}

impl Event for Raw {
    fn from_payload(payload: Vec<u8>) -> Result<Self, Error> {
        Ok(Self(payload))
    }
}

impl<T: Serialize> Answer for T {
    fn into_payload(self) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(&self).map_err(|error| Error::new(MARSHAL_ERROR, error.to_string()))
    }
}

impl Answer for Raw {
    fn into_payload(self) -> Result<Vec<u8>, Error> {
        Ok(self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn payloads_are_read_into_the_type_asked_for() {
        assert_eq!(u32::from_payload(b" 7 ".to_vec()).unwrap(), 7);
        assert_eq!(serde_json::Value::from_payload(b"{}".to_vec()).unwrap(), serde_json::json!({}));
        assert_eq!(Raw::from_payload(b"\xff".to_vec()).unwrap(), Raw(b"\xff".to_vec()));
        <()>::from_payload(br#"{"any": "event"}"#.to_vec()).unwrap();
        <()>::from_payload(Vec::new()).unwrap();
    }

    #[test]
    fn a_payload_of_another_shape_is_an_unmarshal_error() {
        let error = u32::from_payload(b"\"seven\"".to_vec()).unwrap_err();
        assert_eq!(error.error_type(), "Runtime.UnmarshalError");
        assert!(error.message().contains("invalid type: string \"seven\""), "{error}");
    }

    #[test]
    fn answers_are_written_as_json() {
        assert_eq!(().into_payload().unwrap(), b"null");
        assert_eq!("text".into_payload().unwrap(), b"\"text\"");
        assert_eq!(Raw(b"as is".to_vec()).into_payload().unwrap(), b"as is");
    }

    #[test]
    fn an_answer_without_a_form_in_json_is_a_marshal_error() {
        let error = HashMap::from([((1, 2), 3)]).into_payload().unwrap_err();
        assert_eq!(error.error_type(), "Runtime.MarshalError");
    }
}
