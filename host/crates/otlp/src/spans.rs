//! A call as spans: the invocation, and in it the wait for its code, the making of its
//! instance, what a managed runtime loads, and the call itself
//! (opentelemetry.proto.trace.v1).

use std::sync::Arc;
use std::time::Duration;

use lamina_types::{RequestId, ResolvedFunction, Span, Status, Timestamp, Usage};

use crate::protobuf::Message;

/// A call that has ended and is traced.
#[derive(Debug, Clone)]
pub struct CallSpan {
    /// Its place in the trace.
    pub span: Span,
    /// What ran.
    pub function: Arc<ResolvedFunction>,
    /// The call.
    pub request_id: RequestId,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// How long it took until its instance was there; 0 when it never was.
    pub instantiated: Duration,
    /// How long it took until a managed runtime had loaded its handler; 0 when nothing was
    /// to be loaded, or did not load.
    pub loaded: Duration,
    /// What it used.
    pub usage: Usage,
    /// Billed duration.
    pub billed_ms: u64,
    /// The error type, when it failed.
    pub error_type: Option<String>,
}

const KIND_INTERNAL: u64 = 1;
const KIND_SERVER: u64 = 2;
const STATUS_ERROR: u64 = 2;
/// What is kept of an error type, which a guest chooses.
const ERROR_BYTES_MAX: usize = 256;

/// Which of a call's spans; they need ids of their own below the call's.
#[derive(Debug, Clone, Copy)]
enum Part {
    Wait = 1,
    Instantiate = 2,
    Call = 3,
    Import = 4,
}

fn nanos(time: Timestamp) -> u64 {
    time.0.saturating_mul(1_000)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// An id that differs from the call's own and from its other parts'.
fn part_id(span: Span, part: Part) -> [u8; 8] {
    let id = u64::from_be_bytes(span.span).rotate_left(17) ^ (part as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    // Zero is no id.
    id.max(1).to_be_bytes()
}

/// `ExportTraceServiceRequest`.
pub(crate) fn request(service: &str, calls: &[CallSpan]) -> Vec<u8> {
    let mut request = Message::default();
    request.message(1, |resource_spans| {
        resource_spans.resource(service);
        resource_spans.message(2, |scope_spans| {
            scope_spans.scope();
            calls.iter().for_each(|call| call.write(scope_spans));
        });
    });
    request.into_bytes()
}

impl CallSpan {
    fn write(&self, spans: &mut Message) {
        let Self { span, function, accepted, ended, usage, .. } = self;
        let began = Timestamp(ended.0.saturating_sub(micros(usage.duration))).max(*accepted);
        let there = match self.instantiated {
            Duration::ZERO => *ended,
            instantiated => Timestamp(began.0 + micros(instantiated)).min(*ended),
        };
        spans.message(2, |out| {
            self.begin(out, span.span, span.parent);
            out.text(5, function.name.as_str());
            self.times(out, KIND_SERVER, (*accepted, *ended));
            self.attributes(out);
            if usage.status != Status::Success {
                out.message(15, |status| {
                    status.text(2, self.error());
                    status.varint(3, STATUS_ERROR);
                });
            }
        });
        let loaded = (!self.loaded.is_zero()).then(|| Timestamp(began.0 + micros(self.loaded)).clamp(there, *ended));
        let parts = [
            Some((Part::Wait, "queue wait", (*accepted, began))),
            Some((Part::Instantiate, "instantiate", (began, there))),
            loaded.map(|loaded| (Part::Import, "import", (there, loaded))),
            Some((Part::Call, "call", (loaded.unwrap_or(there), *ended))),
        ];
        for (part, name, times) in parts.into_iter().flatten() {
            spans.message(2, |out| {
                self.begin(out, part_id(*span, part), Some(span.span));
                out.text(5, name);
                self.times(out, KIND_INTERNAL, times);
            });
        }
    }

    fn begin(&self, out: &mut Message, id: [u8; 8], parent: Option<[u8; 8]>) {
        out.bytes(1, &self.span.trace);
        out.bytes(2, &id);
        if let Some(parent) = parent {
            out.bytes(4, &parent);
        }
    }

    fn times(&self, out: &mut Message, kind: u64, (from, to): (Timestamp, Timestamp)) {
        out.varint(6, kind);
        out.fixed64(7, nanos(from));
        out.fixed64(8, nanos(to));
    }

    fn error(&self) -> &str {
        let text = self.error_type.as_deref().unwrap_or("Unknown");
        &text[..text.floor_char_boundary(ERROR_BYTES_MAX)]
    }

    /// OpenTelemetry's names for functions as a service, and our own.
    fn attributes(&self, out: &mut Message) {
        let Self { function, usage, .. } = self;
        out.attribute(9, "faas.name", function.name.as_str());
        out.attribute(9, "faas.version", &function.version.to_string());
        out.attribute(9, "faas.invocation_id", self.request_id.as_str());
        out.attribute(9, "cloud.account.id", function.account.as_str());
        out.attribute(9, "cloud.region", function.region.as_str());
        out.message(9, |pair| {
            pair.text(1, "faas.coldstart");
            pair.message(2, |any| any.varint(2, u64::from(usage.init.is_some())));
        });
        out.number_attribute(9, "lamina.billed_ms", self.billed_ms);
        out.number_attribute(9, "lamina.fuel", usage.fuel);
        out.number_attribute(9, "lamina.memory_bytes_peak", usage.memory_bytes_peak);
        if usage.status != Status::Success {
            out.attribute(9, "error.type", self.error());
        }
    }
}
