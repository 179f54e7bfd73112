//! What the callers of a group's transactions wait for: that it is on the disk.
//!
//! Waking each of them from a thread that is not their runtime's costs more than the
//! transaction did. So one is woken, and wakes the others.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::error::Error;

/// Callers that are all woken at once.
const FEW: usize = 2;

/// The end of a group.
#[derive(Default)]
pub(crate) struct Ending {
    result: OnceLock<Result<(), Error>>,
    /// Whether there are callers to be woken by the first who looks.
    owes: AtomicBool,
    /// They; and before the end those who have moved to another task.
    wakers: Mutex<Vec<Waker>>,
}

impl Ending {
    fn lock(&self) -> MutexGuard<'_, Vec<Waker>> {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says how the group ended; the first word counts. Whether some callers are left
    /// for the one that was woken: [`Ending::wake`] must follow before long, for that
    /// one may be slow.
    fn end(&self, mut callers: Vec<Waker>, result: Result<(), Error>) -> bool {
        let mut wakers = self.lock();
        callers.append(&mut wakers);
        let left = if callers.len() > FEW { callers.len() - 1 } else { 0 };
        let woken = callers.split_off(left);
        *wakers = callers;
        self.owes.store(left > 0, Ordering::Relaxed);
        // Whoever sees it sees what is owed.
        let _ = self.result.set(result);
        drop(wakers);
        woken.into_iter().for_each(Waker::wake);
        left > 0
    }

    /// Wakes all that are left.
    pub(crate) fn wake(&self) {
        if self.owes.swap(false, Ordering::Relaxed) {
            let wakers = std::mem::take(&mut *self.lock());
            wakers.into_iter().for_each(Waker::wake);
        }
    }
}

/// An ending that somebody must say: dropped, it says that none came.
#[derive(Default)]
pub(crate) struct Owed {
    ending: Arc<Ending>,
    wakers: Vec<Waker>,
}

impl Owed {
    /// For one who waits, and is to be woken this way.
    pub(crate) fn answer(&mut self, waker: &Waker) -> Answer {
        self.wakers.push(waker.clone());
        Answer { ending: self.ending.clone(), is_new: true }
    }

    /// Has room for so many without growing.
    pub(crate) fn reserve(&mut self, count: usize) {
        self.wakers.reserve(count);
    }

    /// Says it. The ending, when callers are left to be woken.
    pub(crate) fn end(mut self, result: Result<(), Error>) -> Option<Arc<Ending>> {
        let wakers = std::mem::take(&mut self.wakers);
        self.ending.end(wakers, result).then(|| self.ending.clone())
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        if self.ending.result.get().is_none() {
            self.ending.end(std::mem::take(&mut self.wakers), Err(Error::Closed));
            self.ending.wake();
        }
    }
}

/// Waits for the end of a group. To be polled first by the task whose waker it was
/// made with.
pub(crate) struct Answer {
    ending: Arc<Ending>,
    is_new: bool,
}

impl Future for Answer {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let is_new = std::mem::replace(&mut self.is_new, false);
        if self.ending.result.get().is_none() && !is_new {
            // Woken by something else, or another task by now.
            let mut wakers = self.ending.lock();
            if self.ending.result.get().is_none() && !wakers.iter().any(|known| known.will_wake(context.waker())) {
                wakers.push(context.waker().clone());
            }
        }
        match self.ending.result.get() {
            Some(result) => {
                self.ending.wake();
                Poll::Ready(result.clone())
            }
            None => Poll::Pending,
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        // It may be the one that was to wake the others.
        if self.ending.result.get().is_some() {
            self.ending.wake();
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

    fn many() -> (Owed, Vec<Caller>) {
        let mut owed = Owed::default();
        let all = (0..8).map(|_| {
            let count: Arc<Count> = Arc::default();
            let mut caller = (owed.answer(&count.clone().into()), count);
            assert!(poll(&mut caller).is_pending() && poll(&mut caller).is_pending());
            caller
        });
        let all = all.collect();
        (owed, all)
    }

    fn is_woken((_, count): &Caller) -> bool {
        count.0.load(Ordering::Relaxed) > 0
    }

    #[test]
    fn the_one_that_is_woken_wakes_the_others() {
        let (owed, mut all) = many();
        assert!(owed.end(Ok(())).is_some());
        assert_eq!(all.iter().filter(|caller| is_woken(caller)).count(), 1);
        let first = all.iter_mut().find(|caller| is_woken(caller)).unwrap();
        assert!(matches!(poll(first), Poll::Ready(Ok(()))));
        assert!(all.iter().all(is_woken));
        assert!(all.iter_mut().all(|caller| matches!(poll(caller), Poll::Ready(Ok(())))));
    }

    #[test]
    fn and_so_it_does_when_it_is_dropped_and_so_does_the_thread() {
        let (owed, mut all) = many();
        assert!(owed.end(Err(Error::Closed)).is_some());
        let first = all.iter().position(is_woken).unwrap();
        drop(all.remove(first));
        assert!(all.iter().all(is_woken));
        let (owed, all) = many();
        owed.end(Ok(())).unwrap().wake();
        assert!(all.iter().all(is_woken));
        let (owed, mut all) = many();
        drop(owed);
        assert!(all.iter().all(is_woken));
        assert!(all.iter_mut().all(|caller| matches!(poll(caller), Poll::Ready(Err(Error::Closed)))));
    }

    #[test]
    fn who_has_moved_to_another_task_is_woken_there() {
        let (owed, mut all) = many();
        let there: Arc<Count> = Arc::default();
        all[3].1 = there.clone();
        assert!(poll(&mut all[3]).is_pending());
        owed.end(Ok(())).unwrap().wake();
        assert_eq!(there.0.load(Ordering::Relaxed), 1);
    }
}
