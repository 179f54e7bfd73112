//! Files by their paths. Errors are Node's: `code`, `errno`, `syscall`, `path`.

use std::{fs, io, time::SystemTime};

use rquickjs::{Array, Ctx, Exception, Object, Result, Value};

use super::bytes::{self, Bytes};
use super::folder::absolute;

pub fn fill(group: &Object<'_>) -> Result<()> {
    super::functions!(group,
        "readFile" => read_file,
        "stat" => stat,
        "readdir" => readdir,
        "mkdir" => |ctx: Ctx<'_>, path: String| at(&ctx, fs::create_dir(absolute(&path)), "mkdir", &path),
        "rmdir" => |ctx: Ctx<'_>, path: String| at(&ctx, fs::remove_dir(absolute(&path)), "rmdir", &path),
        "unlink" => |ctx: Ctx<'_>, path: String| at(&ctx, fs::remove_file(absolute(&path)), "unlink", &path),
        "rename" => |ctx: Ctx<'_>, from: String, to: String| {
            let renamed = fs::rename(absolute(&from), absolute(&to));
            renamed.map_err(|error| throw(&ctx, &error, "rename", Some(&from), Some(&to)))
        },
        "copyFile" => |ctx: Ctx<'_>, from: String, to: String| {
            let copied = fs::copy(absolute(&from), absolute(&to)).map(drop);
            copied.map_err(|error| throw(&ctx, &error, "copyfile", Some(&from), Some(&to)))
        },
        "link" => |ctx: Ctx<'_>, from: String, to: String| {
            let linked = fs::hard_link(absolute(&from), absolute(&to));
            linked.map_err(|error| throw(&ctx, &error, "link", Some(&from), Some(&to)))
        },
        "symlink" => |ctx: Ctx<'_>, target: String, path: String| {
            symlink(&target, &path).map_err(|error| throw(&ctx, &error, "symlink", Some(&target), Some(&path)))
        },
        "readlink" => |ctx: Ctx<'_>, path: String| {
            let target = fs::read_link(absolute(&path)).map(|target| target.display().to_string());
            at(&ctx, target, "readlink", &path)
        },
        "realpath" => |ctx: Ctx<'_>, path: String| at(&ctx, realpath(&path), "realpath", &path),
        "chmod" => |ctx: Ctx<'_>, path: String, mode: u32| at(&ctx, chmod(&path, mode), "chmod", &path),
        "fail" => fail,
    )
}

/// The systems' errors that files can meet: the constant here, Node's name, Linux's
/// number, Linux's words.
const ERRORS: &[(i32, &str, i32, &str)] = &[
    (libc::EPERM, "EPERM", 1, "operation not permitted"),
    (libc::ENOENT, "ENOENT", 2, "no such file or directory"),
    (libc::EIO, "EIO", 5, "i/o error"),
    (libc::EBADF, "EBADF", 9, "bad file descriptor"),
    (libc::ENOMEM, "ENOMEM", 12, "not enough memory"),
    (libc::EACCES, "EACCES", 13, "permission denied"),
    (libc::EBUSY, "EBUSY", 16, "resource busy or locked"),
    (libc::EEXIST, "EEXIST", 17, "file already exists"),
    (libc::EXDEV, "EXDEV", 18, "cross-device link not permitted"),
    (libc::ENOTDIR, "ENOTDIR", 20, "not a directory"),
    (libc::EISDIR, "EISDIR", 21, "illegal operation on a directory"),
    (libc::EINVAL, "EINVAL", 22, "invalid argument"),
    (libc::EMFILE, "EMFILE", 24, "too many open files"),
    (libc::EFBIG, "EFBIG", 27, "file too large"),
    (libc::ENOSPC, "ENOSPC", 28, "no space left on device"),
    (libc::ESPIPE, "ESPIPE", 29, "invalid seek"),
    (libc::EROFS, "EROFS", 30, "read-only file system"),
    (libc::ENAMETOOLONG, "ENAMETOOLONG", 36, "name too long"),
    (libc::ENOSYS, "ENOSYS", 38, "function not implemented"),
    (libc::ENOTEMPTY, "ENOTEMPTY", 39, "directory not empty"),
    (libc::ELOOP, "ELOOP", 40, "too many symbolic links encountered"),
    (libc::EDQUOT, "EDQUOT", 122, "disk quota exceeded"),
];

/// WASI's error of what no folder that it was given reaches.
#[cfg(target_family = "wasm")]
const NOT_CAPABLE: i32 = 76;

/// Where nothing can be written, as on Lambda: the package and its layers.
#[cfg(target_family = "wasm")]
const READ_ONLY: &[&str] = &["/var/task", "/opt"];

fn known(error: &io::Error, path: Option<&str>) -> (&'static str, i32, &'static str) {
    let number = error.raw_os_error().unwrap_or_else(|| match error.kind() {
        io::ErrorKind::NotFound => libc::ENOENT,
        io::ErrorKind::PermissionDenied => libc::EACCES,
        io::ErrorKind::AlreadyExists => libc::EEXIST,
        io::ErrorKind::InvalidInput => libc::EINVAL,
        io::ErrorKind::Unsupported => libc::ENOSYS,
        _ => libc::EIO,
    });
    let number = translate(number, path);
    let found = ERRORS.iter().find(|known| known.0 == number);
    found.map_or(("EIO", 5, "i/o error"), |known| (known.1, known.2, known.3))
}

#[cfg(target_family = "wasm")]
fn translate(number: i32, path: Option<&str>) -> i32 {
    let read_only = path.map(absolute).is_some_and(|path| READ_ONLY.iter().any(|folder| path.starts_with(folder)));
    match number {
        libc::EPERM | libc::EACCES | NOT_CAPABLE if read_only => libc::EROFS,
        NOT_CAPABLE => libc::ENOENT,
        number => number,
    }
}

#[cfg(not(target_family = "wasm"))]
fn translate(number: i32, _path: Option<&str>) -> i32 {
    number
}

/// Throws an error of the system as Node has it.
pub fn throw(
    ctx: &Ctx<'_>,
    error: &io::Error,
    syscall: &str,
    path: Option<&str>,
    dest: Option<&str>,
) -> rquickjs::Error {
    match made(ctx, known(error, path), syscall, path, dest) {
        Ok(value) => ctx.throw(value),
        Err(error) => error,
    }
}

fn made<'js>(
    ctx: &Ctx<'js>,
    (code, errno, words): (&str, i32, &str),
    syscall: &str,
    path: Option<&str>,
    dest: Option<&str>,
) -> Result<Value<'js>> {
    let mut message = format!("{code}: {words}, {syscall}");
    if let Some(path) = path {
        message += &format!(" '{path}'");
    }
    if let Some(dest) = dest {
        message += &format!(" -> '{dest}'");
    }
    let error = Exception::from_message(ctx.clone(), &message)?.into_object();
    error.set("errno", -errno)?;
    error.set("code", code)?;
    error.set("syscall", syscall)?;
    if let Some(path) = path {
        error.set("path", path)?;
    }
    if let Some(dest) = dest {
        error.set("dest", dest)?;
    }
    Ok(error.into_value())
}

/// Throws the error of this code, for what the sources find out themselves.
fn fail(ctx: Ctx<'_>, code: String, syscall: String, path: Option<String>) -> Result<()> {
    let found = ERRORS.iter().find(|known| known.1 == code);
    let known = found.map_or(("EIO", 5, "i/o error"), |known| (known.1, known.2, known.3));
    let error = made(&ctx, known, &syscall, path.as_deref(), None)?;
    Err(ctx.throw(error))
}

fn at<T>(ctx: &Ctx<'_>, result: io::Result<T>, syscall: &str, path: &str) -> Result<T> {
    result.map_err(|error| throw(ctx, &error, syscall, Some(path), None))
}

fn read_file<'js>(ctx: Ctx<'js>, path: String) -> Result<Bytes<'js>> {
    let content = at(&ctx, fs::read(absolute(&path)), "open", &path)?;
    bytes::new(&ctx, content)
}

/// `[mode, size, atimeMs, mtimeMs, ctimeMs, birthtimeMs, dev, ino, nlink, uid, gid,
/// rdev, blksize, blocks]`; none if there is no such file and `quiet` is set.
fn stat<'js>(ctx: Ctx<'js>, path: String, links: bool, quiet: bool) -> Result<Option<Array<'js>>> {
    let found = if links { fs::symlink_metadata(absolute(&path)) } else { fs::metadata(absolute(&path)) };
    match found {
        Ok(metadata) => numbers(ctx, &metadata).map(Some),
        Err(error) if quiet && matches!(known(&error, Some(&path)).0, "ENOENT" | "ENOTDIR") => Ok(None),
        Err(error) => Err(throw(&ctx, &error, if links { "lstat" } else { "stat" }, Some(&path), None)),
    }
}

pub fn numbers<'js>(ctx: Ctx<'js>, metadata: &fs::Metadata) -> Result<Array<'js>> {
    let milliseconds = |time: io::Result<SystemTime>| {
        let time = time.ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        time.map(|time| time.as_nanos() as f64 / 1e6)
    };
    let modified = milliseconds(metadata.modified()).unwrap_or(0.0);
    let array = Array::new(ctx)?;
    let head = [
        f64::from(mode(metadata)),
        metadata.len() as f64,
        milliseconds(metadata.accessed()).unwrap_or(modified),
        modified,
    ];
    let tail = rest(metadata, modified, milliseconds(metadata.created()));
    for (index, number) in head.into_iter().chain(tail).enumerate() {
        array.set(index, number)?;
    }
    Ok(array)
}

#[cfg(unix)]
fn mode(metadata: &fs::Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::mode(metadata)
}

/// WASI has kinds and no modes.
#[cfg(not(unix))]
fn mode(metadata: &fs::Metadata) -> u32 {
    let kind = metadata.file_type();
    if kind.is_dir() {
        0o040_755
    } else if kind.is_symlink() {
        0o120_777
    } else {
        0o100_644
    }
}

#[cfg(unix)]
fn rest(metadata: &fs::Metadata, _modified: f64, created: Option<f64>) -> [f64; 10] {
    use std::os::unix::fs::MetadataExt;
    let changed = metadata.ctime() as f64 * 1e3 + metadata.ctime_nsec() as f64 / 1e6;
    [
        changed,
        created.unwrap_or(changed),
        metadata.dev() as f64,
        metadata.ino() as f64,
        metadata.nlink() as f64,
        f64::from(metadata.uid()),
        f64::from(metadata.gid()),
        metadata.rdev() as f64,
        metadata.blksize() as f64,
        metadata.blocks() as f64,
    ]
}

#[cfg(not(unix))]
fn rest(metadata: &fs::Metadata, modified: f64, created: Option<f64>) -> [f64; 10] {
    let blocks = metadata.len().div_ceil(512) as f64;
    // The user of Lambda's sandboxes.
    [modified, created.unwrap_or(modified), 1.0, 1.0, 1.0, 993.0, 990.0, 0.0, 4096.0, blocks]
}

/// `[name, kind, name, kind...]` in the order of the names; kind 1 file, 2 folder, 3
/// link, 0 other.
fn readdir<'js>(ctx: Ctx<'js>, path: String) -> Result<Array<'js>> {
    let read = || -> io::Result<Vec<(String, i32)>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(absolute(&path))? {
            let entry = entry?;
            let kind = entry.file_type()?;
            let kind = if kind.is_file() {
                1
            } else if kind.is_dir() {
                2
            } else if kind.is_symlink() {
                3
            } else {
                0
            };
            entries.push((entry.file_name().to_string_lossy().into_owned(), kind));
        }
        entries.sort();
        Ok(entries)
    };
    let entries = at(&ctx, read(), "scandir", &path)?;
    let array = Array::new(ctx)?;
    for (index, (name, kind)) in entries.into_iter().enumerate() {
        array.set(2 * index, name)?;
        array.set(2 * index + 1, kind)?;
    }
    Ok(array)
}

#[cfg(unix)]
fn symlink(target: &str, path: &str) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

#[cfg(not(unix))]
fn symlink(_target: &str, _path: &str) -> io::Result<()> {
    Err(io::Error::from_raw_os_error(libc::ENOSYS))
}

#[cfg(unix)]
fn realpath(path: &str) -> io::Result<String> {
    fs::canonicalize(path).map(|path| path.display().to_string())
}

/// Packages hold no links, and WASI follows those under `/tmp` itself: a path that is
/// there and has no `..` left is real.
#[cfg(not(unix))]
fn realpath(path: &str) -> io::Result<String> {
    fs::metadata(absolute(path))?;
    Ok(path.to_owned())
}

#[cfg(unix)]
fn chmod(path: &str, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// There are no modes to change; that the file is there is checked.
#[cfg(not(unix))]
fn chmod(path: &str, _mode: u32) -> io::Result<()> {
    fs::metadata(absolute(path)).map(drop)
}

/// For `super::file`.
pub fn check<T>(ctx: &Ctx<'_>, result: io::Result<T>, syscall: &str) -> Result<T> {
    result.map_err(|error| throw(ctx, &error, syscall, None, None))
}
