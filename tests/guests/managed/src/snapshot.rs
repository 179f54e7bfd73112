//! As the JavaScript runtime does it.
//!
//! JUSTIFICATION: the C library keeps handles and the environment where only these
//! functions reach.

/// Lets go of the handles that the C library keeps, and of its copy of the environment.
pub(crate) fn let_go() {
    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    unsafe extern "C" {
        fn reset_adapter_state();
    }
    unsafe extern "C" {
        fn __wasilibc_reset_preopens();
        fn __wasilibc_deinitialize_environ();
    }
    // SAFETY: no file is open and nothing points into the environment.
    unsafe {
        reset_adapter_state();
        __wasilibc_reset_preopens();
        __wasilibc_deinitialize_environ();
    }
}
