//! A journal file made ready beside the transactions: of its full length, and zeros.
//! Syncing a group there changes nothing of the file but its bytes, which costs less
//! than making it longer.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use lamina_disk::{File, Folder};

/// How the file is called until the journal goes on in it.
pub(crate) const NAME: &str = "spare.new";
/// Zeros written at a time.
const WRITE_BYTES: usize = 1 << 20;

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
                let _ = folder.remove(NAME);
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
            // What stays the next start removes.
            let _ = folder.remove(NAME);
        }
    }
}

fn write(folder: &Folder, bytes: u64) -> std::io::Result<File> {
    folder.remove(NAME)?;
    let file = folder.create(NAME)?;
    let zeros = vec![0; WRITE_BYTES];
    let mut at = 0;
    while at < bytes {
        let length = bytes - at;
        let zeros = &zeros[..WRITE_BYTES.min(usize::try_from(length).unwrap_or(WRITE_BYTES))];
        file.write_at(at, zeros)?;
        at += zeros.len() as u64;
    }
    file.sync()?;
    Ok(file)
}
