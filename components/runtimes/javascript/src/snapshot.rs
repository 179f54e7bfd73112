//! Making ready for a snapshot: handles of files and streams and the environment, which
//! it cannot hold, are let go of, and the heap is sealed.
//!
//! JUSTIFICATION: the C library and the adapter between it and the component keep them
//! where only these functions reach; and only the allocator itself fills its holes.

use std::alloc::{Layout, alloc, dealloc};
use std::hint::black_box;

use rquickjs::Ctx;

use crate::engine::raw;

/// What an instance has of its own before it needs more: most calls need less, and
/// growing the memory is slow.
const ROOM_BYTES: usize = 4 << 20;
/// Holes as large as this and larger are not filled: allocations of that size are rare.
const HOLE_BYTES_MAX: usize = 64 << 10;
/// Most holes of one size.
const HOLES_MAX: usize = 1 << 16;

/// Room for what instances allocate, taken before anything else is: it lies before the
/// rest of the heap. The kernel tells a host of a few dozen dirty places only, from
/// the lowest on, and what lies after them costs a page fault each time.
pub(crate) struct Room(Vec<u8>);

impl Room {
    pub(crate) fn take() -> Self {
        Self(black_box(Vec::with_capacity(ROOM_BYTES)))
    }

    /// Seals the heap, and gives the room to what is allocated from now on, so that this
    /// lies together: an instance pays for each page that it touches.
    pub(crate) fn open(self, ctx: &Ctx<'_>) {
        seal(ctx);
        let Some(end) = allocated(2 * HOLE_BYTES_MAX) else { return };
        let mut size = HOLE_BYTES_MAX;
        while size >= 8 {
            for _ in 0..HOLES_MAX {
                match allocated(size) {
                    // It is in a hole, and stays there.
                    Some(at) if at < end => keep(size),
                    _ => break,
                }
            }
            size = if size > 256 { size / 2 } else { size - 8 };
        }
        drop(self.0);
    }
}

/// Leaves the engine's values and blocks of today alone.
pub(crate) fn seal(ctx: &Ctx<'_>) {
    ctx.run_gc();
    raw::seal(ctx);
}

/// Where a block of this size would be.
fn allocated(size: usize) -> Option<usize> {
    let layout = Layout::from_size_align(size, 8).ok()?;
    // SAFETY: the size is not zero, and the block is given back as it was asked for.
    unsafe {
        let block = black_box(alloc(layout));
        (!block.is_null()).then(|| {
            dealloc(block, layout);
            block.addr()
        })
    }
}

/// Takes a block of this size, for ever.
fn keep(size: usize) {
    black_box(Vec::<u64>::with_capacity(size / 8).leak());
}

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
