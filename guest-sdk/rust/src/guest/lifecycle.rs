//! What the exports of an init call.

use super::report_panic;
use crate::bindings::imports::lamina::function::types::FunctionError;
use crate::{Init, snapshot};

/// Runs the init.
///
/// # Errors
/// What it returned.
pub fn init<K>(init: impl Init<K>) -> Result<(), FunctionError> {
    std::panic::set_hook(Box::new(report_panic));
    init.call().map_err(Into::into)
}

/// Runs the hooks before a snapshot, and lets go of the handles of files and streams
/// that the C library keeps, and of its copy of the environment.
///
/// # Errors
/// What the first hook that failed returned.
pub fn before_snapshot() -> Result<(), FunctionError> {
    snapshot::before()?;
    let_go();
    Ok(())
}

/// Runs the hooks after a restore.
///
/// # Errors
/// What the first hook that failed returned.
pub fn after_restore() -> Result<(), FunctionError> {
    Ok(snapshot::after()?)
}

/// The next use of a file, a stream or the environment gets them anew.
#[expect(unsafe_code, reason = "JUSTIFICATION: C's library keeps them where only these functions reach")]
fn let_go() {
    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    unsafe extern "C" {
        fn reset_adapter_state();
    }
    unsafe extern "C" {
        fn __wasilibc_reset_preopens();
        fn __wasilibc_deinitialize_environ();
    }
    // SAFETY: they take nothing. A file that is open does not outlive them, and the host
    // makes no snapshot of an instance that has one; nothing of ours points into the
    // environment, which Rust's library copies.
    unsafe {
        let_go_of_streams();
        reset_adapter_state();
        __wasilibc_reset_preopens();
        __wasilibc_deinitialize_environ();
    }
}

/// Closes the standard streams, where the C library itself keeps their handles, and has
/// it make them anew: closed in this order they get their numbers again.
///
/// # Safety
/// Nobody else uses the descriptors meanwhile: there are no threads.
#[cfg(lamina_stdio_in_libc)]
#[expect(unsafe_code, reason = "JUSTIFICATION: only these functions reach them")]
unsafe fn let_go_of_streams() {
    unsafe extern "C" {
        fn close(descriptor: i32) -> i32;
        fn __wasilibc_init_stdio() -> i32;
    }
    // SAFETY: they take a number and nothing. Where nothing was open yet, it stays so.
    unsafe {
        let closed = [2, 1, 0].map(|descriptor| close(descriptor) == 0);
        if closed == [true; 3] {
            __wasilibc_init_stdio();
        }
    }
}

/// The adapter keeps them.
#[cfg(not(lamina_stdio_in_libc))]
#[expect(unsafe_code, reason = "JUSTIFICATION: as the other one")]
unsafe fn let_go_of_streams() {}
