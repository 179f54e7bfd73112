//! What `tests/guests-managed/conformance/table.json` asks of a handler, in Rust; the
//! folders beside that table do the same in Python and JavaScript.

#![expect(clippy::disallowed_methods, reason = "a guest asks for the time itself")]

use std::fs::{self, File, OpenOptions};
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use lamina::{Context, Error};
use serde::Deserialize;
use serde_json::{Map, Value, json};

static CALLS: AtomicU32 = AtomicU32::new(0);
static HAS_LEFT: AtomicBool = AtomicBool::new(false);

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
enum Event {
    Echo { value: Value },
    Text,
    Nothing,
    Length { value: String },
    Big { bytes: usize },
    Raise { message: String },
    RaiseStandard,
    RaiseCause,
    RaiseElsewhere,
    RaiseOther,
    Unserialisable,
    Print,
    Levels,
    ManyLines,
    Context,
    Env { names: Vec<String> },
    Never,
    Leave,
    Count,
    Wait { ms: u64 },
    Exit { status: i32 },
    Recurse,
    RecurseCaught,
    Fill,
    Spin,
    Tmp,
    Task { file: String },
    Outside { paths: Vec<String> },
    Random,
    Time,
}

#[lamina::handler]
async fn handle(event: Event, ctx: Context) -> Result<Value, Error> {
    match event {
        Event::Echo { value } => Ok(value),
        Event::Text => Ok(r#"{"a":1}"#.into()),
        Event::Nothing => Ok(Value::Null),
        Event::Length { value } => Ok(value.len().into()),
        Event::Big { bytes } => Ok("x".repeat(bytes.saturating_sub(2)).into()),
        Event::Raise { message } => Err(Error::new("OrderError", message)),
        Event::RaiseStandard => Ok("three".parse::<u32>()?.into()),
        Event::RaiseCause => {
            let cause = "three".parse::<u32>().map(drop).unwrap_err();
            Err(Error::new("OrderError", "order 7 cannot be shipped").caused_by(&cause))
        }
        Event::RaiseElsewhere => Err(helper::fail()),
        Event::RaiseOther => panic!("a text"),
        // Numbers that JSON has not are no numbers in `Value`; a key that is no text is.
        Event::Unserialisable => Ok(serde_json::to_value(std::collections::BTreeMap::from([(Vec::<u8>::new(), 1)]))?),
        Event::Print => {
            println!("one");
            eprintln!("two");
            println!("three\nfour");
            println!("gr\u{fc}\u{df}e \u{4e2d} \u{1f600}");
            println!();
            print!("no end");
            Ok(Value::Null)
        }
        Event::Levels => {
            log::debug!("at debug");
            log::info!("at info");
            log::warn!("at warn");
            log::error!("at error");
            Ok(Value::Null)
        }
        Event::ManyLines => {
            log::error!("one\ntwo");
            Ok(Value::Null)
        }
        Event::Context => Ok(context(&ctx)),
        Event::Env { names } => {
            Ok(names.into_iter().map(|name| (name.clone(), json!(std::env::var(&name).ok()))).collect::<Map<_, _>>().into())
        }
        Event::Never => std::future::pending().await,
        Event::Leave => {
            HAS_LEFT.store(true, Ordering::Relaxed);
            // Dropped, as there is nobody to run it when this call has ended.
            drop(async {
                lamina::time::sleep(Duration::from_millis(30)).await;
                println!("late");
            });
            Ok("answered".into())
        }
        Event::Count => Ok(json!([CALLS.fetch_add(1, Ordering::Relaxed) + 1, !HAS_LEFT.load(Ordering::Relaxed)])),
        Event::Wait { ms } => {
            lamina::time::sleep(Duration::from_millis(ms)).await;
            Ok("waited".into())
        }
        Event::Exit { status } => {
            println!("before");
            std::process::exit(status)
        }
        Event::Recurse | Event::RecurseCaught => Ok(recurse(0).into()),
        Event::Fill => {
            let mut held = Vec::new();
            loop {
                held.push(vec![1_u8; 1 << 20]);
            }
        }
        Event::Spin => loop {
            black_box(());
        },
        Event::Tmp => tmp(),
        Event::Task { file } => task(&file),
        Event::Outside { paths } => Ok(paths.iter().map(|path| File::open(path).is_ok()).collect::<Vec<_>>().into()),
        Event::Random => Ok(random()),
        Event::Time => {
            let (time, monotonic) = (SystemTime::now(), Instant::now());
            lamina::time::sleep(Duration::from_millis(20)).await;
            let enough = Duration::from_millis(19);
            let since = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            Ok((time.elapsed().is_ok_and(|took| took >= enough) && monotonic.elapsed() >= enough && since > 1_700_000_000)
                .into())
        }
    }
}

/// As a second file of the author's is in the other languages.
mod helper {
    use super::Error;

    pub(super) fn fail() -> Error {
        Error::new("LookupError", "not here")
    }
}

fn context(ctx: &Context) -> Value {
    let remaining = ctx.remaining_time();
    json!({
        "requestId": ctx.request_id,
        "functionName": ctx.function_name,
        "functionVersion": ctx.function_version,
        "arn": ctx.invoked_function_arn,
        "memory": ctx.memory_limit_mb,
        "logGroup": ctx.log_group_name,
        "logStream": ctx.log_stream_name,
        "clientContext": custom(ctx),
        "remaining": remaining > Duration::ZERO && remaining <= Duration::from_secs(20),
    })
}

/// What the caller put under `custom`: the client context is a text of JSON here.
fn custom(ctx: &Context) -> Option<Value> {
    let context: Value = serde_json::from_str(ctx.client_context.as_deref()?).ok()?;
    context.get("custom").cloned()
}

#[inline(never)]
#[expect(unconditional_recursion, reason = "it is what is asked for")]
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 16]);
    black_box(recurse(frame[0] + 1)) + frame[15]
}

fn names(folder: &str) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn tmp() -> Result<Value, Error> {
    let before = names("/tmp")?;
    fs::write("/tmp/one.txt", "kept")?;
    let usual = std::env::var("TMPDIR").unwrap_or_else(|_| "/tmp".to_owned());
    Ok(json!({ "before": before, "read": fs::read_to_string("/tmp/one.txt")?, "after": names("/tmp")?, "usual": usual }))
}

fn task(file: &str) -> Result<Value, Error> {
    let failed = [
        File::create("/var/task/new").is_err(),
        OpenOptions::new().append(true).open(file).is_err(),
        fs::remove_file(file).is_err(),
        fs::rename(file, "/var/task/other").is_err(),
        fs::create_dir("/var/task/folder").is_err(),
    ];
    Ok(json!({ "read": !fs::read(file)?.is_empty(), "failed": failed }))
}

fn random() -> Value {
    let next = || wasip2::random::random::get_random_u64();
    json!([format!("{:016x}", next()), format!("{:016x}{:016x}", next(), next()), wasip2::random::insecure::get_insecure_random_u64()])
}
