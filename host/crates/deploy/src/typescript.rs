//! TypeScript beside which there is no JavaScript: its types are erased when a
//! package is unpacked, into a file beside it, with a source map. Never in the zip.
//!
//! What cannot be erased becomes a module that throws a SyntaxError which says where
//! and why, so that it shows at init, as Lambda shows bad syntax
//! (`Runtime.UserCodeSyntaxError`), and not at deploy. A failure that may pass becomes
//! none: what a package holds is kept in its bundle. Whoever changes what becomes of a
//! source raises `lamina_runtime::DERIVED_VERSION`.

mod commonjs;
mod enums;
mod erase;
mod kind;
mod specifiers;

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use lamina_artifacts::PackageFile;
use lamina_package::{Entry, ZipError};

use erase::{Erased, erased, thrown};
use kind::{Kind, Kinds};
use specifiers::Names;

/// The largest source that is looked at.
const SOURCE_BYTES_MAX: usize = 1 << 20;
/// All sources of a package together.
const SOURCES_BYTES_MAX: usize = 16 << 20;
/// What reading and printing take of the stack for each byte of a source, at most. Of
/// what the tests nest, tuple types take most: 1,792 bytes (1,000 a parenthesis, 670 a
/// type's argument), built as tests are;
/// `deep_sources_take_no_more_stack_than_they_are_given` measures it.
const STACK_BYTES_PER_BYTE: usize = 2_560;
const STACK_BYTES_MIN: usize = 8 << 20;
/// How long all sources of a package may take together; a megabyte takes about 50 ms.
const PATIENCE: Duration = Duration::from_secs(10);
/// Threads that went on past their time. With so many nothing is erased.
const LOST_MAX: usize = 2;

/// TypeScript's extensions, and JavaScript's for each.
const EXTENSIONS: [(&str, &str); 4] = [(".ts", ".js"), (".tsx", ".js"), (".mts", ".mjs"), (".cts", ".cjs")];

/// Why there are no files beside a package's TypeScript.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EraseError {
    /// The package cannot be read.
    #[error(transparent)]
    Zip(#[from] ZipError),
    /// It can be tried again.
    #[error("types of TypeScript are not erased: {0}")]
    Failed(&'static str),
}

/// A source and the names of what becomes of it.
struct Job {
    source: String,
    kind: Kind,
    text: String,
    code: String,
    map: String,
}

/// Erases types, of one package at a time: a deep source takes gigabytes of stack.
/// Clones take turns with each other.
#[derive(Debug, Clone, Default)]
pub(crate) struct Eraser(Arc<Turns>);

#[derive(Debug, Default)]
struct Turns {
    turn: Mutex<()>,
    /// Threads that have not ended: between turns, those that are lost.
    running: AtomicUsize,
}

/// A thread that erases, until it ends in whatever way.
struct Running(Arc<Turns>);

impl Running {
    fn new(turns: &Arc<Turns>) -> Self {
        turns.running.fetch_add(1, Ordering::SeqCst);
        Self(turns.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Eraser {
    /// The JavaScript that is to lie beside a package's TypeScript, with its maps.
    pub(crate) fn erase(&self, files: &[&Entry<'_>]) -> Result<Vec<PackageFile>, EraseError> {
        let (jobs, names, mut made) = jobs(files)?;
        made.extend(self.in_time(jobs, names)?);
        Ok(made)
    }
}

/// What is to be erased, all files that there will be, and what stands for that which
/// cannot be erased.
fn jobs(files: &[&Entry<'_>]) -> Result<(Vec<Job>, Names, Vec<PackageFile>), ZipError> {
    let mut names: HashSet<String> = files.iter().map(|file| file.name.to_owned()).collect();
    let folders: HashSet<&str> = files.iter().flat_map(|file| folders(file.name)).collect();
    let (kinds, mut jobs, mut made, mut total) = (Kinds::read(files)?, Vec::new(), Vec::new(), 0);
    for file in files {
        let Some((stem, extension)) = source(file.name) else { continue };
        if ["js", "mjs", "cjs"].iter().any(|other| names.contains(&format!("{stem}.{other}"))) {
            continue;
        }
        let (code, map) = (format!("{stem}{extension}"), format!("{stem}{extension}.map"));
        // Neither a file nor a folder may be in the way.
        if folders.contains(code.as_str()) || names.contains(&map) {
            continue;
        }
        names.extend([code.clone(), map.clone()]);
        total += file.bytes;
        if file.bytes > SOURCE_BYTES_MAX || total > SOURCES_BYTES_MAX {
            let why = format!("it is larger than {SOURCE_BYTES_MAX} bytes, or all TypeScript than {SOURCES_BYTES_MAX}");
            made.push(thrown(file.name, &code, &why));
            continue;
        }
        match String::from_utf8(file.content()?.into_owned()) {
            Ok(text) => jobs.push(Job { source: file.name.to_owned(), kind: kinds.of(file.name), text, code, map }),
            Err(_) => made.push(thrown(file.name, &code, "it is not UTF-8")),
        }
    }
    Ok((jobs, Names::new(names), made))
}

/// The folders that a file is in.
fn folders(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('/').filter_map(|(at, _)| name.get(..at))
}

/// The stem of a TypeScript source's path, and the extension of what is made of it.
/// Declarations hold no code, and what is in `node_modules` brings its JavaScript.
fn source(name: &str) -> Option<(&str, &'static str)> {
    if name.split('/').any(|part| part == "node_modules") {
        return None;
    }
    let (stem, extension) = EXTENSIONS.iter().find_map(|(from, to)| Some((name.strip_suffix(from)?, *to)))?;
    let file = stem.rsplit('/').next().unwrap_or(stem);
    (!file.is_empty() && !stem.ends_with(".d")).then_some((stem, extension))
}

impl Eraser {
    /// Erases on a thread of its own: its stack fits the longest source, whatever is
    /// in it, and it is left alone when it takes too long.
    fn in_time(&self, jobs: Vec<Job>, names: Names) -> Result<Vec<PackageFile>, EraseError> {
        let Some(longest) = jobs.iter().map(|job| job.text.len()).max() else { return Ok(Vec::new()) };
        let _turn = self.0.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if self.0.running.load(Ordering::SeqCst) >= LOST_MAX {
            return Err(EraseError::Failed("others take too long"));
        }
        let (sender, receiver) = sync_channel(1);
        let running = Running::new(&self.0);
        let work = move || {
            let made: Vec<PackageFile> = jobs.iter().flat_map(|job| made(job, &names)).collect();
            drop(running);
            // Perhaps nobody waits any more.
            let _ = sender.send(made);
        };
        let stack = STACK_BYTES_MIN + longest * STACK_BYTES_PER_BYTE;
        if let Err(error) = thread::Builder::new().name("lamina-erase".into()).stack_size(stack).spawn(work) {
            tracing::warn!(%error, "no thread to erase TypeScript");
            return Err(EraseError::Failed("there is no room"));
        }
        receiver.recv_timeout(PATIENCE).map_err(|error| {
            EraseError::Failed(match error {
                RecvTimeoutError::Timeout => "it takes too long",
                // A bug in the parser or the transformer.
                RecvTimeoutError::Disconnected => "it ended half-way",
            })
        })
    }
}

fn made(job: &Job, names: &Names) -> Vec<PackageFile> {
    let map_name = job.map.rsplit('/').next().unwrap_or(&job.map);
    match erased(&job.source, &job.text, job.kind, names) {
        Ok(Erased { code, map }) => vec![
            PackageFile {
                name: job.code.clone(),
                content: format!("{code}//# sourceMappingURL={}\n", url(map_name)).into_bytes(),
            },
            PackageFile { name: job.map.clone(), content: map.into_bytes() },
        ],
        Err(why) => vec![thrown(&job.source, &job.code, &why)],
    }
}

/// A file's name as a relative URL.
fn url(name: &str) -> String {
    let mut url = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => url.push(char::from(byte)),
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url
}

#[cfg(test)]
mod tests;
