//! A journal file made ready beside the transactions: of its full length. Syncing a
//! group there changes nothing of the file but its bytes, which costs less than making
//! it longer.
//!
//! It is one that the journal has left and a checkpoint does not need any more, if there
//! is one, for new zeros cost as much of the disk as the groups that are written over
//! them.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use lamina_disk::{File, Folder};

/// How the file is called until the journal goes on in it.
pub(crate) const NAME: &str = "spare.new";
/// What the journal has left is called this way, after its number.
const LEFT_SUFFIX: &str = ".old";
/// Zeros written at a time: others get the processor in between.
const WRITE_BYTES: usize = 64 << 10;

/// Whether a file of this name is for the journal to go on in, now or later.
pub(crate) fn is_spare(name: &str) -> bool {
    name == NAME || name.ends_with(LEFT_SUFFIX)
}

/// Removes all such files.
pub(crate) fn remove_all(folder: &Folder) -> std::io::Result<()> {
    folder.remove(NAME)?;
    remove_left(folder)
}

/// Removes what the journal has left.
pub(crate) fn remove_left(folder: &Folder) -> std::io::Result<()> {
    left(folder)?.iter().try_for_each(|name| folder.remove(name).map(drop))
}

fn left(folder: &Folder) -> std::io::Result<Vec<String>> {
    let mut names = folder.names(".")?;
    names.retain(|name| name.ends_with(LEFT_SUFFIX));
    Ok(names)
}

/// Which of the files that the journal has left are kept.
pub(crate) struct Left {
    /// Their length, about.
    pub(crate) bytes: u64,
    /// How many.
    pub(crate) files_max: usize,
}

impl Left {
    /// Keeps a journal file that is not needed any more, if it is of use.
    pub(crate) fn take(&self, folder: &Folder, journal: &str) -> std::io::Result<bool> {
        let length = folder.metadata(journal)?.map_or(0, |metadata| metadata.len());
        let is_of_use = (self.bytes / 2..=self.bytes).contains(&length) && length > 0;
        if !is_of_use || left(folder)?.len() >= self.files_max {
            return Ok(false);
        }
        let name = journal.split('.').next().unwrap_or_default();
        folder.rename(journal, &format!("{name}{LEFT_SUFFIX}")).map(|()| true)
    }
}

/// At most one file, made when the journal grows fast.
pub(crate) struct Spare {
    /// Its length.
    pub(crate) bytes: u64,
    /// When a file that grows has so many bytes the next one is made ready.
    pub(crate) after: u64,
    made: Arc<Mutex<Option<File>>>,
    making: Option<JoinHandle<()>>,
}

impl Spare {
    pub(crate) fn new(bytes: u64, after: u64) -> Self {
        Self { bytes, after, made: Arc::default(), making: None }
    }

    /// Has one made, unless there is one. A failure is none: the journal grows without.
    pub(crate) fn prepare(&mut self, folder: &Folder) {
        if self.making.is_some() {
            return;
        }
        let (made, folder, bytes) = (self.made.clone(), folder.clone(), self.bytes);
        let make = move || match write(&folder, bytes) {
            Ok(file) => *made.lock().unwrap_or_else(PoisonError::into_inner) = Some(file),
            Err(error) => {
                tracing::debug!(%error, "no journal file was made ready");
                let _ = remove_all(&folder);
            }
        };
        self.making = thread::Builder::new().name("lamina-spare".into()).spawn(make).ok();
    }

    /// Whether there is one.
    pub(crate) fn is_ready(&self) -> bool {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Gives it, if it is ready; another is made when it is asked for.
    pub(crate) fn take(&mut self) -> Option<File> {
        let file = self.made.lock().unwrap_or_else(PoisonError::into_inner).take();
        // One that was made, or could not be: its thread has no more to do.
        if file.is_some() || self.making.as_ref().is_some_and(JoinHandle::is_finished) {
            let _ = self.making.take().map(JoinHandle::join);
        }
        file
    }

    /// Removes it; waits for one that is being made.
    pub(crate) fn end(&mut self, folder: &Folder) {
        if let Some(making) = self.making.take() {
            let _ = making.join();
        }
        // What stays the next start removes.
        let _ = remove_all(folder);
    }
}

fn write(folder: &Folder, bytes: u64) -> std::io::Result<File> {
    folder.remove(NAME)?;
    let file = match left(folder)?.first() {
        Some(name) => {
            folder.rename(name, NAME)?;
            // Were this name lost, an older one would be given to what is written now.
            folder.sync_dir(".")?;
            folder.edit(NAME)?
        }
        None => folder.create(NAME)?,
    };
    let zeros = vec![0; WRITE_BYTES];
    let mut at = file.len()?;
    while at < bytes {
        let length = bytes - at;
        let zeros = &zeros[..WRITE_BYTES.min(usize::try_from(length).unwrap_or(WRITE_BYTES))];
        file.write_at(at, zeros)?;
        at += zeros.len() as u64;
    }
    file.sync()?;
    Ok(file)
}
