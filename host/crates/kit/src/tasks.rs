//! Tasks that someone owns: counted, and waited for at drain.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;

/// A set of tasks. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    running: AtomicUsize,
    idle: Notify,
}

struct Running(Arc<Shared>);

impl Drop for Running {
    fn drop(&mut self) {
        if self.0.running.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.idle.notify_waiters();
        }
    }
}

impl Tasks {
    /// An empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs the future on the current runtime, as one of the set.
    #[expect(clippy::disallowed_methods, reason = "the one place that spawns")]
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.shared.running.fetch_add(1, Ordering::SeqCst);
        let running = Running(self.shared.clone());
        tokio::spawn(async move {
            let _running = running;
            future.await;
        });
    }

    /// How many run.
    pub fn running(&self) -> usize {
        self.shared.running.load(Ordering::SeqCst)
    }

    /// Waits until none runs, at most this long; answers whether that came true.
    pub async fn drain(&self, grace: Duration) -> bool {
        let wait = async {
            loop {
                let idle = self.shared.idle.notified();
                tokio::pin!(idle);
                idle.as_mut().enable();
                if self.running() == 0 {
                    return;
                }
                idle.await;
            }
        };
        tokio::time::timeout(grace, wait).await.is_ok()
    }

    /// Makes a future that its owner cannot cancel: dropped before its end, it
    /// moves into a task of this set and runs on. Awaited to the end, it costs
    /// no task at all.
    pub fn detach_on_drop<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> DetachOnDrop<T> {
        DetachOnDrop { future: Some(Box::pin(future)), tasks: self.clone() }
    }
}

/// See [`Tasks::detach_on_drop`].
pub struct DetachOnDrop<T: Send + 'static> {
    future: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
    tasks: Tasks,
}

impl<T: Send + 'static> Future for DetachOnDrop<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let Some(future) = self.future.as_mut() else { return Poll::Pending };
        let ended = future.as_mut().poll(cx);
        if ended.is_ready() {
            self.future = None;
        }
        ended
    }
}

impl<T: Send + 'static> Drop for DetachOnDrop<T> {
    fn drop(&mut self) {
        // Outside a runtime (the process is ending) there is nowhere to run on.
        if let (Some(future), Ok(_)) = (self.future.take(), Handle::try_current()) {
            self.tasks.spawn(async move {
                future.await;
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn drains() {
        let tasks = Tasks::new();
        tasks.spawn(tokio::time::sleep(Duration::from_millis(5)));
        assert_eq!(tasks.running(), 1);
        assert!(tasks.drain(Duration::from_secs(10)).await);
        tasks.spawn(std::future::pending());
        assert!(!tasks.drain(Duration::from_millis(1)).await);
    }

    #[tokio::test]
    async fn a_dropped_future_runs_on() {
        let tasks = Tasks::new();
        let (send, receive) = tokio::sync::oneshot::channel();
        let mut future = tasks.detach_on_drop(async move {
            tokio::task::yield_now().await;
            let _ = send.send(7);
        });
        let polled = std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut future).poll(cx).is_pending())).await;
        assert!(polled);
        drop(future);
        assert_eq!(receive.await, Ok(7));
        assert!(tasks.drain(Duration::from_secs(10)).await);
    }
}
