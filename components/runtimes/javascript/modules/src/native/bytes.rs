//! Bytes of JavaScript, read and written from Rust. The sources always hand in a
//! `Uint8Array`.

use rquickjs::{Ctx, Exception, Result, TypedArray};

pub type Bytes<'js> = TypedArray<'js, u8>;

/// Lets `read` see the bytes.
pub fn with<R>(bytes: &Bytes<'_>, read: impl FnOnce(&[u8]) -> R) -> R {
    // JUSTIFICATION: the bytes are the engine's own; a copy of each would cost more
    // than most of what is done with them.
    // SAFETY: `read` gets no context of the engine, so that no JavaScript runs and
    // nothing moves or frees the bytes while the slice lives. None: detached, empty.
    read(unsafe { bytes.as_bytes() }.unwrap_or_default())
}

/// Copies `source` to where `target` begins; as much as it holds.
pub fn fill(target: &Bytes<'_>, source: &[u8]) -> usize {
    let Some(raw) = target.as_raw() else { return 0 };
    let length = raw.len().min(source.len());
    // JUSTIFICATION: the engine gives bytes out for reading only.
    // SAFETY: `raw` is the array's own memory, valid until JavaScript runs, which it
    // does not here; `source` is Rust's and does not overlap it.
    unsafe { std::ptr::copy_nonoverlapping(source.as_ptr(), raw.as_ptr().cast::<u8>(), length) };
    length
}

/// A new `Uint8Array`.
pub fn new<'js>(ctx: &Ctx<'js>, bytes: Vec<u8>) -> Result<Bytes<'js>> {
    if bytes.len() > i32::MAX as usize {
        return Err(Exception::throw_range(ctx, "more bytes than an array holds"));
    }
    TypedArray::new(ctx.clone(), bytes)
}
