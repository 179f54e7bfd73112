//! Finds out which of two C libraries the target has: they keep the handles of standard
//! streams in different places, which a snapshot must know (`guest::lifecycle`).

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

/// What the newer one gives the streams anew with.
const INIT: &[u8] = b"__wasilibc_init_stdio";

#[expect(clippy::disallowed_methods, reason = "cargo tells a build script its target by the environment")]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(lamina_stdio_in_libc)");
    if env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm") && library().is_some_and(|it| has(&it))
    {
        println!("cargo::rustc-cfg=lamina_stdio_in_libc");
    }
}

/// The C library that the compiler links.
fn library() -> Option<Vec<u8>> {
    let (compiler, target) = (env::var_os("RUSTC")?, env::var_os("TARGET")?);
    let said = Command::new(compiler).args(["--print", "target-libdir", "--target"]).arg(target).output().ok()?;
    let folder = String::from_utf8(said.stdout).ok()?;
    fs::read(PathBuf::from(folder.trim()).join("self-contained/libc.a")).ok()
}

fn has(library: &[u8]) -> bool {
    library.windows(INIT.len()).any(|window| window == INIT)
}
