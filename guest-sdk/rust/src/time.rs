//! Waiting in async handlers.

use std::time::Duration;

use crate::executor::{Source, Wait};

/// Waits for `duration` while other futures of the handler go on. In a handler
/// that is not async, [`std::thread::sleep`] does. Cancel-safe.
pub async fn sleep(duration: Duration) {
    Wait::new(Source::after(duration)).await;
}
