//! How much is in an instance's `/tmp`.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::{DynOutputStream, OutputStream, Pollable, StreamError, StreamResult};

/// What a full disk answers (`ENOSPC`).
const NO_SPACE: i32 = 28;

/// Counts bytes and names, as far as the guest's requests tell.
pub(super) struct Quota {
    counted: Mutex<Counted>,
    bytes_max: u64,
    names_max: u64,
}

#[derive(Default)]
struct Counted {
    bytes: u64,
    names: u64,
    /// Files that were opened, as long as they are.
    open: Vec<Weak<File>>,
    /// Files without a name that are still open: their bytes are there as long.
    nameless: Vec<(Vec<Weak<File>>, u64)>,
}

/// A file as it was before it lost its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) device: u64,
    pub(super) inode: u64,
    pub(super) links: u64,
    pub(super) bytes: u64,
}

fn full() -> io::Error {
    io::Error::from_raw_os_error(NO_SPACE)
}

impl Counted {
    /// Gives back what nameless files had that are closed by now.
    fn settle(&mut self) {
        let mut freed = 0;
        self.nameless.retain(|(files, bytes)| {
            let is_open = files.iter().any(|file| file.strong_count() > 0);
            freed += if is_open { 0 } else { *bytes };
            is_open
        });
        self.bytes = self.bytes.saturating_sub(freed);
        self.open.retain(|file| file.strong_count() > 0);
    }
}

impl Counted {
    /// The bytes of this file, if it has no name any more.
    fn nameless(&mut self, file: &Arc<File>) -> Option<&mut u64> {
        let is_it = |other: &Weak<File>| std::ptr::eq(other.as_ptr(), Arc::as_ptr(file));
        self.nameless.iter_mut().find(|(files, _)| files.iter().any(is_it)).map(|(_, bytes)| bytes)
    }
}

impl Quota {
    pub(super) fn new(bytes_max: u64, names_max: u64) -> Self {
        Self { counted: Mutex::default(), bytes_max, names_max }
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes room for so many bytes more of a file.
    pub(super) fn grow(&self, file: &Arc<File>, bytes: u64) -> io::Result<()> {
        let mut counted = self.lock();
        if counted.bytes.saturating_add(bytes) > self.bytes_max {
            counted.settle();
        }
        if counted.bytes.saturating_add(bytes) > self.bytes_max {
            return Err(full());
        }
        counted.bytes += bytes;
        if let Some(nameless) = counted.nameless(file) {
            *nameless += bytes;
        }
        Ok(())
    }

    pub(super) fn shrink(&self, file: &Arc<File>, bytes: u64) {
        let mut counted = self.lock();
        counted.bytes = counted.bytes.saturating_sub(bytes);
        if let Some(nameless) = counted.nameless(file) {
            *nameless = nameless.saturating_sub(bytes);
        }
    }

    /// A file that is made empty: nobody says through which handle.
    pub(super) fn emptied(&self, bytes: u64) {
        let mut counted = self.lock();
        counted.bytes = counted.bytes.saturating_sub(bytes);
    }

    /// Takes room for one name more.
    pub(super) fn name(&self) -> io::Result<()> {
        let mut counted = self.lock();
        if counted.names >= self.names_max {
            return Err(full());
        }
        counted.names += 1;
        Ok(())
    }

    /// How many names there are.
    pub(super) fn names(&self) -> u64 {
        self.lock().names
    }

    pub(super) fn unname(&self) {
        let mut counted = self.lock();
        counted.names = counted.names.saturating_sub(1);
    }

    /// A file that is open from now on.
    pub(super) fn opened(&self, file: &Arc<File>) {
        let mut counted = self.lock();
        if counted.open.len() % 64 == 63 {
            counted.settle();
        }
        counted.open.push(Arc::downgrade(file));
    }

    /// A file lost this name. Its bytes are free when that was its last one, and when
    /// nobody has it open.
    pub(super) fn lost(&self, known: Known) {
        self.unname();
        if known.links > 1 {
            return;
        }
        let mut counted = self.lock();
        let is_it =
            |file: &File| file.metadata().is_ok_and(|now| now.dev() == known.device && now.ino() == known.inode);
        let still = counted.open.iter().filter(|file| file.upgrade().is_some_and(|file| is_it(&file)));
        let still: Vec<Weak<File>> = still.cloned().collect();
        if still.is_empty() {
            counted.bytes = counted.bytes.saturating_sub(known.bytes);
        } else {
            counted.nameless.push((still, known.bytes));
        }
    }

    /// Takes the room that a write needs beyond the end of its file.
    pub(super) fn write(&self, file: &Arc<File>, offset: u64, bytes: u64) -> io::Result<()> {
        let end = file.metadata()?.len();
        self.grow(file, offset.saturating_add(bytes).saturating_sub(end))
    }
}

/// A guest's stream into a file, which takes the room that it needs.
pub(super) struct Counting {
    pub(super) inner: DynOutputStream,
    pub(super) file: Arc<File>,
    pub(super) quota: Arc<Quota>,
    /// Where it writes next; `None` for the file's end.
    pub(super) position: Option<u64>,
}

impl Counting {
    /// Takes room; what was written before is in the file.
    fn take(&mut self, bytes: usize) -> StreamResult<()> {
        let failed = |error: io::Error| StreamError::LastOperationFailed(error.into());
        let bytes = bytes as u64;
        let Some(position) = &mut self.position else { return self.quota.grow(&self.file, bytes).map_err(failed) };
        // Asked each time: others may have cut it.
        self.quota.write(&self.file, *position, bytes).map_err(failed)?;
        *position = position.saturating_add(bytes);
        Ok(())
    }
}

#[async_trait]
impl Pollable for Counting {
    async fn ready(&mut self) {
        self.inner.ready().await;
    }
}

#[async_trait]
impl OutputStream for Counting {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        // The engine refuses what is written before it asks for more.
        if self.inner.check_write()? > 0 {
            self.take(bytes.len())?;
        }
        self.inner.write(bytes)
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.inner.write_ready().await?;
        self.take(bytes.len())?;
        self.inner.blocking_write_and_flush(bytes).await
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.inner.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.inner.check_write()
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(file: &File) -> Known {
        let now = file.metadata().unwrap();
        Known { device: now.dev(), inode: now.ino(), links: 1, bytes: now.len() }
    }

    #[test]
    fn bytes_and_names_are_bounded_and_given_back() {
        let (quota, file) = (Quota::new(100, 2), Arc::new(tempfile::tempfile().unwrap()));
        assert!(quota.grow(&file, 100).is_ok());
        assert_eq!(quota.grow(&file, 1).unwrap_err().raw_os_error(), Some(NO_SPACE));
        quota.shrink(&file, 10);
        assert!(quota.grow(&file, 10).is_ok());
        assert!(quota.name().is_ok() && quota.name().is_ok() && quota.name().is_err());
        quota.unname();
        assert!(quota.name().is_ok());
    }

    /// A stream that still writes.
    struct Busy;

    #[async_trait]
    impl Pollable for Busy {
        async fn ready(&mut self) {}
    }

    #[async_trait]
    impl OutputStream for Busy {
        fn write(&mut self, _: Bytes) -> StreamResult<()> {
            Err(StreamError::Closed)
        }

        fn flush(&mut self) -> StreamResult<()> {
            Ok(())
        }

        fn check_write(&mut self) -> StreamResult<usize> {
            Ok(0)
        }
    }

    #[test]
    fn what_is_not_written_takes_no_room() {
        let (quota, file) = (Arc::new(Quota::new(100, 10)), Arc::new(tempfile::tempfile().unwrap()));
        for position in [None, Some(0)] {
            let mut stream = Counting { inner: Box::new(Busy), file: file.clone(), quota: quota.clone(), position };
            assert!(stream.write(Bytes::from_static(&[0; 60])).is_err());
            assert!(quota.grow(&file, 100).is_ok(), "{position:?}");
            quota.shrink(&file, 100);
        }
    }

    #[test]
    fn a_nameless_file_counts_while_it_is_open() {
        let (quota, file) = (Quota::new(100, 10), Arc::new(tempfile::tempfile().unwrap()));
        file.set_len(60).unwrap();
        quota.name().unwrap();
        quota.grow(&file, 60).unwrap();
        quota.opened(&file);
        quota.lost(known(&file));
        let second = Arc::new(tempfile::tempfile().unwrap());
        quota.grow(&file, 20).unwrap();
        assert!(quota.grow(&second, 21).is_err());
        quota.shrink(&file, 10);
        assert!(quota.grow(&second, 30).is_ok());
        drop(file);
        assert!(quota.grow(&second, 70).is_ok(), "what it grew by is free, too");
        quota.shrink(&second, 60);
        second.set_len(40).unwrap();
        quota.lost(Known { links: 2, ..known(&second) });
        assert!(quota.grow(&second, 61).is_err(), "it has another name");
        quota.lost(known(&second));
        assert!(quota.grow(&second, 61).is_ok());
    }
}
