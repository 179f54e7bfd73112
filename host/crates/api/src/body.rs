//! Reading a request's body: bounded while it is read, with a deadline, and
//! hashed on the way, so that a signature never needs a second pass.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::Body as HttpBody;
use http_body_util::BodyExt as _;
use sha2::{Digest as _, Sha256};

/// A whole body.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) bytes: Bytes,
    sha256: [u8; 32],
}

impl Body {
    /// The hash; of nothing when reading was not asked to make it.
    pub(crate) fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }
}

/// What is read, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) bytes_max: usize,
    pub(crate) timeout: Duration,
    /// Whether the hash is wanted.
    pub(crate) hash: bool,
}

/// Why a body could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    /// More bytes than allowed.
    #[error("the body is too large")]
    TooLarge,
    /// Not all there within the deadline.
    #[error("the body did not arrive in time")]
    TooSlow,
    /// The connection broke, or the chunks are malformed.
    #[error("the body broke off: {0}")]
    Broken(String),
}

/// Reads a body to its end. When dropped half-way, the rest stays unread and
/// the connection cannot be used again.
pub(crate) async fn read<B>(body: B, bounds: Bounds) -> Result<Body, Unreadable>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    // Said before it is sent: no need to read any of it.
    if body.size_hint().lower() > u64::try_from(bounds.bytes_max).unwrap_or(u64::MAX) {
        return Err(Unreadable::TooLarge);
    }
    if body.is_end_stream() {
        return Ok(finish(Bytes::new(), bounds.hash.then(Sha256::new)));
    }
    match tokio::time::timeout(bounds.timeout, collect(body, bounds)).await {
        Ok(read) => read,
        Err(_) => Err(Unreadable::TooSlow),
    }
}

async fn collect<B>(mut body: B, bounds: Bounds) -> Result<Body, Unreadable>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    let mut hasher = bounds.hash.then(Sha256::new);
    // A body of one frame, which is most of them, is not copied.
    let mut first: Option<Bytes> = None;
    let mut rest = BytesMut::new();
    let mut length = 0usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Unreadable::Broken(error.to_string()))?;
        let Ok(data) = frame.into_data() else { continue };
        length = length.saturating_add(data.len());
        if length > bounds.bytes_max {
            return Err(Unreadable::TooLarge);
        }
        if let Some(hasher) = &mut hasher {
            hasher.update(&data);
        }
        match first.take() {
            None if rest.is_empty() => first = Some(data),
            None => rest.extend_from_slice(&data),
            Some(before) => {
                let expected = usize::try_from(body.size_hint().lower()).unwrap_or(0).min(bounds.bytes_max - length);
                rest.reserve(length + expected);
                rest.extend_from_slice(&before);
                rest.extend_from_slice(&data);
            }
        }
    }
    Ok(finish(first.unwrap_or_else(|| rest.freeze()), hasher))
}

fn finish(bytes: Bytes, hasher: Option<Sha256>) -> Body {
    let sha256 = hasher.map_or([0; 32], |hasher| hasher.finalize().into());
    Body { bytes, sha256 }
}

#[cfg(test)]
mod tests {
    use http_body_util::{Full, StreamBody};

    use super::*;

    fn bounds(bytes_max: usize) -> Bounds {
        Bounds { bytes_max, timeout: Duration::from_secs(5), hash: true }
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
        let soon = Bounds { timeout: Duration::from_millis(1), ..bounds(3) };
        assert_eq!(read(never, soon).await.unwrap_err(), Unreadable::TooSlow);
    }
}
