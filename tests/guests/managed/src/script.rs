//! The commands of a handler.

use std::fs::{self, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};

use crate::error;
use crate::lamina::function::managed_host;
use crate::lamina::function::response::{Head, ResponseWriter};
use crate::lamina::function::types::{Context, FunctionError};

/// One call of a handler.
pub struct Call {
    pub event: Vec<u8>,
    pub context: Context,
    pub response: ResponseWriter,
    /// Where the module came from.
    pub from: &'static str,
    pub answer: Vec<u8>,
    pub streamed: bool,
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or_default()
}

/// `ENOSPC`, and `EIO`: the C library shows every failed write of a stream as that, and
/// asks its host for no more.
const NO_SPACE: [i32; 2] = [51, 29];

/// What came of touching a file: `done`, `full`, or the kind of another error.
fn told<T>(result: std::io::Result<T>) -> String {
    match result {
        Ok(_) => "done".to_owned(),
        Err(error) if error.raw_os_error().is_some_and(|error| NO_SPACE.contains(&error)) => "full".to_owned(),
        Err(error) => format!("{:?}", error.kind()),
    }
}

/// No loop can do the same, and nothing of it is on the guest's own stack.
#[inline(never)]
fn recurse(depth: u64) -> u64 {
    if depth == 0 { 1 } else { recurse(depth - 1).rotate_left(1) ^ depth }
}

impl Call {
    /// Runs one command. What it tells is added to the answer.
    pub fn run(&mut self, command: &str) -> Result<(), FunctionError> {
        let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
        let told = match name {
            "echo" => String::from_utf8_lossy(&self.event).into_owned(),
            "say" => rest.to_owned(),
            "from" => self.from.to_owned(),
            "env" => std::env::var(rest).unwrap_or_else(|_| "unset".to_owned()),
            "memory" => self.context.memory_limit_in_mb.to_string(),
            "print" => {
                print!("{}", rest.replace("\\n", "\n"));
                // The library keeps a line back that has no end yet.
                let _ = std::io::Write::flush(&mut std::io::stdout());
                return Ok(());
            }
            "log" => return Ok(managed_host::log(&rest.replace("\\n", "\n"))),
            "fail" => {
                let (kind, message) = rest.split_once(' ').unwrap_or((rest, ""));
                managed_host::log(&format!("[ERROR] {kind}: {message}"));
                return Err(error(kind, message));
            }
            "trap" => core::arch::wasm32::unreachable(),
            "spin" => loop {
                std::hint::black_box(0);
            },
            "recurse" => recurse(number(rest)).to_string(),
            "stream" => return self.stream(rest),
            _ => self.file(name, rest),
        };
        self.answer.extend_from_slice(told.as_bytes());
        self.answer.push(b'\n');
        Ok(())
    }

    fn stream(&mut self, text: &str) -> Result<(), FunctionError> {
        let head = Head { content_type: Some("text/plain".to_owned()), http: None };
        let stream = self.response.start(&head).map_err(|_| error("Stream", "not started"))?;
        self.streamed = true;
        stream.blocking_write_and_flush(text.as_bytes()).map_err(|_| error("Stream", "closed"))
    }

    fn file(&self, name: &str, rest: &str) -> String {
        let (path, given) = rest.split_once(' ').unwrap_or((rest, ""));
        let path = format!("/tmp/{path}");
        let open = || OpenOptions::new().create(true).append(true).open(&path);
        match name {
            "write" => told(fs::write(&path, vec![b'x'; number(given) as usize])),
            "append" => told(open().and_then(|mut file| file.write_all(&vec![b'y'; number(given) as usize]))),
            "resize" => told(open().and_then(|file| file.set_len(number(given)))),
            "past-end" => told(OpenOptions::new().write(true).open(&path).and_then(|mut file| {
                file.seek(SeekFrom::Start(number(given)))?;
                file.write_all(b"z")
            })),
            "read" => fs::read(&path).map_or_else(|error| told::<()>(Err(error)), |bytes| bytes.len().to_string()),
            "list" => match fs::read_dir(&path) {
                Err(error) => told::<()>(Err(error)),
                Ok(entries) => {
                    let names =
                        entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()));
                    let mut names: Vec<String> = names.collect();
                    names.sort();
                    format!("[{}]", names.join(","))
                }
            },
            "remove" => told(fs::remove_file(&path)),
            "folder" => told(fs::create_dir(&path)),
            "remove-folder" => told(fs::remove_dir(&path)),
            "rename" => told(fs::rename(&path, format!("/tmp/{given}"))),
            "link" => told(fs::hard_link(&path, format!("/tmp/{given}"))),
            "many" => {
                let made = (0..number(given)).take_while(|n| fs::write(format!("{path}{n}"), b"").is_ok());
                made.count().to_string()
            }
            // Opened, removed, and written on through the handle.
            "nameless" => told(open().and_then(|mut file| {
                fs::remove_file(&path)?;
                file.write_all(&vec![b'n'; number(given) as usize])
            })),
            // Opened to be read, removed, and held while another is written.
            "hold" => told(fs::File::open(&path).and_then(|file| {
                fs::remove_file(&path)?;
                let written = fs::write(format!("{path}-other"), vec![b'o'; number(given) as usize]);
                drop(file);
                written
            })),
            // Written, made empty through another handle, and written on.
            "cut" => told(fs::File::create(&path).and_then(|mut file| {
                file.write_all(&vec![b'c'; number(given) as usize])?;
                fs::write(&path, b"")?;
                file.write_all(&vec![b'c'; number(given) as usize])
            })),
            other => format!("no command {other}"),
        }
    }
}
