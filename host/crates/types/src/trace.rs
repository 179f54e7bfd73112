//! The place of one call in a distributed trace.

/// A call whose span is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The trace, as W3C and X-Ray write it.
    pub trace: [u8; 16],
    /// The call's own span, which what the function does is below.
    pub span: [u8; 8],
    /// The caller's span, if it said one.
    pub parent: Option<[u8; 8]>,
}

impl Span {
    /// The trace in X-Ray's form: `1-TIME-REST` in hexadecimal.
    pub fn trace_id(&self) -> String {
        let trace = hex::encode(self.trace);
        let (time, rest) = trace.split_at(8);
        format!("1-{time}-{rest}")
    }

    /// The call's own segment, in hexadecimal.
    pub fn segment_id(&self) -> String {
        hex::encode(self.span)
    }
}
