//! From a trap to what the caller reads (reference section 5.2).

use std::time::Duration;

use lamina_types::outcome::error_type;
use lamina_types::{FunctionError, RequestId, Status};
use wasmtime::{Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use crate::ctx::Ctx;

/// The longest trap text and frame that a caller reads, in characters.
const TEXT_CHARS_MAX: usize = 1_000;

fn error(request_id: &RequestId, kind: &str, text: &str) -> FunctionError {
    let message = format!("RequestId: {request_id} Error: {text}");
    FunctionError::new(kind, message)
}

/// The call ran into its timeout.
pub(crate) fn timed_out(request_id: &RequestId, timeout: Duration) -> (FunctionError, Status) {
    let text = format!("Task timed out after {:.2} seconds", timeout.as_secs_f64());
    (error(request_id, error_type::TIMED_OUT, &text), Status::Timeout)
}

/// The instance trapped, exited, or could not be made.
pub(crate) fn crashed(
    request_id: &RequestId,
    ctx: &Ctx,
    fuel: u64,
    cause: &wasmtime::Error,
) -> (FunctionError, Status) {
    let mut failure = describe(request_id, ctx, fuel, cause);
    // Who exits has no fault to look for.
    if cause.downcast_ref::<I32Exit>().is_none() {
        failure.stack = backtrace(cause);
    }
    (failure, Status::Crash)
}

/// Whether the instance used a handle that there is none of, or that is another thing by
/// now: the engine has no type for it.
pub(crate) fn is_lost_handle(cause: &wasmtime::Error) -> bool {
    let text = cause.root_cause().to_string();
    text.starts_with("unknown handle index ") || text.starts_with("handle index ")
}

fn describe(request_id: &RequestId, ctx: &Ctx, fuel: u64, cause: &wasmtime::Error) -> FunctionError {
    let trap = cause.downcast_ref::<Trap>();
    if trap == Some(&Trap::OutOfFuel) {
        let text = format!("fuel budget of {fuel} exhausted");
        return error(request_id, error_type::OUT_OF_FUEL, &text);
    }
    let panic = ctx.panic.as_ref();
    // A failed allocation shows as a trap, or as a panic that names it.
    let allocation = panic.is_none_or(|panic| panic.message.starts_with("memory allocation of "));
    if let Some(limit) = ctx.limiter.refused_at.filter(|_| allocation && trap != Some(&Trap::StackOverflow)) {
        let text = format!("memory limit of {} MB reached", limit >> 20);
        return error(request_id, error_type::OUT_OF_MEMORY, &text);
    }
    if let Some(panic) = panic {
        let place = panic.location.as_deref().unwrap_or("an unknown place");
        return error(request_id, error_type::PANIC, &format!("panicked at {place}: {}", panic.message));
    }
    if let Some(exit) = cause.downcast_ref::<I32Exit>() {
        let text = match exit.0 {
            0 => "Runtime exited without providing a reason".to_owned(),
            status => format!("Runtime exited with error: exit status {status}"),
        };
        return error(request_id, error_type::EXIT, &text);
    }
    let text = match trap {
        Some(trap) => trap.to_string(),
        None => cause.root_cause().to_string().chars().take(TEXT_CHARS_MAX).collect(),
    };
    error(request_id, error_type::EXIT, &text)
}

/// The wasm frames, innermost first, as far as the component kept its names.
fn backtrace(cause: &wasmtime::Error) -> Vec<String> {
    let Some(backtrace) = cause.downcast_ref::<WasmBacktrace>() else { return Vec::new() };
    let line = |frame: &wasmtime::FrameInfo| {
        let module = frame.module().name().unwrap_or("<module>");
        let offset = frame.module_offset().unwrap_or_default();
        let name = match frame.func_name() {
            Some(name) => demangle(name),
            None => format!("<function {}>", frame.func_index()),
        };
        let name: String = name.chars().take(TEXT_CHARS_MAX).collect();
        format!("at {name} ({module}+{offset:#x})")
    };
    backtrace.frames().iter().map(line).collect()
}

/// Rust's mangled names made readable; other names as they are.
fn demangle(name: &str) -> String {
    rustc_demangle::try_demangle(name).map(|name| format!("{name:#}")).unwrap_or_else(|_| name.to_owned())
}
