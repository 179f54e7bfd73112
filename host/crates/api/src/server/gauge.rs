//! Requests of one connection, counted: whoever watches the connection learns
//! from it whether there is one.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use lamina_runtime::HttpError;
use tokio::sync::Notify;

use super::stall;
use crate::answer::AnswerBody;

/// Bytes of a whole body that go into an HTTP/2 connection at once, so that the
/// rest waits where it is seen to wait.
const PIECE_BYTES: usize = 32 << 10;

/// Counts of one connection; they only rise.
#[derive(Debug)]
pub(super) struct Gauge {
    begun: AtomicU64,
    ended: AtomicU64,
    given_up: AtomicU64,
    /// How many may be given up.
    given_up_max: u64,
    overrun: Notify,
}

impl Gauge {
    /// A gauge of a client that may give up so many requests.
    pub(super) fn new(given_up_max: u32) -> Self {
        let (begun, ended, given_up) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        Self { begun, ended, given_up, given_up_max: given_up_max.into(), overrun: Notify::new() }
    }

    /// Requests whose heads have come.
    pub(super) fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    /// Whether every request has its answer, handed over to the last byte.
    pub(super) fn is_idle(&self) -> bool {
        self.ended.load(Ordering::Acquire) == self.begun()
    }

    /// Completes when the client has given up more requests than it may, and most.
    pub(super) async fn overrun(&self) {
        self.overrun.notified().await;
    }

    /// One more request; it ends by drop.
    pub(super) fn begin(self: &Arc<Self>) -> Flight {
        self.begun.fetch_add(1, Ordering::Relaxed);
        Flight { gauge: self.clone(), is_answered: false }
    }
}

/// A request under way.
#[derive(Debug)]
pub(super) struct Flight {
    gauge: Arc<Gauge>,
    /// Whether there was nothing left to hand over.
    is_answered: bool,
}

impl Drop for Flight {
    fn drop(&mut self) {
        let gauge = &self.gauge;
        gauge.ended.fetch_add(1, Ordering::Release);
        if !self.is_answered {
            let given_up = gauge.given_up.fetch_add(1, Ordering::Relaxed) + 1;
            if given_up > gauge.given_up_max && given_up * 2 > gauge.begun() {
                gauge.overrun.notify_one();
            }
        }
    }
}

/// An answer's body, whose end is the request's.
#[derive(Debug)]
pub(super) struct Counted {
    body: AnswerBody,
    flight: Option<Flight>,
    /// Whether it is given in pieces, and what is left of the last chunk.
    pieces: Option<Bytes>,
}

impl Counted {
    /// A body that is passed on as it comes. Whoever gives it up gives up the
    /// connection, so that nobody counts.
    pub(super) fn new(body: AnswerBody, mut flight: Option<Flight>) -> Self {
        if let Some(flight) = &mut flight {
            flight.is_answered = true;
        }
        Self { body, flight, pieces: None }
    }

    /// A body of an HTTP/2 stream.
    pub(super) fn in_pieces(body: AnswerBody, mut flight: Flight) -> Self {
        flight.is_answered = body.is_end_stream();
        // It is asked for its first piece when the client's window lets it go.
        stall::asked(true);
        Self { body, flight: Some(flight), pieces: Some(Bytes::new()) }
    }
}

impl Body for Counted {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let this = self.get_mut();
        let Some(rest) = &mut this.pieces else { return Pin::new(&mut this.body).poll_frame(cx) };
        let mut frame = Poll::Ready(None);
        if rest.is_empty() {
            frame = Pin::new(&mut this.body).poll_frame(cx);
            if let Poll::Ready(Some(Ok(chunk))) = &mut frame
                && let Some(data) = chunk.data_mut()
            {
                *rest = std::mem::take(data);
            }
        }
        if !rest.is_empty() {
            let piece = rest.split_to(rest.len().min(PIECE_BYTES));
            frame = Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        stall::asked(frame.is_ready());
        let is_answered = match &frame {
            Poll::Pending => false,
            Poll::Ready(None | Some(Err(_))) => true,
            Poll::Ready(Some(Ok(frame))) => frame.is_trailers() || rest.is_empty() && this.body.is_end_stream(),
        };
        if let Some(flight) = &mut this.flight {
            flight.is_answered = is_answered;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.as_ref().is_none_or(Bytes::is_empty) && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        // It is asked for before the first piece is given.
        match &self.pieces {
            Some(rest) if !rest.is_empty() => SizeHint::default(),
            _ => self.body.size_hint(),
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn a_body_comes_in_pieces_and_ends_its_request() {
        let gauge = Arc::new(Gauge::new(0));
        let whole: Vec<u8> = (0..=255).cycle().take(3 * PIECE_BYTES + 1).collect();
        let mut body = Counted::in_pieces(AnswerBody::whole(whole.clone()), gauge.begin());
        assert_eq!(body.size_hint().exact(), Some(3 * PIECE_BYTES as u64 + 1));
        let mut read = Vec::new();
        while let Some(frame) = body.frame().await {
            let data = frame.unwrap().into_data().unwrap();
            assert!(data.len() <= PIECE_BYTES);
            read.extend_from_slice(&data);
            assert_eq!(body.is_end_stream(), read.len() == whole.len());
        }
        assert_eq!(read, whole);
        assert!(!gauge.is_idle());
        drop(body);
        assert!(gauge.is_idle());
        assert_eq!(gauge.given_up.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn requests_that_are_given_up_count() {
        let gauge = Arc::new(Gauge::new(2));
        let answered = |gauge: &Arc<Gauge>| drop(Counted::in_pieces(AnswerBody::empty(), gauge.begin()));
        for _ in 0..3 {
            answered(&gauge);
        }
        for _ in 0..3 {
            drop(gauge.begin());
        }
        // Three of six are half of them, and no more.
        let overrun = async |gauge: &Gauge| {
            tokio::select! {
                biased;
                () = gauge.overrun() => true,
                () = std::future::ready(()) => false,
            }
        };
        assert!(!overrun(&gauge).await);
        drop(Counted::in_pieces(AnswerBody::whole("abc"), gauge.begin()));
        assert!(overrun(&gauge).await);
    }
}
