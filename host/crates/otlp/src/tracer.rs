//! Whether a call is traced, and where its spans go.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

use crate::spans::CallSpan;

/// Spans of one call.
pub(crate) const SPANS: u64 = 4;

/// Takes calls that have ended. Clones share the queue.
#[derive(Debug, Clone)]
pub struct Tracer {
    queue: mpsc::Sender<CallSpan>,
    dropped: Arc<AtomicU64>,
    /// Traces whose last seven bytes are below it are sampled.
    threshold: u64,
}

/// Seven bytes are as good as random (W3C Trace Context, level 2).
const RANDOM_BITS: u32 = 56;

impl Tracer {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a share")]
    pub(crate) fn new(queue: mpsc::Sender<CallSpan>, dropped: Arc<AtomicU64>, ratio: f64) -> Self {
        Self { queue, dropped, threshold: (ratio * (1u64 << RANDOM_BITS) as f64) as u64 }
    }

    /// Whether a trace is recorded whose caller does not say: the same everywhere.
    pub fn samples(&self, trace: [u8; 16]) -> bool {
        let number = u128::from_be_bytes(trace) & ((1 << RANDOM_BITS) - 1);
        number < u128::from(self.threshold)
    }

    /// Takes a call. When the queue is full it is dropped and counted.
    pub fn record(&self, call: CallSpan) {
        if self.queue.try_send(call).is_err() {
            self.dropped.fetch_add(SPANS, Ordering::Relaxed);
        }
    }

    /// Spans that were dropped, because the queue was full or the collector took none.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_traces_is_sampled() {
        let of = |ratio: f64| Tracer::new(mpsc::channel(1).0, Arc::default(), ratio);
        let trace = |last: u8| {
            let mut trace = [0xff; 16];
            trace[9] = last;
            trace
        };
        assert!(of(1.0).samples([0xff; 16]) && !of(0.0).samples([0; 16]));
        assert!(of(0.5).samples(trace(0x7f)) && !of(0.5).samples(trace(0x80)));
    }
}
