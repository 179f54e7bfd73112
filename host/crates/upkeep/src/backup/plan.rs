//! What goes into a backup, and the writing of it.

use std::collections::HashSet;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::Path;

use bytes::{Bytes, BytesMut};
use lamina_disk::Folder;
use lamina_kv::Files;
use lamina_types::Digest;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc::Sender;
use zeroize::Zeroizing;

use crate::error::{Error, Refusal};
use crate::manifest::{
    BYTES_MAX, Entry, FORMAT as MANIFEST_FORMAT, Manifest, REASON_BYTES_MAX, public_key, signing_key,
};
use crate::place::{AUDIT, BROKE_OFF, FORMAT, HEADS, HOST_KEY, MANIFEST, Place, SECRETS_KEY, artifact};
use crate::tar;
use crate::upkeep::{Upkeep, View};

/// Versions that are named, of an artifact that many need.
const USERS_TOLD_MAX: usize = 10;
/// What is sent at once.
const CHUNK_BYTES: usize = 256 << 10;
/// The longest small file: the format, and keys.
const SMALL_BYTES_MAX: u64 = 4 << 10;
/// What is searched at once for the end of a line.
const SEARCHED_BYTES: u64 = 64 << 10;

/// Files of known sizes.
pub(super) struct Plan {
    upkeep: Upkeep,
    items: Vec<Item>,
    /// With digests that are made while it is written.
    manifest: Manifest,
    bytes: u64,
    manifest_bytes: u64,
    /// Keeps the journal's files from being removed.
    _files: Files,
}

/// A file that goes into it.
struct Item {
    name: String,
    bytes: u64,
    content: Content,
}

enum Content {
    /// As it was.
    Small(Zeroizing<Vec<u8>>),
    /// The beginning of the file of this name.
    File,
    /// A file with this digest.
    Artifact(Digest),
}

/// Why no more is written.
enum Stop {
    /// Nobody reads it.
    Gone,
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Plan {
    /// Takes stock. Blocks.
    pub(super) fn new(upkeep: Upkeep, view: View, since: u64, have: &HashSet<Digest>) -> Result<Self, Error> {
        let View { files, referenced } = view;
        let mut items = small(&upkeep)?;
        for part in files.export.iter().chain(&files.journal) {
            items.push(Item { name: part.name.clone(), bytes: part.bytes, content: Content::File });
        }
        items.extend(audit(&upkeep.deps.data)?);
        let mut digests: Vec<Digest> = referenced.difference(have).copied().collect();
        digests.sort_unstable();
        for digest in digests {
            items.push(content(&upkeep, digest)?);
        }
        let unknown = Digest::from_bytes([0; 32]);
        let entry = |item: &Item| Entry { name: item.name.clone(), bytes: item.bytes, sha256: unknown };
        let key = signing_key(&upkeep.deps.host_key);
        let manifest = Manifest {
            format: MANIFEST_FORMAT,
            sequence: files.sequence,
            since,
            made: upkeep.now(),
            entries: items.iter().map(entry).collect(),
            public_key: public_key(&key.verifying_key()),
        };
        // All digests, and all signatures, have one length.
        let manifest_bytes = manifest.signed(&key).map_err(Error::refused(Path::new(MANIFEST)))?.len() as u64;
        if manifest_bytes > BYTES_MAX {
            return Err(Error::refused(Path::new(MANIFEST))(Refusal::TooLong(BYTES_MAX)));
        }
        let sizes = items.iter().map(|item| item.bytes).chain([manifest_bytes]).map(tar::entry_bytes);
        let bytes = sizes.fold(tar::END.len() as u64, u64::saturating_add);
        Ok(Self { upkeep, items, manifest, bytes, manifest_bytes, _files: files })
    }

    pub(super) fn sequence(&self) -> u64 {
        self.manifest.sequence
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Writes it, until nobody reads it. What fails is said in place of the manifest, and
    /// then to the caller. Blocks.
    pub(super) fn write(self, sender: &Sender<Result<Bytes, Error>>) {
        let mut sink = Sink { sender, buffer: BytesMut::with_capacity(CHUNK_BYTES) };
        if let Err(Stop::Failed(error)) = self.write_to(&mut sink) {
            // Whoever has left does not want to know.
            let _ = broke_off(&mut sink, &error);
            let _ = sender.blocking_send(Err(error));
        }
    }

    fn write_to(mut self, sink: &mut Sink<'_>) -> Result<(), Stop> {
        for (item, entry) in self.items.iter().zip(&mut self.manifest.entries) {
            entry.sha256 = item.write(&self.upkeep, sink)?;
        }
        let signed = self.manifest.signed(&signing_key(&self.upkeep.deps.host_key));
        let manifest = signed.map_err(Error::refused(Path::new(MANIFEST)))?;
        sink.put(&tar::header(MANIFEST, self.manifest_bytes))?;
        sink.put(&manifest)?;
        sink.pad(self.manifest_bytes)?;
        sink.put(&tar::END)?;
        sink.flush()
    }
}

/// The format and the keys.
fn small(upkeep: &Upkeep) -> Result<Vec<Item>, Error> {
    let item = |name: &str, bytes: Vec<u8>| Item {
        name: name.to_owned(),
        bytes: bytes.len() as u64,
        content: Content::Small(Zeroizing::new(bytes)),
    };
    let read = |name: &str| {
        let bytes = upkeep.deps.data.read(name, SMALL_BYTES_MAX).map_err(Error::file(Path::new(name)))?;
        bytes.ok_or_else(|| Error::file(Path::new(name))(io::ErrorKind::NotFound.into()))
    };
    let mut items = vec![item(FORMAT, read(FORMAT)?), item(HOST_KEY, upkeep.deps.host_key.to_vec())];
    if !upkeep.deps.operator_keys {
        items.push(item(SECRETS_KEY, read(SECRETS_KEY)?));
    }
    Ok(items)
}

/// The audit log's files, each up to the end of a line.
fn audit(data: &Folder) -> Result<Vec<Item>, Error> {
    let mut items = Vec::new();
    // The heads first: the log must reach all of them.
    if data.dir().exists(HEADS) {
        items.push(lines(data, HEADS.to_owned())?);
    }
    let names = data.names(AUDIT).map_err(Error::file(Path::new(AUDIT)))?;
    for name in names.into_iter().map(|name| format!("{AUDIT}/{name}")) {
        if Place::of(&name) == Some(Place::AuditLog) {
            items.push(lines(data, name)?);
        }
    }
    Ok(items)
}

fn lines(data: &Folder, name: String) -> Result<Item, Error> {
    let bytes = whole_lines(data, &name).map_err(Error::file(Path::new(&name)))?;
    Ok(Item { name, bytes, content: Content::File })
}

/// The length of a file that may be growing, without a line that is not ended.
fn whole_lines(data: &Folder, name: &str) -> io::Result<u64> {
    let mut file = data.dir().open(name)?;
    let mut end = file.metadata()?.len();
    let mut buffer = Vec::new();
    while end > 0 {
        let from = end.saturating_sub(SEARCHED_BYTES);
        buffer.clear();
        file.seek(SeekFrom::Start(from))?;
        (&mut file).take(end - from).read_to_end(&mut buffer)?;
        if let Some(at) = buffer.iter().rposition(|byte| *byte == b'\n') {
            return Ok(from + at as u64 + 1);
        }
        end = from;
    }
    Ok(0)
}

fn content(upkeep: &Upkeep, digest: Digest) -> Result<Item, Error> {
    let name = artifact(&digest);
    let metadata = upkeep.deps.data.metadata(&name).map_err(Error::file(Path::new(&name)))?;
    let bytes = metadata.ok_or_else(|| lost(upkeep, digest, "missing"))?.len();
    Ok(Item { name, bytes, content: Content::Artifact(digest) })
}

/// An artifact that is not as it was, and who needs it.
fn lost(upkeep: &Upkeep, digest: Digest, how: &'static str) -> Error {
    let mut users = upkeep.deps.registry.users_of(digest);
    let more = users.len().saturating_sub(USERS_TOLD_MAX);
    users.truncate(USERS_TOLD_MAX);
    if more > 0 {
        users.push(format!("{more} more"));
    }
    Error::Artifact { digest, how, users: users.join(", ") }
}

/// The entry that says why there is no manifest, and the end of the tar.
fn broke_off(sink: &mut Sink<'_>, error: &Error) -> Result<(), Stop> {
    let mut text = error.to_string();
    text.truncate(text.floor_char_boundary(usize::try_from(REASON_BYTES_MAX).unwrap_or_default() - 1));
    text.push('\n');
    sink.put(&tar::header(BROKE_OFF, text.len() as u64))?;
    sink.put(text.as_bytes())?;
    sink.pad(text.len() as u64)?;
    sink.put(&tar::END)?;
    sink.flush()
}

impl Item {
    /// Answers the digest of what was written. When it fails the entry is whole, too.
    fn write(&self, upkeep: &Upkeep, sink: &mut Sink<'_>) -> Result<Digest, Stop> {
        sink.put(&tar::header(&self.name, self.bytes))?;
        let digest = match &self.content {
            Content::Small(bytes) => {
                sink.put(bytes)?;
                Digest::of(bytes)
            }
            Content::File | Content::Artifact(_) => self.copy(&upkeep.deps.data, sink)?,
        };
        sink.pad(self.bytes)?;
        match self.content {
            Content::Artifact(expect) if expect != digest => Err(lost(upkeep, expect, "damaged").into()),
            _ => Ok(digest),
        }
    }

    fn copy(&self, data: &Folder, sink: &mut Sink<'_>) -> Result<Digest, Stop> {
        let (mut hash, mut left, mut buffer) = (Sha256::new(), self.bytes, vec![0; 64 << 10]);
        let (mut file, mut failed) = match data.dir().open(&self.name) {
            Ok(file) => (Some(file), None),
            Err(error) => (None, Some(error)),
        };
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            let piece = buffer.get_mut(..most).unwrap_or_default();
            if let (Some(file), None) = (&mut file, &failed) {
                failed = file.read_exact(piece).err();
            }
            if failed.is_some() {
                // Filled up, so that the reason can follow.
                piece.fill(0);
            }
            hash.update(&*piece);
            sink.put(piece)?;
            left -= most as u64;
        }
        if let Some(error) = failed {
            sink.pad(self.bytes)?;
            return Err(Stop::Failed(Error::file(Path::new(&self.name))(error)));
        }
        Ok(Digest::from_bytes(hash.finalize().into()))
    }
}

/// Makes chunks of one size.
struct Sink<'a> {
    sender: &'a Sender<Result<Bytes, Error>>,
    buffer: BytesMut,
}

impl Sink<'_> {
    fn put(&mut self, mut bytes: &[u8]) -> Result<(), Stop> {
        while !bytes.is_empty() {
            let room = CHUNK_BYTES.saturating_sub(self.buffer.len()).min(bytes.len());
            let (now, later) = bytes.split_at(room);
            self.buffer.extend_from_slice(now);
            if self.buffer.len() == CHUNK_BYTES {
                self.flush()?;
            }
            bytes = later;
        }
        Ok(())
    }

    fn pad(&mut self, bytes: u64) -> Result<(), Stop> {
        self.put([0; tar::BLOCK].get(..tar::padding(bytes)).unwrap_or_default())
    }

    fn flush(&mut self) -> Result<(), Stop> {
        let chunk = std::mem::replace(&mut self.buffer, BytesMut::with_capacity(CHUNK_BYTES)).freeze();
        if chunk.is_empty() {
            return Ok(());
        }
        self.sender.blocking_send(Ok(chunk)).map_err(|_| Stop::Gone)
    }
}
