//! The events of InvokeWithResponseStream (reference 1.5), both ways.

use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder, write_message_to};
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Serialize};

/// The media type of a stream of events.
pub const MEDIA_TYPE: &str = "application/vnd.amazon.eventstream";
/// What one event carries at most: far below the format's 16 MiB.
pub const CHUNK_BYTES_MAX: usize = 1 << 20;
/// The longest event that is read, in bytes.
const EVENT_BYTES_MAX: usize = 17 << 20;

/// How a call ended: the last event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Complete {
    /// A word for what failed, if it did.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error_code: Option<String>,
    /// The error object, as text.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error_details: Option<String>,
    /// The end of the log in base64, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub log_result: Option<String>,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Bytes of the answer.
    PayloadChunk(Bytes),
    /// The end.
    InvokeComplete(Complete),
}

/// What is no stream of events.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(String);

impl Event {
    /// The event as it goes over the wire. A chunk has at most [`CHUNK_BYTES_MAX`]
    /// bytes.
    pub fn encode(self) -> Result<Bytes, Malformed> {
        let malformed = |error: &dyn std::fmt::Display| Malformed(format!("writing an event: {error}"));
        let (name, media_type, payload) = match self {
            Self::PayloadChunk(bytes) => ("PayloadChunk", "application/octet-stream", bytes),
            Self::InvokeComplete(complete) => {
                let json = serde_json::to_vec(&complete).map_err(|error| malformed(&error))?;
                ("InvokeComplete", "application/json", json.into())
            }
        };
        frame("event", ":event-type", name, media_type, payload)
    }
}

/// An event whose payload is JSON, of a stream of another operation.
pub fn json_event(name: &'static str, payload: &impl Serialize) -> Result<Bytes, Malformed> {
    let json = serde_json::to_vec(payload).map_err(|error| Malformed(format!("writing an event: {error}")))?;
    frame("event", ":event-type", name, "application/json", json.into())
}

/// An exception that ends a stream.
pub fn exception(name: &'static str, message: &str) -> Result<Bytes, Malformed> {
    let json = serde_json::json!({ "message": message }).to_string();
    frame("exception", ":exception-type", name, "application/json", json.into())
}

fn frame(
    kind: &'static str,
    name_header: &'static str,
    name: &'static str,
    media_type: &'static str,
    payload: Bytes,
) -> Result<Bytes, Malformed> {
    let header = |name, value: &'static str| Header::new(name, HeaderValue::String(value.into()));
    let message = Message::new(payload)
        .add_header(header(":message-type", kind))
        .add_header(header(name_header, name))
        .add_header(header(":content-type", media_type));
    let mut bytes = Vec::new();
    write_message_to(&message, &mut bytes).map_err(|error| Malformed(format!("writing an event: {error}")))?;
    Ok(bytes.into())
}

/// Takes bytes as they come and gives events.
#[derive(Debug, Default)]
pub struct Decoder {
    frames: MessageFrameDecoder,
    bytes: BytesMut,
}

impl Decoder {
    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next event, if all of it is there. After an error nothing follows.
    pub fn event(&mut self) -> Result<Option<Event>, Malformed> {
        let frame = self.frames.decode_frame(&mut self.bytes);
        let frame = frame.map_err(|error| Malformed(format!("the answer is no stream of events: {error}")))?;
        let DecodedFrame::Complete(message) = frame else {
            if self.bytes.len() > EVENT_BYTES_MAX {
                return Err(Malformed(format!("an event is longer than {EVENT_BYTES_MAX} bytes")));
            }
            return Ok(None);
        };
        let header = |name: &str| {
            let found = message.headers().iter().find(|header| header.name().as_str() == name)?;
            found.value().as_string().ok().map(|value| value.as_str().to_owned())
        };
        let payload = message.payload().clone();
        match (header(":message-type").as_deref(), header(":event-type").as_deref()) {
            (Some("event"), Some("PayloadChunk")) => Ok(Some(Event::PayloadChunk(payload))),
            (Some("event"), Some("InvokeComplete")) => {
                let complete = serde_json::from_slice(&payload);
                let complete = complete.map_err(|error| Malformed(format!("the last event: {error}")))?;
                Ok(Some(Event::InvokeComplete(complete)))
            }
            (Some("exception"), _) => {
                let name = header(":exception-type").unwrap_or_default();
                Err(Malformed(format!("{name}: {}", String::from_utf8_lossy(&payload))))
            }
            // Of a newer server.
            _ => self.event(),
        }
    }

    /// Whether an event has begun and is not there.
    pub fn is_within(&self) -> bool {
        !self.bytes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events() -> Vec<Event> {
        let complete = Complete { error_code: Some("Unhandled".into()), ..Complete::default() };
        let chunk = |bytes: &'static [u8]| Event::PayloadChunk(Bytes::from_static(bytes));
        vec![chunk(b"a"), chunk(b""), chunk(&[0; 5_000]), Event::InvokeComplete(complete)]
    }

    /// The frame of reference 1.5, byte by byte: the checks are those of zlib's crc32.
    #[test]
    fn an_event_is_drawn_byte_by_byte() {
        let bytes = Event::InvokeComplete(Complete::default()).encode().unwrap();
        let headers = b"\x0d:message-type\x07\0\x05event\x0b:event-type\x07\0\x0eInvokeComplete\x0d:content-type\x07\0\x10application/json";
        let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        assert_eq!((number(0), number(4)), (bytes.len(), headers.len()));
        assert_eq!(&bytes[12..12 + headers.len()], headers);
        assert_eq!(&bytes[12 + headers.len()..bytes.len() - 4], b"{}");
    }

    #[test]
    fn events_come_back_however_they_are_cut() {
        let bytes: Vec<u8> = events().into_iter().flat_map(|event| event.encode().unwrap()).collect();
        for piece in [1, 2, 7, 100, bytes.len()] {
            let (mut decoder, mut found) = (Decoder::default(), Vec::new());
            for bytes in bytes.chunks(piece) {
                decoder.push(bytes);
                while let Some(event) = decoder.event().unwrap() {
                    found.push(event);
                }
            }
            assert_eq!(found, events(), "{piece}");
            assert!(!decoder.is_within());
        }
    }

    #[test]
    fn every_flip_is_found() {
        let bytes = events().remove(0).encode().unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.to_vec();
            changed[at] ^= 4;
            let mut decoder = Decoder::default();
            decoder.push(&changed);
            assert!(!matches!(decoder.event(), Ok(Some(_))), "byte {at}");
        }
    }
}
