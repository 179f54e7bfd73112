//! Using up time, fuel, memory and stack.

use std::hint::black_box;

use serde_json::{Value, json};

#[inline(never)]
pub fn trap() -> ! {
    a_readable_name(black_box(1))
}

#[inline(never)]
fn a_readable_name(depth: u32) -> ! {
    if black_box(depth) > 0 { innermost() } else { trap() }
}

#[inline(never)]
fn innermost() -> ! {
    core::arch::wasm32::unreachable()
}

pub fn spin() -> ! {
    loop {
        black_box(burn(1_000));
    }
}

/// Spins where little fuel is burned and much time goes: in calls of the host.
pub fn draw() -> ! {
    loop {
        black_box(wasip2::random::random::get_random_bytes(256 << 10));
    }
}

/// Spins in instructions that take long each.
pub fn wipe() -> ! {
    let mut held = vec![0_u8; 16 << 20];
    loop {
        black_box(&mut held).fill(1);
    }
}

#[inline(never)]
pub fn burn(rounds: u64) -> u64 {
    (0..rounds).fold(0, |sum: u64, round| black_box(sum.wrapping_mul(31).wrapping_add(round)))
}

pub fn fill() -> ! {
    let mut held = Vec::new();
    loop {
        held.push(vec![1_u8; 1 << 20]);
    }
}

/// Pages that an overreaching guest asks for: more than any 32-bit memory has.
const OVERREACH_PAGES: usize = 65_536;

pub fn grow(step_pages: usize, overreach: bool) -> Value {
    let mut overreached = 0;
    while core::arch::wasm32::memory_grow::<0>(step_pages) != usize::MAX {
        if overreach {
            overreached += usize::from(core::arch::wasm32::memory_grow::<0>(OVERREACH_PAGES) != usize::MAX);
        }
    }
    json!({ "pages": core::arch::wasm32::memory_size::<0>(), "overreached": overreached })
}

#[inline(never)]
#[expect(unconditional_recursion, reason = "it is what is asked for")]
pub fn overflow(depth: u64) -> u64 {
    let frame = black_box([depth; 16]);
    black_box(overflow(frame[0] + 1)) + frame[15]
}
