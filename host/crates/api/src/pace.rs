//! The bandwidth of a streamed answer: Lambda sends the first 6 MB as they come and
//! then 2 MB a second (reference 5.4). Here that is a setting, and off by default.

use std::num::NonZeroU64;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use lamina_invoke::StreamAnswer;
use lamina_runtime::{HttpError, ResponseBody};
use tokio::time::Sleep;

/// The least rate that can be set: a piece of 64 KiB then takes a second.
pub const STREAM_BYTES_PER_S_MIN: u64 = 64 << 10;

/// What of a streamed answer is sent as it comes, in bytes (AWS, "Bandwidth limits for
/// response streaming").
const FREE_BYTES: u64 = 6 << 20;

/// An answer's body at this rate, in bytes a second, after the part that is free; as
/// it comes when there is none.
pub(crate) fn paced(body: ResponseBody, rate: Option<NonZeroU64>) -> ResponseBody {
    match rate {
        None => body,
        Some(rate) => Paced { body, pace: Pace { free: FREE_BYTES, rate }, pause: None }.boxed_unsync(),
    }
}

/// The same for an answer that is still to be written.
pub(crate) fn paced_answer(answer: StreamAnswer, rate: Option<NonZeroU64>) -> StreamAnswer {
    match answer {
        StreamAnswer::Started { head, body: lamina_invoke::Body::Stream(body) } => {
            StreamAnswer::Started { head, body: lamina_invoke::Body::Stream(paced(body, rate)) }
        }
        other => other,
    }
}

/// How long to wait after how much.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// Bytes that may still be sent as they come.
    free: u64,
    /// Bytes a second after them.
    rate: NonZeroU64,
}

impl Pace {
    /// The pause that is due when so many bytes were sent.
    fn after(&mut self, bytes: u64) -> Duration {
        let paid = bytes.saturating_sub(self.free);
        self.free = self.free.saturating_sub(bytes);
        let nanos = u128::from(paid) * 1_000_000_000 / u128::from(self.rate.get());
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// Holds the next piece, or the end, back until the piece before it has had its time;
/// the guest is held by that, as by a reader who is slow.
struct Paced {
    body: ResponseBody,
    pace: Pace,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Body for Paced {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let this = self.get_mut();
        if let Some(pause) = &mut this.pause {
            ready!(pause.as_mut().poll(cx));
            this.pause = None;
        }
        let frame = ready!(Pin::new(&mut this.body).poll_frame(cx));
        let data = frame.as_ref().and_then(|frame| frame.as_ref().ok()).and_then(Frame::data_ref);
        let pause = this.pace.after(data.map_or(0, |data| data.len() as u64));
        if !pause.is_zero() {
            this.pause = Some(Box::pin(tokio::time::sleep(pause)));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pauses of a body that comes in such pieces, in milliseconds.
    fn pauses(rate: u64, pieces: &[u64]) -> Vec<u128> {
        let mut pace = Pace { free: FREE_BYTES, rate: NonZeroU64::new(rate).unwrap() };
        pieces.iter().map(|bytes| pace.after(*bytes).as_millis()).collect()
    }

    #[test]
    fn only_what_follows_the_first_six_megabytes_takes_time() {
        assert_eq!(pauses(2 << 20, &[6 << 20]), [0]);
        assert_eq!(pauses(2 << 20, &[6 << 20, 1 << 20, 2 << 20, 0]), [0, 500, 1_000, 0]);
        // A piece that begins in what is free pays for the rest of it.
        assert_eq!(pauses(1_000, &[(6 << 20) - 1, 501, 250]), [0, 500, 250]);
        assert_eq!(pauses(u64::MAX, &[7 << 20]), [0]);
        assert_eq!(pauses(1, &[u64::MAX]).len(), 1, "the longest pause there is");
    }

    #[test]
    fn in_all_it_takes_as_long_as_its_bytes_at_the_rate() {
        let pieces = vec![64 << 10; 1_000];
        let total: u64 = pieces.iter().sum();
        let rate = 2 << 20;
        let all: u128 = {
            let mut pace = Pace { free: FREE_BYTES, rate: NonZeroU64::new(rate).unwrap() };
            pieces.iter().map(|bytes| pace.after(*bytes).as_nanos()).sum()
        };
        assert_eq!(all, u128::from(total - FREE_BYTES) * 1_000_000_000 / u128::from(rate));
    }
}
