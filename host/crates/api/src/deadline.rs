//! A wait with an end, for futures that are polled by hand and whose end moves: a
//! timer that is late costs one more look, and moving it costs nothing.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::{Instant, Sleep, sleep_until};

/// A timer that is made when it is first waited for. It may wake its task early.
#[derive(Debug, Default)]
pub(crate) struct Deadline {
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    /// Whether `at` has passed; when not, the task is woken when it does.
    pub(crate) fn passed(&mut self, cx: &mut Context<'_>, at: Instant) -> bool {
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(at)));
        // One that fires earlier is left alone: most waits end before their end.
        if sleep.deadline() > at {
            sleep.as_mut().reset(at);
        }
        while let Poll::Ready(()) = sleep.as_mut().poll(cx) {
            if Instant::now() >= at {
                return true;
            }
            sleep.as_mut().reset(at);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn an_end_may_move_both_ways() {
        let mut deadline = Deadline::default();
        let start = Instant::now();
        let (soon, later) = (start + Duration::from_millis(50), start + Duration::from_secs(3_600));
        assert!(!poll_fn(|cx| Poll::Ready(deadline.passed(cx, later))).await);
        let wait = async |deadline: &mut Deadline, at| {
            poll_fn(|cx| if deadline.passed(cx, at) { Poll::Ready(()) } else { Poll::Pending }).await;
        };
        wait(&mut deadline, soon).await;
        assert!(Instant::now() >= soon);
        // Its timer has fired already, and must not be taken for this one.
        assert!(!poll_fn(|cx| Poll::Ready(deadline.passed(cx, later))).await);
        wait(&mut deadline, soon).await;
    }
}
