//! Open files, by numbers as Node has them.

use std::{
    cell::RefCell,
    fs::{File, FileTimes, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    time::{Duration, SystemTime},
};

use rquickjs::{Array, Ctx, Object, Result};

use super::{
    bytes::{self, Bytes},
    folder, fs,
};

/// As many as Lambda's sandboxes allow (quota page, 1,024 file descriptors).
const OPEN_MAX: usize = 1024;

/// Numbers below are standard input, output and error.
const FIRST: usize = 3;

thread_local! {
    static FILES: RefCell<Vec<Option<File>>> = const { RefCell::new(Vec::new()) };
}

pub fn fill(group: &Object<'_>) -> Result<()> {
    super::functions!(group,
        "open" => open,
        "close" => |ctx: Ctx<'_>, fd: usize| fs::check(&ctx, close(fd), "close"),
        "read" => read,
        "write" => write,
        "fstat" => fstat,
        "ftruncate" => |ctx: Ctx<'_>, fd: usize, length: f64| {
            fs::check(&ctx, with(fd, |file| file.set_len(length as u64)), "ftruncate")
        },
        "fsync" => |ctx: Ctx<'_>, fd: usize| fs::check(&ctx, with(fd, |file| file.sync_all()), "fsync"),
        "futimes" => |ctx: Ctx<'_>, fd: usize, accessed: f64, modified: f64| {
            let time = |seconds: f64| SystemTime::UNIX_EPOCH + Duration::from_secs_f64(seconds.max(0.0));
            let times = FileTimes::new().set_accessed(time(accessed)).set_modified(time(modified));
            fs::check(&ctx, with(fd, |file| file.set_times(times)), "futime")
        },
    )
}

fn bad() -> io::Error {
    io::Error::from_raw_os_error(libc::EBADF)
}

fn with<T>(fd: usize, act: impl FnOnce(&mut File) -> io::Result<T>) -> io::Result<T> {
    FILES.with_borrow_mut(|files| {
        let file = fd.checked_sub(FIRST).and_then(|index| files.get_mut(index)).and_then(Option::as_mut);
        act(file.ok_or_else(bad)?)
    })
}

/// `flags`: 1 read, 2 write, 4 append, 8 create, 16 truncate, 32 exclusive.
fn open(ctx: Ctx<'_>, path: String, flags: u32, mode: u32) -> Result<usize> {
    let has = |flag: u32| flags & flag != 0;
    let mut options = OpenOptions::new();
    options.read(has(1)).write(has(2) && !has(4)).append(has(4));
    options.create(has(8)).truncate(has(16)).create_new(has(8) && has(32));
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let opened = FILES.with_borrow_mut(|files| {
        let index = files.iter().position(Option::is_none).unwrap_or(files.len());
        if index >= OPEN_MAX {
            return Err(io::Error::from_raw_os_error(libc::EMFILE));
        }
        let file = options.open(folder::absolute(&path))?;
        if index == files.len() {
            files.push(None);
        }
        files[index] = Some(file);
        Ok(index + FIRST)
    });
    opened.map_err(|error| fs::throw(&ctx, &error, "open", Some(&path), None))
}

fn close(fd: usize) -> io::Result<()> {
    FILES.with_borrow_mut(|files| {
        let slot = fd.checked_sub(FIRST).and_then(|index| files.get_mut(index));
        slot.and_then(Option::take).map(drop).ok_or_else(bad)
    })
}

/// At `position`, leaving the file's own place where it was; below zero: at its place.
fn placed<T>(file: &mut File, position: f64, act: impl FnOnce(&mut File) -> io::Result<T>) -> io::Result<T> {
    if position < 0.0 {
        return act(file);
    }
    let before = file.stream_position()?;
    file.seek(SeekFrom::Start(position as u64))?;
    let result = act(file);
    file.seek(SeekFrom::Start(before))?;
    result
}

fn read(ctx: Ctx<'_>, fd: usize, target: Bytes<'_>, position: f64) -> Result<usize> {
    let mut content = vec![0; target.len()];
    let read = with(fd, |file| placed(file, position, |file| file.read(&mut content)));
    let length = fs::check(&ctx, read, "read")?;
    Ok(bytes::fill(&target, &content[..length]))
}

fn write(ctx: Ctx<'_>, fd: usize, data: Bytes<'_>, position: f64) -> Result<usize> {
    let written = bytes::with(&data, |data| {
        with(fd, |file| placed(file, position, |file| file.write_all(data).map(|()| data.len())))
    });
    fs::check(&ctx, written, "write")
}

fn fstat<'js>(ctx: Ctx<'js>, fd: usize) -> Result<Array<'js>> {
    let metadata = fs::check(&ctx, with(fd, |file| file.metadata()), "fstat")?;
    fs::numbers(ctx, &metadata)
}
