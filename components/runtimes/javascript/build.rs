//! The stack of the component, and what its bundles are tied to.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::Path;

/// Bytes of the stack in linear memory. The engine throws a RangeError at
/// `engine::STACK_BYTES_MAX`, which leaves the rest to its own C frames.
const STACK_BYTES: u32 = 8 << 20;

#[expect(clippy::disallowed_methods, reason = "cargo tells a build script its target by the environment")]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=rquickjs-sys.diff");
    println!("cargo::rerun-if-changed=Cargo.lock");
    if std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm") {
        println!("cargo::rustc-link-arg-cdylib=-zstack-size={STACK_BYTES}");
    }
    println!("cargo::rustc-env=BUNDLE_ENGINE={:016x}", engine());
}

/// Changes whenever the engine or its patch does: bytecode of one is not another's.
fn engine() -> u64 {
    let mut hasher = DefaultHasher::new();
    for name in ["rquickjs-sys.diff", "Cargo.lock"] {
        std::fs::read(Path::new(name)).unwrap_or_default().hash(&mut hasher);
    }
    hasher.finish()
}
