//! What the callers of a group's transactions wait for: that it is on the disk.
//!
//! Waking each of them from a thread that is not their runtime's costs more than the
//! transaction did. So one is woken, and wakes the others.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::error::Error;

/// Callers that are all woken at once.
const FEW: usize = 2;

/// The end of a group.
#[derive(Default)]
pub(crate) struct Ending(Mutex<End>);

#[derive(Default)]
struct End {
    result: Option<Result<(), Error>>,
    /// Callers that wait, or have not been woken yet.
    wakers: Vec<Waker>,
}

impl Ending {
    fn lock(&self) -> MutexGuard<'_, End> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says how the group ended; the first word counts. Whether some callers are left
    /// for the one that was woken: [`Ending::wake`] must follow before long, for that
    /// one may be slow.
    fn end(&self, result: Result<(), Error>) -> bool {
        let mut end = self.lock();
        end.result.get_or_insert(result);
        let left = if end.wakers.len() > FEW { end.wakers.len() - 1 } else { 0 };
        let woken = end.wakers.split_off(left);
        drop(end);
        woken.into_iter().for_each(Waker::wake);
        left > 0
    }

    /// Wakes all that are left.
    pub(crate) fn wake(&self) {
        let wakers = std::mem::take(&mut self.lock().wakers);
        wakers.into_iter().for_each(Waker::wake);
    }
}

/// An ending that somebody must say: dropped, it says that none came.
#[derive(Default)]
pub(crate) struct Owed(Arc<Ending>);

impl Owed {
    /// For one who waits.
    pub(crate) fn answer(&self) -> Answer {
        Answer(self.0.clone())
    }

    /// Says it. The ending, when callers are left to be woken.
    pub(crate) fn end(self, result: Result<(), Error>) -> Option<Arc<Ending>> {
        self.0.end(result).then(|| self.0.clone())
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        if self.0.lock().result.is_none() {
            self.0.end(Err(Error::Closed));
            self.0.wake();
        }
    }
}

/// Waits for the end of a group.
pub(crate) struct Answer(Arc<Ending>);

impl Future for Answer {
    type Output = Result<(), Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut end = self.0.lock();
        let Some(result) = end.result.clone() else {
            if !end.wakers.iter().any(|known| known.will_wake(context.waker())) {
                end.wakers.push(context.waker().clone());
            }
            return Poll::Pending;
        };
        let wakers = std::mem::take(&mut end.wakers);
        drop(end);
        wakers.into_iter().for_each(Waker::wake);
        Poll::Ready(result)
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        // It may be the one that was to wake the others.
        let mut end = self.0.lock();
        if end.result.is_some() {
            let wakers = std::mem::take(&mut end.wakers);
            drop(end);
            wakers.into_iter().for_each(Waker::wake);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    type Caller = (Answer, Arc<Count>);

    fn poll((answer, count): &mut Caller) -> Poll<Result<(), Error>> {
        Pin::new(answer).poll(&mut Context::from_waker(&count.clone().into()))
    }

    fn many() -> (Arc<Ending>, Vec<Caller>) {
        let ending = Arc::default();
        let make = |_| {
            let mut caller = (Answer(Arc::clone(&ending)), Arc::default());
            assert!(poll(&mut caller).is_pending() && poll(&mut caller).is_pending());
            caller
        };
        let all = (0..8).map(make).collect();
        (ending, all)
    }

    fn is_woken((_, count): &Caller) -> bool {
        count.0.load(Ordering::Relaxed) == 1
    }

    #[test]
    fn the_one_that_is_woken_wakes_the_others() {
        let (ending, mut all) = many();
        assert!(ending.end(Ok(())));
        assert_eq!(all.iter().filter(|caller| is_woken(caller)).count(), 1);
        let first = all.iter_mut().find(|caller| is_woken(caller)).unwrap();
        assert!(matches!(poll(first), Poll::Ready(Ok(()))));
        assert!(all.iter().all(is_woken));
        assert!(all.iter_mut().all(|caller| matches!(poll(caller), Poll::Ready(Ok(())))));
    }

    #[test]
    fn and_so_it_does_when_it_is_dropped_and_so_does_the_thread() {
        let (ending, mut all) = many();
        assert!(ending.end(Err(Error::Closed)));
        let first = all.iter().position(is_woken).unwrap();
        drop(all.remove(first));
        assert!(all.iter().all(is_woken));
        let (ending, all) = many();
        assert!(ending.end(Ok(())));
        ending.wake();
        assert!(all.iter().all(is_woken));
    }
}
