//! Runs a future to its end on this thread.
//!
//! Futures that wait for something outside leave it here with their waker: a
//! pollable in a guest, a point in time natively. While nothing else can go on,
//! one system call waits for all of them. There are no tasks: joining futures is
//! for combinators to do.

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(target_family = "wasm")]
mod wasi;

use std::cell::RefCell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

#[cfg(not(target_family = "wasm"))]
use native as platform;
#[cfg(target_family = "wasm")]
use wasi as platform;

pub(crate) use platform::Source;

thread_local! {
    static WAITING: RefCell<Vec<(Rc<Source>, Waker)>> = const { RefCell::new(Vec::new()) };
}

/// Runs `future` to its end; the thread sleeps while it waits.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let alarm = Arc::new(platform::Alarm::default());
    let waker = Waker::from(Arc::clone(&alarm));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        while !alarm.take() {
            wait();
        }
    }
}

/// Waits for one source. Cancel-safe: dropped, it waits no more.
pub(crate) struct Wait(Rc<Source>);

impl Wait {
    pub(crate) fn new(source: Source) -> Self {
        Self(Rc::new(source))
    }

    fn forget(&self) {
        WAITING.with_borrow_mut(|waiting| waiting.retain(|(source, _)| !Rc::ptr_eq(source, &self.0)));
    }
}

impl Future for Wait {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.forget();
        if self.0.is_ready() {
            return Poll::Ready(());
        }
        WAITING.with_borrow_mut(|waiting| waiting.push((Rc::clone(&self.0), cx.waker().clone())));
        Poll::Pending
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.forget();
    }
}

/// Sleeps until a source is ready, or natively another thread wakes this one, and
/// wakes those who waited.
fn wait() {
    let woken = WAITING.with_borrow_mut(|waiting| {
        let ready = platform::wait(waiting.iter().map(|(source, _)| &**source));
        let mut index = 0..;
        waiting.extract_if(.., |_| index.next().is_some_and(|index| ready.contains(&index))).collect::<Vec<_>>()
    });
    for (_, waker) in woken {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use futures_util::future::{join, select};

    use super::*;
    use crate::testing::stopwatch;
    use crate::time::sleep;

    #[test]
    fn a_ready_future_needs_no_waiting() {
        assert_eq!(block_on(async { 7 }), 7);
    }

    #[test]
    fn joined_sleeps_run_at_once() {
        let elapsed = stopwatch();
        block_on(join(sleep(Duration::from_millis(100)), sleep(Duration::from_millis(100))));
        let took = elapsed();
        assert!(took >= Duration::from_millis(100) && took < Duration::from_millis(190), "{took:?}");
    }

    #[test]
    fn a_dropped_sleep_holds_nobody_up() {
        let elapsed = stopwatch();
        block_on(select(pin!(sleep(Duration::from_millis(10))), pin!(sleep(Duration::from_secs(60)))));
        assert!(WAITING.with_borrow(Vec::is_empty));
        block_on(sleep(Duration::from_millis(10)));
        assert!(elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn another_thread_can_wake_a_native_handler() {
        let done = Arc::new(AtomicBool::new(false));
        block_on(poll_fn(|cx| {
            if done.swap(true, Ordering::Relaxed) {
                return Poll::Ready(());
            }
            let waker = cx.waker().clone();
            std::thread::spawn(move || waker.wake());
            Poll::Pending
        }));
    }
}
