//! Reading everything, slowly, to find what the disk no longer gives back.

use std::io::{ErrorKind, Read as _};
use std::time::Duration;

use lamina_types::Digest;
use sha2::{Digest as _, Sha256};

use crate::error::Error;
use crate::store::{Artifacts, BYTES_MAX, content_path};

/// What is read on a blocking thread at once: at most this, and no more than a
/// second's worth, so that the pauses stay short.
const SLICE_BYTES: u64 = 1024 * 1024;
const SLICE_BYTES_MIN: u64 = 4096;

/// What an artifact was found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Its bytes have its digest.
    Good,
    /// Its bytes have another digest, or the disk does not give them back.
    Rotten,
    /// Removed since the scrub began.
    Missing,
    /// It could not be opened, which says nothing about its bytes.
    Unopened,
}

/// One artifact is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScrubStep {
    /// Which.
    pub digest: Digest,
    /// What it was found to be.
    pub found: Found,
    /// Bytes read of it.
    pub bytes: u64,
    /// Artifacts done, this one included.
    pub done: usize,
    /// Artifacts in all.
    pub total: usize,
}

/// Everything is done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scrubbed {
    /// Artifacts that were read to their end or to an error.
    pub files: u64,
    /// Bytes read.
    pub bytes: u64,
    /// See [`Found::Rotten`]: their functions must be deployed again.
    pub rotten: Vec<Digest>,
    /// See [`Found::Missing`].
    pub missing: Vec<Digest>,
    /// See [`Found::Unopened`].
    pub unopened: Vec<Digest>,
}

impl Scrubbed {
    fn add(&mut self, digest: Digest, found: Found, bytes: u64) {
        self.bytes += bytes;
        match found {
            Found::Good => {}
            Found::Rotten => self.rotten.push(digest),
            Found::Missing => return self.missing.push(digest),
            Found::Unopened => return self.unopened.push(digest),
        }
        self.files += 1;
    }
}

/// A file on its way through the hash.
struct Reading {
    file: std::fs::File,
    hash: Sha256,
    slice: Vec<u8>,
}

impl Reading {
    /// Reads on, and answers how far; 0 at the end. Blocks.
    fn read(&mut self) -> std::io::Result<usize> {
        loop {
            match self.file.read(&mut self.slice) {
                Ok(count) => {
                    self.hash.update(self.slice.get(..count).unwrap_or_default());
                    return Ok(count);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Artifacts {
    /// Reads every artifact, at most so many bytes a second (0: without a pause),
    /// and compares it with its digest; calls `progress` after each. It begins
    /// at a random one, so that none is always last when scrubs are cut short, and
    /// goes on past what is bad. What the system has in memory is read from there.
    ///
    /// Changes nothing. Dropped half-way, it stops after the slice it reads.
    pub async fn scrub(&self, bytes_per_second: u64, mut progress: impl FnMut(ScrubStep)) -> Result<Scrubbed, Error> {
        let mut digests = self.list().await?;
        let total = digests.len();
        if total > 0 {
            let random = u128::from_be_bytes(self.ids.random16());
            digests.rotate_left(usize::try_from(random % total as u128).unwrap_or_default());
        }
        let mut scrubbed = Scrubbed::default();
        for (index, digest) in digests.into_iter().enumerate() {
            let (mut found, mut bytes) = self.scrub_one(digest, bytes_per_second).await?;
            if found == Found::Rotten {
                // A second time: it may just have been put again.
                let (again, more) = self.scrub_one(digest, bytes_per_second).await?;
                (found, bytes) = (again, bytes + more);
            }
            scrubbed.add(digest, found, bytes);
            progress(ScrubStep { digest, found, bytes, done: index + 1, total });
        }
        Ok(scrubbed)
    }

    async fn scrub_one(&self, digest: Digest, bytes_per_second: u64) -> Result<(Found, u64), Error> {
        let mut reading = match self.blocking(move |this| Ok(this.reading(&digest, bytes_per_second))).await? {
            Ok(Some(reading)) => reading,
            Ok(None) => return Ok((Found::Rotten, 0)),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok((Found::Missing, 0)),
            Err(_) => return Ok((Found::Unopened, 0)),
        };
        let mut bytes = 0;
        loop {
            let (read, after) = self
                .blocking(move |_| {
                    let read = reading.read();
                    Ok((read, reading))
                })
                .await?;
            reading = after;
            match read {
                Ok(0) => break,
                Ok(count) => {
                    bytes += count as u64;
                    pause(count as u64, bytes_per_second).await;
                }
                Err(_) => return Ok((Found::Rotten, bytes)),
            }
        }
        let is_good = Digest::from_bytes(reading.hash.finalize().into()) == digest;
        Ok((if is_good { Found::Good } else { Found::Rotten }, bytes))
    }

    /// The artifact's file; `None` when it is larger than any artifact.
    fn reading(&self, digest: &Digest, bytes_per_second: u64) -> std::io::Result<Option<Reading>> {
        let file = self.folder.dir().open(content_path(digest).1)?.into_std();
        let length = file.metadata()?.len();
        if length > BYTES_MAX {
            return Ok(None);
        }
        let second = if bytes_per_second == 0 { SLICE_BYTES } else { bytes_per_second };
        let slice = second.min(length).clamp(SLICE_BYTES_MIN, SLICE_BYTES);
        let slice = vec![0; usize::try_from(slice).unwrap_or(usize::MAX)];
        Ok(Some(Reading { file, hash: Sha256::new(), slice }))
    }
}

async fn pause(bytes: u64, bytes_per_second: u64) {
    let Some(micros) = bytes.saturating_mul(1_000_000).checked_div(bytes_per_second) else { return };
    if micros > 0 {
        tokio::time::sleep(Duration::from_micros(micros)).await;
    }
}
