//! Content that comes as a stream: bounded, and nothing of it stays that was not
//! taken whole.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use lamina_artifacts::{Error, Usage};
use lamina_types::Digest;
use tokio::io::{AsyncRead, AsyncReadExt as _, ReadBuf};

use crate::support::{files, open};

const CHUNK: usize = 256 * 1024;

fn filled(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}

/// Takes `length` bytes with this bound, in pieces as `tokio::io::duplex` gives them.
async fn check(length: usize, bytes_max: u64) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let bytes = filled(length);
    let (mut out, into) = tokio::io::duplex(10_000);
    let send = async {
        // It fails once the store has had enough.
        let _ = tokio::io::AsyncWriteExt::write_all(&mut out, &bytes).await;
        drop(out);
    };
    let (taken, ()) = tokio::join!(store.ingest(into, bytes_max), send);
    if length as u64 > bytes_max {
        assert!(matches!(taken, Err(Error::TooLarge { bytes_max: named }) if named == bytes_max), "{length}");
        assert_eq!(files(folder.path()), [""; 0], "{length}");
    } else {
        assert_eq!(taken.unwrap(), (Digest::of(&bytes), length as u64));
        assert_eq!(store.get(&Digest::of(&bytes)).await.unwrap(), bytes);
        assert_eq!(files(folder.path()).len(), 1, "{length}");
    }
}

#[tokio::test]
async fn a_stream_is_stored_whole_or_not_at_all() {
    for length in [0, 1, 9_999, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK] {
        check(length, length as u64).await;
        check(length, u64::from(u32::MAX).min(length as u64 + 1)).await;
        if length > 0 {
            check(length, length as u64 - 1).await;
            check(length, 0).await;
        }
    }
}

/// An endless reader must be stopped by the bound, not by the disk.
#[tokio::test]
async fn reading_stops_at_the_bound() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut reader = tokio::io::repeat(7).take(u64::MAX);
    assert!(matches!(store.ingest(&mut reader, 1000).await, Err(Error::TooLarge { bytes_max: 1000 })));
    assert!(u64::MAX - reader.limit() <= CHUNK as u64);
    assert_eq!(store.usage().await.unwrap(), Usage::default());
}

/// Gives some bytes, and then fails or never goes on.
struct Breaks {
    bytes: Vec<u8>,
    hangs: bool,
}

impl AsyncRead for Breaks {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let count = self.bytes.len().min(buffer.remaining());
        if count > 0 {
            buffer.put_slice(&self.bytes.drain(..count).collect::<Vec<_>>());
            return Poll::Ready(Ok(()));
        }
        if self.hangs { Poll::Pending } else { Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())) }
    }
}

#[tokio::test]
async fn a_reader_that_fails_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for length in [0, 10, CHUNK, CHUNK + 10] {
        let reader = Breaks { bytes: filled(length), hangs: false };
        let error = store.ingest(reader, u64::MAX).await.unwrap_err();
        assert!(matches!(error, Error::Source(source) if source.kind() == io::ErrorKind::ConnectionReset));
        assert_eq!(files(folder.path()), [""; 0], "{length}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_dropped_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let reader = Breaks { bytes: filled(CHUNK + 10), hangs: true };
    let mut ingest = Box::pin(store.ingest(reader, u64::MAX));
    // The paused clock moves only when everything waits: for the reader, that is.
    let waited = tokio::time::timeout(std::time::Duration::from_secs(1), &mut ingest).await;
    assert!(waited.is_err());
    assert_eq!(files(folder.path()).len(), 1);
    drop(ingest);
    assert_eq!(files(folder.path()), [""; 0]);
}

#[tokio::test]
async fn a_stream_replaces_what_is_damaged_and_keeps_what_is_good_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let digest = store.put("abc".into()).await.unwrap();
    for damaged in [None, Some("abd"), Some("")] {
        if let Some(text) = damaged {
            std::fs::write(crate::support::content(folder.path(), &digest), text).unwrap();
        }
        assert_eq!(store.ingest(b"abc".as_slice(), 3).await.unwrap(), (digest, 3));
        assert_eq!(store.get(&digest).await.unwrap(), "abc");
        assert_eq!(files(folder.path()).len(), 1);
    }
}
