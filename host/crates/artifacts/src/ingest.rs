//! Content that comes as a stream.

use lamina_disk::File;
use lamina_types::Digest;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::error::{Error, io};
use crate::store::{Artifacts, BYTES_MAX};
use crate::temporary::Temporary;

/// So much is in memory at once.
const CHUNK_BYTES: usize = 256 * 1024;

/// What has come so far.
struct Incoming {
    temporary: Temporary,
    file: File,
    hash: Sha256,
    bytes: u64,
}

impl Incoming {
    /// Takes one more chunk. Blocks.
    fn add(&mut self, chunk: &[u8]) -> Result<(), Error> {
        if chunk.is_empty() {
            return Ok(());
        }
        self.file.write_at(self.bytes, chunk).map_err(io(format!("writing {}", self.temporary.name())))?;
        self.hash.update(chunk);
        self.bytes += chunk.len() as u64;
        Ok(())
    }
}

impl Artifacts {
    /// Stores what the reader gives, up to its end, as [`Artifacts::put`] does, with
    /// a quarter of a megabyte of it in memory. Answers its digest and length.
    ///
    /// [`Error::TooLarge`] as soon as more than `bytes_max` have come (or more than
    /// any artifact may have), [`Error::Source`] when the reader fails: then, and
    /// when it is dropped half-way, nothing is left behind. How long the reader may
    /// take is the caller's business.
    pub async fn ingest(&self, reader: impl AsyncRead, bytes_max: u64) -> Result<(Digest, u64), Error> {
        let bytes_max = bytes_max.min(BYTES_MAX);
        let mut reader = std::pin::pin!(reader);
        let mut incoming = self
            .blocking(|this| {
                let (temporary, file) = this.create()?;
                Ok(Incoming { temporary, file, hash: Sha256::new(), bytes: 0 })
            })
            .await?;
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        loop {
            let filled = match fill(&mut reader, &mut chunk).await {
                Ok(_) if chunk.len() as u64 > bytes_max.saturating_sub(incoming.bytes) => {
                    Err(Error::TooLarge { bytes_max })
                }
                filled => filled.map_err(Error::Source),
            };
            let is_end = match filled {
                Ok(is_end) => is_end,
                // Not on this thread: to give up many megabytes takes a while.
                Err(error) => {
                    self.blocking(move |_| {
                        drop(incoming);
                        Ok(())
                    })
                    .await?;
                    return Err(error);
                }
            };
            (incoming, chunk) = self
                .blocking(move |_| {
                    incoming.add(&chunk)?;
                    Ok((incoming, chunk))
                })
                .await?;
            if is_end {
                return self.blocking(move |this| this.keep(incoming)).await;
            }
        }
    }

    fn keep(&self, incoming: Incoming) -> Result<(Digest, u64), Error> {
        let Incoming { temporary, file, hash, bytes } = incoming;
        let digest = Digest::from_bytes(hash.finalize().into());
        if !self.renew(&digest)? {
            let (folder, path) = self.content_folder(&digest)?;
            self.publish(&temporary, &file, &folder, &path)?;
        }
        Ok((digest, bytes))
    }
}

/// Reads until the chunk is full, or to the end: then it answers true.
async fn fill(reader: &mut (impl AsyncRead + Unpin), chunk: &mut Vec<u8>) -> std::io::Result<bool> {
    chunk.clear();
    let mut reader = reader.take(CHUNK_BYTES as u64);
    while chunk.len() < CHUNK_BYTES {
        if reader.read_buf(chunk).await? == 0 {
            return Ok(true);
        }
    }
    Ok(false)
}
