//! What a snapshot cannot hold: handles of files and streams, and the environment.
//!
//! JUSTIFICATION: the C library and the adapter between it and the component keep them
//! where only these functions reach.

/// Lets go of the handles that the C library keeps, and of its copy of the environment.
/// The next use gets them anew.
#[cfg(target_family = "wasm")]
pub(crate) fn let_go() {
    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    unsafe extern "C" {
        fn reset_adapter_state();
    }
    unsafe extern "C" {
        fn __wasilibc_reset_preopens();
        fn __wasilibc_deinitialize_environ();
    }
    // SAFETY: no file is open and nothing points into the environment: both are used
    // within one call of Rust's standard library only.
    unsafe {
        reset_adapter_state();
        __wasilibc_reset_preopens();
        __wasilibc_deinitialize_environ();
    }
}

/// A program for this machine is not snapshotted.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn let_go() {}
