//! One call, as it travels from the edge to the instance.

use crate::ids::RequestId;
use crate::names::FunctionRef;
use crate::time::Timestamp;

/// The bytes a handler gets: an event, JSON unless the caller of a test says
/// otherwise, at most [`crate::limits::REQUEST_PAYLOAD_BYTES_MAX`].
pub type Payload = Vec<u8>;

/// One synchronous call of a function.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The call's id; the caller, the guest and the log see the same one.
    pub request_id: RequestId,
    /// The function as the caller named it.
    pub function: FunctionRef,
    /// The event. Empty for a component that gets the HTTP request itself.
    pub payload: Payload,
    /// `Root=...;Parent=...;Sampled=...`.
    pub trace_id: String,
    /// Its span, when it is recorded; `Parent` of `trace_id` is this one then.
    pub span: Option<crate::Span>,
    /// The client context, decoded from base64: JSON text.
    pub client_context: Option<String>,
    /// When the platform accepted the call.
    pub accepted: Timestamp,
    /// Whether the caller wants the last 4 KB of the log.
    pub tail: bool,
}
