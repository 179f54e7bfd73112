//! Taking files out of backups, one backup after the other.

use std::collections::{BTreeSet, HashSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use lamina_disk::Folder;
use lamina_types::Digest;
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Refusal};
use crate::manifest::{BYTES_MAX, Entry, Manifest, REASON_BYTES_MAX, broke_off, host_key_of};
use crate::place::{BROKE_OFF, HOST_KEY, JOURNAL, Place};
use crate::tar::{Head, Reader};

/// The longest key file.
const KEYS_BYTES_MAX: u64 = 4 << 10;

/// A directory that is being filled.
pub(super) struct Taking<'a> {
    folder: &'a Folder,
    /// Directories whose entries are to be synced.
    made: BTreeSet<String>,
    /// The key of the platform that all of it is of.
    host_key: Option<[u8; 32]>,
    /// The last transaction so far.
    reached: Option<u64>,
    /// A file that does not go on from what was there of it. Told last: a backup that
    /// is out of order is nothing worse.
    strayed: Option<String>,
}

/// What an earlier backup has of a file that only grows.
struct Before {
    file: Option<io::BufReader<File>>,
    /// Bytes that were not compared.
    left: u64,
    differs: bool,
}

impl Before {
    fn of(folder: &Folder, name: &str, place: Option<Place>) -> io::Result<Self> {
        let grows = matches!(place, Some(Place::Journal | Place::AuditLog | Place::AuditHeads));
        if !grows || !folder.dir().exists(name) {
            return Ok(Self { file: None, left: 0, differs: false });
        }
        let file = folder.dir().open(name)?.into_std();
        let left = file.metadata()?.len();
        Ok(Self { file: Some(io::BufReader::with_capacity(256 << 10, file)), left, differs: false })
    }

    /// Takes the next bytes of the new file.
    fn compare(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        let mut own = vec![0; length];
        file.read_exact(&mut own)?;
        self.left -= length as u64;
        self.differs |= !bytes.starts_with(&own);
        Ok(())
    }
}

/// Tells of what is read.
struct Counted<'a> {
    file: File,
    progress: &'a mut dyn FnMut(u64),
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        (self.progress)(read as u64);
        Ok(read)
    }
}

impl<'a> Taking<'a> {
    pub(super) fn new(folder: &'a Folder) -> Self {
        Self { folder, made: BTreeSet::from([".".to_owned()]), host_key: None, reached: None, strayed: None }
    }

    /// Takes everything out of one backup.
    pub(super) fn take(&mut self, path: &Path, progress: &mut dyn FnMut(u64)) -> Result<(), Error> {
        let file = File::open(path).map_err(Error::file(path))?;
        let source = io::BufReader::with_capacity(1 << 20, Counted { file, progress });
        self.entries(&mut Reader::new(source)).map_err(|refusal| match (refusal, Manifest::of(path)) {
            // One that broke off is damaged before it says so.
            (Refusal::Content(_), Err(error @ Error::Refused { reason: Refusal::BrokeOff(_), .. })) => error,
            (refusal, _) => Error::refused(path)(refusal),
        })
    }

    fn entries(&mut self, reader: &mut Reader<impl Read>) -> Result<(), Refusal> {
        let (mut seen, mut names, mut has_key) = (Vec::new(), HashSet::new(), false);
        let manifest = loop {
            let head = reader.next()?.ok_or(Refusal::NoManifest)?;
            if !names.insert(head.name.clone()) {
                return Err(Refusal::Twice(head.name));
            }
            match Place::of(&head.name) {
                None if head.name == BROKE_OFF => return Err(broke_off(&reader.whole(REASON_BYTES_MAX)?)),
                None => return Err(Refusal::Name(head.name)),
                Some(Place::Manifest) => break reader.whole(BYTES_MAX)?,
                Some(Place::HostKey) => {
                    has_key = true;
                    seen.push(self.key(reader)?);
                }
                Some(Place::Format | Place::SecretsKey) if head.bytes > KEYS_BYTES_MAX => {
                    return Err(Refusal::TooLong(KEYS_BYTES_MAX));
                }
                Some(_) => seen.push(self.file(reader, head)?),
            }
        };
        // Nothing follows the manifest.
        if let Some(head) = reader.next()? {
            return Err(Refusal::Name(head.name));
        }
        let host_key = self.host_key.filter(|_| has_key).ok_or(Refusal::HostKey)?;
        let manifest = Manifest::verified(&manifest, &host_key)?;
        compare(&seen, &manifest.entries)?;
        Refusal::unless_next(self.reached, manifest.since, manifest.sequence)?;
        if let Some(name) = self.strayed.take() {
            return Err(Refusal::History(name));
        }
        self.reached = Some(manifest.sequence);
        self.drop_older(&names).map_err(Refusal::Io)
    }

    fn key(&mut self, reader: &mut Reader<impl Read>) -> Result<Entry, Refusal> {
        let bytes = reader.whole(KEYS_BYTES_MAX)?;
        let key = host_key_of(&bytes)?;
        if *self.host_key.get_or_insert(key) != key {
            return Err(Refusal::Foreign);
        }
        self.create(HOST_KEY)
            .and_then(|file| {
                file.write_at(0, &bytes)?;
                file.sync()
            })
            .map_err(Refusal::Io)?;
        Ok(Entry { name: HOST_KEY.to_owned(), bytes: bytes.len() as u64, sha256: Digest::of(&bytes) })
    }

    /// A new file, in place of one that an earlier backup brought.
    fn create(&mut self, name: &str) -> io::Result<lamina_disk::File> {
        if let Some((folder, _)) = name.rsplit_once('/') {
            self.folder.make(folder)?;
            let mut made = Some(folder);
            while let Some(folder) = made {
                if !self.made.insert(folder.to_owned()) {
                    break;
                }
                made = folder.rsplit_once('/').map(|(parent, _)| parent);
            }
        }
        self.folder.remove(name)?;
        self.folder.create(name)
    }

    fn file(&mut self, reader: &mut Reader<impl Read>, head: Head) -> Result<Entry, Refusal> {
        let place = Place::of(&head.name);
        let mut before = Before::of(self.folder, &head.name, place).map_err(Refusal::Io)?;
        let file = self.create(&head.name).map_err(Refusal::Io)?;
        let (mut hash, mut at, mut buffer) = (Sha256::new(), 0, vec![0; 256 << 10]);
        loop {
            let read = reader.read(&mut buffer)?;
            let bytes = buffer.get(..read).unwrap_or_default();
            if bytes.is_empty() {
                break;
            }
            hash.update(bytes);
            before.compare(bytes).map_err(Refusal::Io)?;
            file.write_at(at, bytes).map_err(Refusal::Io)?;
            at += bytes.len() as u64;
        }
        file.sync().map_err(Refusal::Io)?;
        let sha256 = Digest::from_bytes(hash.finalize().into());
        if before.left > 0 || before.differs {
            self.strayed.get_or_insert_with(|| head.name.clone());
        }
        match place {
            Some(Place::Artifact(digest)) if digest != sha256 => Err(Refusal::Content(head.name)),
            _ => Ok(Entry { name: head.name, bytes: at, sha256 }),
        }
    }

    /// A backup that brings an export does without the journal before it.
    fn drop_older(&mut self, names: &HashSet<String>) -> io::Result<()> {
        if !names.iter().any(|name| Place::of(name) == Some(Place::Export)) {
            return Ok(());
        }
        for name in self.folder.names(JOURNAL)?.into_iter().map(|name| format!("{JOURNAL}/{name}")) {
            if !names.contains(&name) {
                self.folder.remove(&name)?;
            }
        }
        Ok(())
    }

    /// Everything was taken: syncs the directories, and answers the last transaction
    /// and the platform's key.
    pub(super) fn end(self) -> Result<(u64, [u8; 32]), Error> {
        for folder in &self.made {
            self.folder.sync_dir(folder).map_err(Error::file(Path::new(folder)))?;
        }
        let end = self.reached.zip(self.host_key);
        end.ok_or_else(|| Error::Unsound("no backup was given".to_owned()))
    }
}

/// What was read against what the manifest says.
fn compare(seen: &[Entry], expect: &[Entry]) -> Result<(), Refusal> {
    if let Some((_, expect)) = seen.iter().zip(expect).find(|(seen, expect)| seen != expect) {
        return Err(Refusal::Content(expect.name.clone()));
    }
    match seen.get(expect.len()).or_else(|| expect.get(seen.len())) {
        Some(entry) => Err(Refusal::Content(entry.name.clone())),
        None => Ok(()),
    }
}
