//! Turns: a guest that computes gives its thread to others every so often.
//!
//! A guest stops at every [`FUEL`] that it burned, and after calls of the host, which
//! burn little and may take long: it wakes itself and is pending, as the engine does it.
//! [`taken`] goes on with it at once until its turn is over, and then yields as tokio
//! does, so that I/O and timers are seen as well: of a task that only wakes itself, tokio
//! looks at them once in 61 times.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use wasmtime::{CallHook, CallHookHandler, Store, StoreContextMut};

use crate::ctx::Ctx;

/// How long a guest that computes holds its thread before others get a turn.
const TURN: Duration = Duration::from_millis(2);
/// What a guest burns between two stops: 40 us of the fastest code, about 0.4 ms of an
/// interpreter, some 50 ms of code that waits for memory all the time.
const FUEL: u64 = 500_000;

/// Has the guest of a store stop every so often. It must be run by [`taken`].
pub(crate) fn take(store: &mut Store<Ctx>) -> wasmtime::Result<()> {
    store.fuel_async_yield_interval(Some(FUEL))?;
    store.call_hook_async(Stops);
    Ok(())
}

/// Runs what runs a guest, in turns.
pub(crate) async fn taken<F: Future>(run: F) -> F::Output {
    let mut run = pin!(run);
    let stopped = Arc::new(Stopped { state: AtomicU8::new(0), waker: Mutex::new(Waker::noop().clone()) });
    let waker = Waker::from(stopped.clone());
    poll_fn(move |cx| {
        let began = now();
        loop {
            stopped.polled(cx.waker());
            if let Poll::Ready(end) = run.as_mut().poll(&mut Context::from_waker(&waker)) {
                return Poll::Ready(end);
            }
            if !stopped.was_woken() {
                return Poll::Pending;
            }
            if began.elapsed() >= TURN {
                // It wakes this task when others had their turn.
                let _ = pin!(tokio::task::yield_now()).poll(cx);
                return Poll::Pending;
            }
        }
    })
    .await
}

/// The waker of what is run: it tells wakes while it is polled from those that come later.
struct Stopped {
    state: AtomicU8,
    /// That of the task.
    waker: Mutex<Waker>,
}

const POLLED: u8 = 1;
const WOKEN: u8 = 2;

impl Stopped {
    /// From now on a wake is not passed on, until [`Self::was_woken`].
    fn polled(&self, waker: &Waker) {
        self.waker.lock().unwrap_or_else(PoisonError::into_inner).clone_from(waker);
        self.state.store(POLLED, Ordering::SeqCst);
    }

    fn was_woken(&self) -> bool {
        self.state.swap(0, Ordering::SeqCst) & WOKEN != 0
    }
}

impl Wake for Stopped {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.fetch_or(WOKEN, Ordering::SeqCst) & POLLED == 0 {
            let waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner).clone();
            waker.wake();
        }
    }
}

/// When a guest stopped last for its calls of the host, or was made.
pub(crate) struct HostCalls {
    since: Instant,
}

impl HostCalls {
    pub(crate) fn new() -> Self {
        Self { since: now() }
    }

    /// One has ended; whether the guest is to stop.
    fn returns(&mut self) -> bool {
        let now = now();
        let is_over = now.duration_since(self.since) >= TURN;
        if is_over {
            self.since = now;
        }
        is_over
    }
}

#[expect(clippy::disallowed_methods, reason = "a turn is of the machine's time")]
fn now() -> Instant {
    Instant::now()
}

/// Stops a guest after calls of the host.
struct Stops;

impl CallHookHandler<Ctx> for Stops {
    // As `async_trait` has it, but without an allocation each time.
    fn handle_call_event<'a, 'b, 'c>(
        &'a self,
        mut store: StoreContextMut<'b, Ctx>,
        hook: CallHook,
    ) -> Pin<Box<dyn Future<Output = wasmtime::Result<()>> + Send + 'c>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        match hook {
            CallHook::ReturningFromHost if store.data_mut().calls.returns() => Box::pin(stop()),
            _ => Box::pin(GoOn),
        }
    }
}

/// A future of no size, which a `Box` keeps without an allocation.
struct GoOn;

impl Future for GoOn {
    type Output = wasmtime::Result<()>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(()))
    }
}

async fn stop() -> wasmtime::Result<()> {
    let mut is_stopped = false;
    poll_fn(|cx| {
        if is_stopped {
            return Poll::Ready(Ok(()));
        }
        is_stopped = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tasks of a test")]
mod tests {
    use super::*;

    #[test]
    fn what_stops_goes_on_within_its_turn() {
        // One poll of the task for four of the run; now and then the machine is slower.
        let goes_on = || {
            let run = taken(async {
                for _ in 0..3 {
                    stop().await?;
                }
                Ok::<_, wasmtime::Error>(7)
            });
            matches!(pin!(run).poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(7)))
        };
        assert!((0..100).any(|_| goes_on()));
    }

    #[tokio::test]
    async fn a_wake_that_comes_later_is_passed_on() {
        for wait in [0, 1, 10] {
            let (sender, receiver) = tokio::sync::oneshot::channel();
            // Within another, as a restore is within its call.
            let run = tokio::spawn(taken(taken(receiver)));
            let send = std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(wait));
                sender.send(wait)
            });
            assert_eq!(run.await.unwrap(), Ok(wait));
            send.join().unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn others_have_their_turn() {
        let endless = tokio::spawn(taken(async {
            loop {
                let _ = stop().await;
            }
        }));
        // For ever, if the other kept the thread.
        tokio::time::sleep(TURN).await;
        endless.abort();
        assert!(endless.await.unwrap_err().is_cancelled());
    }

    #[test]
    fn calls_of_the_host_that_take_long_stop_a_guest() {
        let mut calls = HostCalls::new();
        std::thread::sleep(TURN);
        assert!(calls.returns());
        // Now and then the machine is slower.
        assert!((0..100).any(|_| !calls.returns()));
    }
}
