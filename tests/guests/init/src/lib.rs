//! A function with an init, which does what the variable INIT says.

use std::cell::RefCell;
use std::fs::{self, File};
use std::hash::{BuildHasher as _, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

use lamina::{Context, Error, snapshot};
use serde_json::{Value, json};
use wasip2::clocks::monotonic_clock;
use wasip2::random::random::get_random_u64;

thread_local! {
    /// What the init saw, and what hooks did.
    static INIT: RefCell<Value> = const { RefCell::new(Value::Null) };
    static HOOKS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static FILES: RefCell<Vec<File>> = const { RefCell::new(Vec::new()) };
    static STREAM: RefCell<Option<wasip2::io::streams::OutputStream>> = const { RefCell::new(None) };
    static HELD: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static WAITS: RefCell<Option<wasip2::io::poll::Pollable>> = const { RefCell::new(None) };
}

fn tell(text: String) {
    HOOKS.with_borrow_mut(|hooks| hooks.push(text));
}

fn seen() -> Value {
    let epoch = SystemTime::now().duration_since(UNIX_EPOCH).map(|since| since.as_micros() as u64).unwrap_or_default();
    let variable = |name: &str| std::env::var(name).ok();
    json!({
        "epoch": epoch,
        "monotonic": monotonic_clock::now(),
        "random": get_random_u64(),
        "hashed": RandomState::new().hash_one(1),
        "own": variable("OWN"),
        "stream": variable("AWS_LAMBDA_LOG_STREAM_NAME"),
        "type": variable("AWS_LAMBDA_INITIALIZATION_TYPE"),
    })
}

/// Computes for about this many milliseconds.
fn compute(milliseconds: u64) {
    let start = monotonic_clock::now();
    while monotonic_clock::now() - start < milliseconds * 1_000_000 {
        std::hint::black_box(start);
    }
}

#[lamina::init]
fn init() -> Result<(), Error> {
    println!("init prints");
    let mode = std::env::var("INIT").unwrap_or_default();
    let (mode, argument) = mode.split_once(' ').unwrap_or((&mode, ""));
    let opened = |path: &str| File::create(path).map_err(|error| Error::new("File", error.to_string()));
    match mode {
        "fail" => return Err(Error::new("Init.No", "as told")),
        "panic" => panic!("as told"),
        "spin" => loop {
            std::hint::black_box(0);
        },
        "compute" => compute(argument.parse().unwrap_or_default()),
        // Closed again, but it stays in /tmp.
        "file" => fs::write("/tmp/of-init", "closed").map_err(|error| Error::new("File", error.to_string()))?,
        "open" => FILES.with_borrow_mut(|files| opened("/tmp/open").map(|file| files.push(file)))?,
        "stream" => STREAM.set(Some(wasip2::cli::stdout::get_stdout())),
        "wait" => WAITS.set(Some(monotonic_clock::subscribe_duration(u64::MAX))),
        // Mebibytes.
        "hold" => HELD.set(vec![0; argument.parse::<usize>().unwrap_or_default() << 20]),
        "before" => snapshot::register_before_snapshot(|| Err(Error::new("Hook.No", "as told"))),
        "close" => {
            FILES.with_borrow_mut(|files| opened("/tmp/open").map(|file| files.push(file)))?;
            snapshot::register_before_snapshot(|| {
                FILES.take();
                fs::remove_file("/tmp/open").map_err(|error| Error::new("File", error.to_string()))
            });
        }
        "after" => snapshot::register_after_restore(|| {
            // The trial has no call; the call fails.
            match std::env::var("AWS_LAMBDA_LOG_STREAM_NAME") {
                Ok(_) => Err(Error::new("Hook.No", "as told")),
                Err(_) => Ok(()),
            }
        }),
        "hooks" => {
            snapshot::register_before_snapshot(|| {
                tell("before".to_owned());
                Ok(())
            });
            snapshot::register_after_restore(|| {
                println!("hook prints");
                tell(format!("after {}", get_random_u64()));
                Ok(())
            });
        }
        _ => {}
    }
    INIT.set(seen());
    Ok(())
}

/// Writes through a link that leads nowhere yet, then to another file.
fn dangling() -> Value {
    let directories = wasip2::filesystem::preopens::get_directories();
    let Some((tmp, _)) = directories.iter().find(|(_, path)| path == "/tmp") else { return json!("no /tmp") };
    let linked = tmp.symlink_at("target", "link").is_ok();
    json!([
        linked,
        fs::write("/tmp/link", "through").is_ok(),
        fs::read("/tmp/target").is_ok(),
        fs::write("/tmp/more", "").is_ok()
    ])
}

#[lamina::handler]
fn handle(event: Value, _context: Context) -> Result<Value, Error> {
    println!("handler prints");
    let file = || -> std::io::Result<String> {
        fs::write("/tmp/of-call", "written")?;
        fs::read_to_string("/tmp/of-call")
    };
    let file = file().unwrap_or_else(|error| error.to_string());
    STREAM.with_borrow(|stream| stream.as_ref().map(|stream| stream.blocking_write_and_flush(b"kept\n")));
    if event["do"] == "dangling" {
        return Ok(dangling());
    }
    if event["do"] == "panic" {
        panic!("as told");
    }
    let (init, hooks) = (INIT.with_borrow(Clone::clone), HOOKS.with_borrow(Clone::clone));
    Ok(json!({ "init": init, "hooks": hooks, "call": seen(), "file": file }))
}
