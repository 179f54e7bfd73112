//! The process: environment, clocks, output.

use std::{io::Write, time::Instant};

use rquickjs::{Array, Ctx, Function, Object, Result};

use super::bytes::{self, Bytes};
use super::{folder, fs};

pub fn fill(group: &Object<'_>) -> Result<()> {
    // A reading of the monotonic clock has no value of its own: all are taken from
    // this one, and the sources subtract.
    #[expect(clippy::disallowed_methods, reason = "the clock that there is: this is the end of the line")]
    let origin = Instant::now();
    let now = Function::new(group.ctx().clone(), move || origin.elapsed().as_nanos() as f64)?;
    group.set("nanoseconds", now)?;
    super::functions!(group,
        "env" => env,
        "cwd" => folder::current,
        "chdir" => chdir,
        "pid" => || f64::from(pid()),
        "exit" => exit,
        "write" => write,
        "platform" => || if cfg!(target_os = "macos") { "darwin" } else { "linux" },
    )
}

#[cfg(not(target_family = "wasm"))]
fn pid() -> u32 {
    std::process::id()
}

/// An instance has no process: the number is that of Lambda's runtimes, where the
/// handler's process is one of the first.
#[cfg(target_family = "wasm")]
fn pid() -> u32 {
    8
}

fn chdir(ctx: Ctx<'_>, path: String) -> Result<()> {
    let changed = folder::change(&path);
    changed.map_err(|error| fs::throw(&ctx, &error, "chdir", Some(&folder::current()), Some(&path)))
}

fn exit(code: i32) {
    std::process::exit(code);
}

fn env<'js>(ctx: Ctx<'js>) -> Result<Array<'js>> {
    let pairs = Array::new(ctx)?;
    for (index, (name, value)) in std::env::vars().enumerate() {
        pairs.set(2 * index, name)?;
        pairs.set(2 * index + 1, value)?;
    }
    Ok(pairs)
}

/// Writes to standard output (1) or error (2). What cannot be written is lost, as is
/// Node's when nobody reads.
fn write(fd: i32, data: Bytes<'_>) {
    bytes::with(&data, |data| {
        let _ = match fd {
            2 => std::io::stderr().write_all(data),
            _ => std::io::stdout().write_all(data).and_then(|()| std::io::stdout().flush()),
        };
    });
}
