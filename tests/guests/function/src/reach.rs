//! Reaching for what was not granted. Each attempt answers what came of it: an
//! error's text, or `done`.

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};

use lamina::Error;
use serde_json::{Map, Value, json};
use wasip2::filesystem::preopens;
use wasip2::filesystem::types::{DescriptorFlags, OpenFlags, PathFlags};

const TASK: &str = "/var/task";
const BOOTSTRAP: &str = "/var/task/bootstrap.wasm";

fn outcome<T>(result: std::io::Result<T>) -> Value {
    match result {
        Ok(_) => "done".into(),
        Err(error) => error.to_string().into(),
    }
}

fn outcomes<const N: usize>(attempts: [(&str, Value); N]) -> Value {
    attempts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>().into()
}

pub fn read_task() -> Result<Value, Error> {
    let mut names = Vec::new();
    for entry in fs::read_dir(TASK)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    let mut magic = [0; 4];
    File::open(BOOTSTRAP)?.read_exact(&mut magic)?;
    let length = fs::read(BOOTSTRAP)?.len();
    Ok(json!({ "names": names, "magic": magic, "length": length }))
}

pub fn write_task() -> Value {
    let append = || OpenOptions::new().append(true).open(BOOTSTRAP);
    let truncate = || OpenOptions::new().write(true).truncate(true).open(BOOTSTRAP);
    outcomes([
        ("create", outcome(File::create("/var/task/new"))),
        ("append", outcome(append())),
        ("truncate", outcome(truncate())),
        ("remove", outcome(fs::remove_file(BOOTSTRAP))),
        ("rename", outcome(fs::rename(BOOTSTRAP, "/var/task/other"))),
        ("link", outcome(fs::hard_link(BOOTSTRAP, "/var/task/other"))),
        ("mkdir", outcome(fs::create_dir("/var/task/dir"))),
        ("rmdir", outcome(fs::remove_dir(TASK))),
        ("times", outcome(File::open(BOOTSTRAP).and_then(|file| file.set_modified(std::time::UNIX_EPOCH)))),
    ])
}

pub fn escape() -> Value {
    const PATHS: [&str; 10] = [
        "/",
        "/etc/passwd",
        "/proc/self/environ",
        "/tmp/x",
        "..",
        "../..",
        "/var/task/..",
        "/var/task/../",
        "/var/task/../../../../../../etc/passwd",
        "../../../../../../../../etc/passwd",
    ];
    let attempt = |path: &str| match (fs::read_dir(path), File::open(path)) {
        (Ok(_), _) | (_, Ok(_)) => "done".into(),
        (Err(list), Err(open)) => Value::from(format!("{list}; {open}")),
    };
    PATHS.iter().map(|path| ((*path).to_owned(), attempt(path))).collect::<Map<_, _>>().into()
}

pub fn connect(port: u16) -> Value {
    let udp = || UdpSocket::bind("0.0.0.0:0").and_then(|socket| socket.send_to(b"x", ("127.0.0.1", port)));
    outcomes([
        ("tcp", outcome(TcpStream::connect(("127.0.0.1", port)))),
        ("tcp6", outcome(TcpStream::connect(("::1", port)))),
        ("listen", outcome(TcpListener::bind("127.0.0.1:0"))),
        ("udp", outcome(udp())),
        ("resolve", outcome("localhost:80".to_socket_addrs())),
    ])
}

/// More than any platform grants; that it is reached shows that nothing was refused.
const FILES_MAX: usize = 100_000;

/// Without the C library, which has a bound of its own.
pub fn open_many() -> Value {
    let (task, _) = &preopens::get_directories()[0];
    let mut held = Vec::new();
    while held.len() < FILES_MAX {
        let file = task.open_at(PathFlags::empty(), "bootstrap.wasm", OpenFlags::empty(), DescriptorFlags::READ);
        match file {
            Ok(file) => held.push(file),
            Err(error) => return json!({ "opened": held.len(), "error": error.to_string() }),
        }
    }
    json!({ "opened": held.len() })
}
