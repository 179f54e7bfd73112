//! Reading a request's body: bounded while it is read, with a deadline, and
//! hashed on the way, so that a signature never needs a second pass.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt as _;
use sha2::{Digest as _, Sha256};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::deadline::Deadline;
use crate::limits::Limits;

/// In what steps room is taken.
const ROOM_UNIT_BYTES: usize = 1 << 10;
/// Longer than any reader of a streamed body lives.
const STREAM_TIMEOUT: Duration = Duration::from_secs(86_400);

/// A whole body.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) bytes: Bytes,
    /// What came after it, if anything did.
    pub(crate) trailers: Option<Box<HeaderMap>>,
    sha256: [u8; 32],
}

impl Body {
    /// One that is there already; it has no hash.
    pub(crate) fn of(bytes: Bytes) -> Self {
        finish(bytes, None, None)
    }

    /// The hash; of nothing when reading was not asked to make it.
    pub(crate) fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }
}

/// What is read, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds<'a> {
    pub(crate) bytes_max: usize,
    pub(crate) pace: Pace,
    /// What it is a part of while it is not all there, if anything.
    pub(crate) room: Option<&'a Room>,
    /// Whether the hash is wanted.
    pub(crate) hash: bool,
}

/// Memory for all bodies together of which more is to come. One that comes at once
/// takes none, and neither does one that is whole.
#[derive(Debug)]
pub(crate) struct Room(Semaphore);

impl Room {
    /// Room for so many bytes.
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Semaphore::new((bytes / ROOM_UNIT_BYTES).min(Semaphore::MAX_PERMITS)))
    }

    /// Makes what is taken as large as this; whether there was room for it.
    fn grow<'a>(&'a self, taken: &mut Option<SemaphorePermit<'a>>, bytes: usize) -> bool {
        let had = taken.as_ref().map_or(0, SemaphorePermit::num_permits);
        let more = bytes.div_ceil(ROOM_UNIT_BYTES).saturating_sub(had);
        let Some(more) = u32::try_from(more).ok().and_then(|more| self.0.try_acquire_many(more).ok()) else {
            return false;
        };
        match taken {
            Some(taken) => taken.merge(more),
            None => *taken = Some(more),
        }
        true
    }
}

/// How fast a body must come. Only the time counts in which it is waited for: a
/// reader that takes its time costs the sender nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    timeout: Duration,
    /// Time without a rate, and the bytes a second from then on, if any.
    rate: Option<(Duration, u32)>,
}

impl Pace {
    /// Of a client's body that is read whole.
    pub(crate) fn whole(limits: &Limits) -> Self {
        Self { timeout: limits.body_timeout, ..Self::streamed(limits) }
    }

    /// Of a client's body that is passed on: it may take as long as its reader.
    pub(crate) fn streamed(limits: &Limits) -> Self {
        Self { timeout: STREAM_TIMEOUT, rate: Some((limits.body_grace, limits.body_rate_min)) }
    }

    /// Any, if it only ends in time.
    pub(crate) const fn within(timeout: Duration) -> Self {
        Self { timeout, rate: None }
    }

    /// How long may be waited for the byte after so many.
    fn allows(&self, bytes: usize) -> Duration {
        match self.rate {
            Some((grace, rate @ 1..)) => {
                let ms = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(1_000) / u64::from(rate);
                self.timeout.min(grace.saturating_add(Duration::from_millis(ms)))
            }
            _ => self.timeout,
        }
    }
}

/// Why a body could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    /// More bytes than allowed.
    #[error("the body is too large")]
    TooLarge,
    /// No more memory for bodies.
    #[error("too many bodies are on their way")]
    NoRoom,
    /// Too slow, or not all there within the deadline.
    #[error("the body did not arrive in time")]
    TooSlow,
    /// The connection broke, or the chunks are malformed.
    #[error("the body broke off: {0}")]
    Broken(String),
}

/// A body that ends with an error past its bounds.
#[derive(Debug)]
pub(crate) struct Bounded<B> {
    body: B,
    bytes_max: usize,
    pace: Pace,
    bytes: usize,
    /// How long it has been waited for, without the wait that is under way.
    waited: Duration,
    since: Option<Instant>,
    timer: Deadline,
}

impl<B: HttpBody> Bounded<B> {
    /// An error when it says itself that it is too large.
    pub(crate) fn new(body: B, bytes_max: usize, pace: Pace) -> Result<Self, Unreadable> {
        if body.size_hint().lower() > u64::try_from(bytes_max).unwrap_or(u64::MAX) {
            return Err(Unreadable::TooLarge);
        }
        let timer = Deadline::default();
        Ok(Self { body, bytes_max, pace, bytes: 0, waited: Duration::ZERO, since: None, timer })
    }
}

impl<B> HttpBody for Bounded<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    type Data = Bytes;
    type Error = Unreadable;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Unreadable>>> {
        let this = self.get_mut();
        let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) else {
            let since = *this.since.get_or_insert_with(Instant::now);
            let until = since + this.pace.allows(this.bytes).saturating_sub(this.waited);
            if this.timer.passed(cx, until) {
                return Poll::Ready(Some(Err(Unreadable::TooSlow)));
            }
            return Poll::Pending;
        };
        if let Some(since) = this.since.take() {
            this.waited += since.elapsed();
        }
        Poll::Ready(match frame {
            Some(Ok(frame)) => {
                this.bytes = this.bytes.saturating_add(frame.data_ref().map_or(0, Bytes::len));
                Some(if this.bytes > this.bytes_max { Err(Unreadable::TooLarge) } else { Ok(frame) })
            }
            Some(Err(error)) => Some(Err(Unreadable::Broken(error.to_string()))),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Reads a body to its end. When dropped half-way, the rest stays unread and
/// the connection cannot be used again.
pub(crate) async fn read<B>(body: B, bounds: Bounds<'_>) -> Result<Body, Unreadable>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    // One that is said to be too large is not read at all.
    let body = Bounded::new(body, bounds.bytes_max, bounds.pace)?;
    let hasher = bounds.hash.then(Sha256::new);
    if body.is_end_stream() {
        return Ok(finish(Bytes::new(), None, hasher));
    }
    collect(body, hasher, bounds.room).await
}

async fn collect<B>(mut body: Bounded<B>, mut hasher: Option<Sha256>, room: Option<&Room>) -> Result<Body, Unreadable>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    // A body of one frame, which is most of them, is not copied.
    let mut first: Option<Bytes> = None;
    let mut rest = BytesMut::new();
    let (mut taken, mut trailers) = (None, None);
    while let Some(frame) = body.frame().await {
        let data = match frame?.into_data() {
            Ok(data) => data,
            Err(last) => {
                trailers = last.into_trailers().ok().map(Box::new);
                continue;
            }
        };
        if let Some(hasher) = &mut hasher {
            hasher.update(&data);
        }
        if body.bytes > data.len() && room.is_some_and(|room| !room.grow(&mut taken, body.bytes)) {
            return Err(Unreadable::NoRoom);
        }
        match first.take() {
            None if rest.is_empty() => first = Some(data),
            None => rest.extend_from_slice(&data),
            Some(before) => {
                let expected = usize::try_from(body.size_hint().lower()).unwrap_or(0);
                rest.reserve(body.bytes + expected.min(body.bytes_max - body.bytes));
                rest.extend_from_slice(&before);
                rest.extend_from_slice(&data);
            }
        }
    }
    Ok(finish(first.unwrap_or_else(|| rest.freeze()), trailers, hasher))
}

fn finish(bytes: Bytes, trailers: Option<Box<HeaderMap>>, hasher: Option<Sha256>) -> Body {
    let sha256 = hasher.map_or([0; 32], |hasher| hasher.finalize().into());
    Body { bytes, trailers, sha256 }
}

#[cfg(test)]
mod tests {
    use http_body_util::{Full, StreamBody};

    use super::*;

    fn bounds(bytes_max: usize) -> Bounds<'static> {
        Bounds { bytes_max, room: None, pace: Pace::within(Duration::from_secs(5)), hash: true }
    }

    fn chunks(parts: &'static [&'static str]) -> impl HttpBody<Data = Bytes, Error = String> + Unpin {
        let frames = parts.iter().map(|part| Ok(http_body::Frame::data(Bytes::from_static(part.as_bytes()))));
        StreamBody::new(futures_util::stream::iter(frames.collect::<Vec<_>>()))
    }

    #[tokio::test]
    async fn bodies_are_joined_and_hashed() {
        for parts in [&[][..], &["abc"], &["a", "b", "c"], &["a", "", "bc"]] {
            let body = read(chunks(parts), bounds(3)).await.unwrap();
            assert_eq!(body.bytes, parts.concat());
            assert_eq!(body.sha256(), lamina_types::Digest::of(parts.concat().as_bytes()).as_bytes());
        }
    }

    #[tokio::test]
    async fn bodies_are_bounded() {
        assert_eq!(read(chunks(&["ab", "cd"]), bounds(3)).await.unwrap_err(), Unreadable::TooLarge);
        assert_eq!(read(Full::from("abcd"), bounds(3)).await.unwrap_err(), Unreadable::TooLarge);
        let never = StreamBody::new(futures_util::stream::pending::<Result<http_body::Frame<Bytes>, String>>());
        let soon = Bounds { pace: Pace::within(Duration::from_millis(1)), ..bounds(3) };
        assert_eq!(read(never, soon).await.unwrap_err(), Unreadable::TooSlow);
    }

    /// A body of `count` pieces of 100 bytes, each 20 ms after the one before.
    fn dripping(count: usize) -> impl HttpBody<Data = Bytes, Error = String> + Unpin {
        let pieces = futures_util::stream::unfold(0, move |sent| async move {
            if sent == count {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            Some((Ok(http_body::Frame::data(Bytes::from_static(&[0; 100]))), sent + 1))
        });
        StreamBody::new(Box::pin(pieces))
    }

    fn pace(timeout_ms: u64, grace_ms: u64, rate: u32) -> Pace {
        let (timeout, grace) = (Duration::from_millis(timeout_ms), Duration::from_millis(grace_ms));
        Pace { timeout, rate: Some((grace, rate)) }
    }

    #[tokio::test]
    async fn bodies_have_a_least_rate_after_their_grace() {
        let check = async |pace| {
            read(dripping(20), Bounds { bytes_max: 1 << 20, pace, room: None, hash: false })
                .await
                .map(|body| body.bytes.len())
        };
        let (long, short) = (60_000, 100);
        assert_eq!(check(pace(long, long, 1_000_000)).await, Ok(2_000), "the grace covers it");
        assert_eq!(check(pace(long, short, 1_000_000)).await, Err(Unreadable::TooSlow));
        assert_eq!(check(pace(long, short, 10)).await, Ok(2_000), "each byte buys a tenth of a second");
        assert_eq!(check(pace(short, long, 10)).await, Err(Unreadable::TooSlow), "the timeout is for all of it");
        assert_eq!(check(pace(long, short, 0)).await, Ok(2_000), "no rate is asked for");
    }

    #[tokio::test]
    async fn bodies_share_their_room_until_they_are_whole() {
        let room = Room::new(3 * ROOM_UNIT_BYTES);
        let pace = Pace::within(Duration::from_secs(60));
        let read_of = async |count: usize| {
            let pieces = (0..count).map(|_| Ok::<_, String>(Frame::data(Bytes::from_static(&[0; ROOM_UNIT_BYTES]))));
            let body = StreamBody::new(futures_util::stream::iter(pieces.collect::<Vec<_>>()));
            let bounds = Bounds { bytes_max: 1 << 20, pace, room: Some(&room), hash: false };
            read(body, bounds).await.map(|body| body.bytes.len() / ROOM_UNIT_BYTES)
        };
        assert_eq!(read_of(3).await, Ok(3));
        assert_eq!(read_of(4).await, Err(Unreadable::NoRoom));
        let other = room.0.try_acquire_many(2).unwrap();
        assert_eq!(read_of(2).await, Err(Unreadable::NoRoom));
        assert_eq!(read_of(1).await, Ok(1), "it is there at once");
        drop(other);
        assert_eq!(read_of(3).await, Ok(3));
    }

    /// A reader that takes its time is not the sender's fault.
    #[tokio::test]
    async fn only_the_time_counts_that_a_body_is_waited_for() {
        let mut body = Bounded::new(Full::from("abc"), 1_000, pace(50, 50, 1)).unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(body.frame().await.unwrap().is_ok());
    }
}
