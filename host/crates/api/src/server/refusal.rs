//! Ends of connections that are not hyper's: an answer without a request, and a
//! close that loses no answer.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use lamina_kit::Tasks;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::Wire;

/// How long a client that still sends may take to see that it was answered.
const LINGER: Duration = Duration::from_secs(2);
/// What is read and thrown away meanwhile: more than any body that is allowed.
const DISCARD_BYTES_MAX: usize = 128 << 20;

/// Refuses connections, at no more cost than a bound. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Refusals {
    tasks: Tasks,
    permits: Arc<Semaphore>,
}

impl Refusals {
    /// Refusals that are tasks of this set, so many at a time with an answer.
    pub(super) fn new(tasks: Tasks, told_max: usize) -> Self {
        Self { tasks, permits: Arc::new(Semaphore::new(told_max)) }
    }

    /// Answers without reading a request, and closes.
    pub(super) fn refuse(&self, stream: TcpStream, status: StatusCode) {
        let Ok(permit) = self.permits.clone().try_acquire_owned() else { return };
        tracing::debug!(%status, "a connection was refused");
        self.tasks.spawn(async move {
            refuse(stream, status).await;
            drop(permit);
        });
    }
}

/// Writes an answer of this status and closes. Takes at most twice as long as a
/// client may linger.
pub(super) async fn refuse(mut stream: impl Wire, status: StatusCode) {
    let reason = status.canonical_reason().unwrap_or_default();
    let answer = format!("HTTP/1.1 {} {reason}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n", status.as_u16());
    if let Ok(Ok(())) = tokio::time::timeout(LINGER, stream.write_all(answer.as_bytes())).await {
        close(stream).await;
    }
}

/// Ends a connection so that the last answer arrives: closed with bytes unread,
/// as after a body that was refused, it would be reset and the answer lost.
pub(super) async fn close(mut stream: impl Wire) {
    let discard = async {
        if stream.shutdown().await.is_err() {
            return;
        }
        let (mut buffer, mut left) = (vec![0; 16 << 10], DISCARD_BYTES_MAX);
        while let Ok(read @ 1..) = stream.read(&mut buffer).await {
            left = left.saturating_sub(read);
            if left == 0 {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(LINGER, discard).await;
}
