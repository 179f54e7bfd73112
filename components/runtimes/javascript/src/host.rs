//! What the host gives besides files: clocks, randomness, the log, the environment.

use std::cell::Cell;
use std::time::Duration;

use crate::bindings::lamina::function::managed_host;
use crate::bindings::wasi::cli::{environment, exit, stderr, stdout};
use crate::bindings::wasi::clocks::monotonic_clock;
use crate::bindings::wasi::random::random;

/// What `wasi:io` takes in one blocking write.
const WRITE_BYTES_MAX: usize = 4096;

pub(crate) fn monotonic_ms() -> f64 {
    monotonic_clock::now() as f64 / 1e6
}

thread_local! {
    static BEGAN: Cell<Option<f64>> = const { Cell::new(None) };
}

/// The instance begins now.
pub(crate) fn begin() {
    BEGAN.set(Some(monotonic_ms()));
}

/// When the instance began, by the monotonic clock.
pub(crate) fn began() -> f64 {
    BEGAN.get().unwrap_or_else(|| {
        begin();
        BEGAN.get().unwrap_or_default()
    })
}

pub(crate) fn sleep(duration: Duration) {
    let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    monotonic_clock::subscribe_duration(nanoseconds).block();
}

pub(crate) fn random_u64() -> u64 {
    random::get_random_u64()
}

/// One event of the log.
pub(crate) fn log(message: &str) {
    managed_host::log(message);
}

/// What `derive` made of the package, if it has.
pub(crate) fn bundle() -> Option<Vec<u8>> {
    managed_host::bundle()
}

/// The environment as it is now: C's own copy may be a snapshot's.
pub(crate) fn environment() -> Vec<(String, String)> {
    environment::get_environment()
}

/// Text as it is, to standard output or standard error. The stream is let go of at
/// once: a snapshot could not hold it.
pub(crate) fn write(error: bool, mut bytes: &[u8]) {
    let stream = if error { stderr::get_stderr() } else { stdout::get_stdout() };
    while !bytes.is_empty() {
        let (now, later) = bytes.split_at(bytes.len().min(WRITE_BYTES_MAX));
        // Nobody listens when it fails.
        if stream.blocking_write_and_flush(now).is_err() {
            return;
        }
        bytes = later;
    }
}

/// Ends the instance, well or not: the interface of today has no other codes.
pub(crate) fn exit(well: bool) {
    exit::exit(if well { Ok(()) } else { Err(()) });
}
