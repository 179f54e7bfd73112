//! Streams of HTTP/2 as tasks, and the end of those whose client opens no window.
//!
//! What waits for a window waits inside hyper, which does not say so. But a body
//! that has given bytes is asked for more as soon as they are on their way: one
//! that is not asked waits for its client. The body notes both for the task that
//! polls it.

use std::cell::Cell;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::Executor;
use lamina_kit::Tasks;
use tokio::time::Instant;

use crate::deadline::Deadline;

thread_local! {
    /// Of the stream that this thread polls now.
    static ASKED: Cell<Asked> = const { Cell::new(Asked { times: 0, gave: false }) };
}

/// How a body was asked for its next bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Asked {
    times: u64,
    /// Whether it gave some the last time.
    gave: bool,
}

/// Called by a body when it was asked.
pub(super) fn asked(gave: bool) {
    ASKED.set(Asked { times: ASKED.get().times.wrapping_add(1), gave });
}

/// Runs streams as tasks of a set.
#[derive(Debug, Clone)]
pub(super) struct Streams {
    pub(super) tasks: Tasks,
    pub(super) stall_timeout: Duration,
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Streams {
    fn execute(&self, stream: F) {
        let timeout = self.stall_timeout;
        self.tasks.spawn(Watched {
            stream: Box::pin(stream),
            timeout,
            asked: Asked::default(),
            until: None,
            timer: Deadline::default(),
        });
    }
}

/// A stream that ends, and is reset by that, when its client takes nothing.
struct Watched<F> {
    stream: Pin<Box<F>>,
    timeout: Duration,
    asked: Asked,
    until: Option<Instant>,
    timer: Deadline,
}

impl<F: Future<Output = ()>> Future for Watched<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        ASKED.set(this.asked);
        if this.stream.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let asked = ASKED.get();
        if asked != this.asked {
            this.asked = asked;
            this.until = None;
        }
        if !asked.gave {
            return Poll::Pending;
        }
        let timeout = this.timeout;
        let until = *this.until.get_or_insert_with(|| Instant::now() + timeout);
        if this.timer.passed(cx, until) {
            tracing::debug!("a stream was reset whose client opens no window");
            return Poll::Ready(());
        }
        Poll::Pending
    }
}
