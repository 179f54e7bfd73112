//! A connection's stream with its deadlines: for a request's head, for the time
//! between requests, and for a client that does not take its answer.
//!
//! Time is looked at only when nothing can be read or written. A body's pace is
//! not watched here but where it is read: only there is it known whether anybody
//! waits for it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::gauge::Gauge;
use super::talk::Talk;
use crate::deadline::Deadline;
use crate::limits::Limits;

/// What a client must take within the stall timeout for it to begin anew.
const PROGRESS_BYTES_MIN: usize = 4 << 10;

/// See the module. A deadline that passes is an error of the kind `TimedOut`.
#[derive(Debug)]
pub(super) struct Paced<S> {
    /// Read already; read first.
    first: Bytes,
    stream: S,
    limits: Limits,
    gauge: Arc<Gauge>,
    reading: Reading,
    writing: Writing,
}

#[derive(Debug)]
struct Reading {
    timer: Deadline,
    /// When the head must be there that is under way, or else when to look next
    /// whether there is a request.
    until: Option<Instant>,
    /// Whether a head may have begun.
    inside: bool,
    /// Requests that had begun at the last read that found nothing.
    begun: u64,
    /// Whether there has been no request since the last look.
    quiet: bool,
    /// Whether a head did not come to its end in time.
    late: bool,
    /// What an HTTP/2 client says beside its requests; `None` where it is another's,
    /// or not known yet.
    talk: Option<Talk>,
}

#[derive(Debug, Default)]
struct Writing {
    timer: Deadline,
    until: Option<Instant>,
    /// Written since the wait began.
    bytes: usize,
}

impl<S> Paced<S> {
    pub(super) fn new(stream: S, limits: Limits, gauge: Arc<Gauge>) -> Self {
        let timer = Deadline::default();
        let reading = Reading { timer, until: None, inside: false, begun: 0, quiet: true, late: false, talk: None };
        Self { first: Bytes::new(), stream, limits, gauge, reading, writing: Writing::default() }
    }

    /// Has these bytes read again, before any others.
    pub(super) fn put_back(&mut self, bytes: Bytes) {
        self.first = bytes;
    }

    /// It is an HTTP/2 connection, which looks itself when it is idle. What its client
    /// says beside requests is bounded from here on.
    pub(super) fn is_http2(&mut self) {
        self.reading.talk = Some(Talk::new());
        self.reading.inside = false;
    }

    /// The stream, and whether a request's head was begun and not ended in time.
    pub(super) fn into_parts(self) -> (S, bool) {
        (self.stream, self.reading.late)
    }

    /// Nothing can be read: whether that has gone on for too long.
    fn waits_to_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { limits, gauge, reading, .. } = self;
        if reading.talk.is_some() {
            return Poll::Pending;
        }
        let begun = gauge.begun();
        if begun != reading.begun {
            (reading.begun, reading.quiet) = (begun, false);
            // What was read was a head to its end, and perhaps more.
            if std::mem::take(&mut reading.inside) {
                reading.until = None;
            }
        }
        let timeout = if reading.inside { limits.head_timeout } else { limits.idle_timeout };
        // hyper does not read again when a request ends, so that the time cannot
        // be taken from there: two looks must find nothing.
        loop {
            let until = *reading.until.get_or_insert_with(|| Instant::now() + timeout);
            if !reading.timer.passed(cx, until) {
                return Poll::Pending;
            }
            if reading.inside {
                reading.late = true;
                return Poll::Ready(Err(too_late("no whole request came")));
            }
            let is_idle = gauge.is_idle();
            if is_idle && reading.quiet {
                return Poll::Ready(Err(too_late("no request came")));
            }
            (reading.quiet, reading.until) = (is_idle, None);
        }
    }

    fn has_read(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Self { gauge, reading, .. } = self;
        if let Some(talk) = &mut reading.talk {
            if talk.has_read(bytes) {
                return Ok(());
            }
            return Err(io::Error::other("the client says much and asks nothing"));
        }
        if !reading.inside && gauge.is_idle() {
            reading.inside = true;
            reading.until = None;
        }
        Ok(())
    }

    /// Nothing can be written: whether that has gone on for too long.
    fn waits_to_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let Self { limits, writing, .. } = self;
        if writing.until.is_none() || writing.bytes >= PROGRESS_BYTES_MIN {
            writing.until = Some(Instant::now() + limits.stall_timeout);
            writing.bytes = 0;
        }
        match writing.until {
            Some(until) if writing.timer.passed(cx, until) => Poll::Ready(too_late("the answer was not taken")),
            _ => Poll::Pending,
        }
    }

    fn written(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) => {
                if let Some(talk) = &mut self.reading.talk {
                    talk.has_written(bytes);
                }
                // Most writes never waited.
                if self.writing.until.is_some() {
                    self.writing.bytes = self.writing.bytes.saturating_add(bytes);
                }
                written
            }
            Poll::Ready(Err(_)) => written,
            Poll::Pending => self.waits_to_write(cx).map(Err),
        }
    }

    fn flushed(&mut self, cx: &mut Context<'_>, flushed: Poll<io::Result<()>>) -> Poll<io::Result<()>> {
        match flushed {
            // Nothing waits to be written any more.
            Poll::Ready(_) => {
                self.writing.until = None;
                flushed
            }
            Poll::Pending => self.waits_to_write(cx).map(Err),
        }
    }
}

fn too_late(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("{what} in time"))
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.first.is_empty() {
            let length = self.first.len().min(buf.remaining());
            let first = self.first.split_to(length);
            buf.put_slice(&first);
            return Poll::Ready(self.has_read(&first));
        }
        let before = buf.filled().len();
        match Pin::new(&mut self.stream).poll_read(cx, buf) {
            Poll::Pending => self.waits_to_read(cx),
            Poll::Ready(Ok(())) => Poll::Ready(self.has_read(buf.filled().get(before..).unwrap_or_default())),
            failed @ Poll::Ready(Err(_)) => failed,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.written(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.flushed(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.flushed(cx, shut)
    }
}
