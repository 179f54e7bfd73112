//! Exports: all records in one file, as a checkpoint leaves them.

use std::collections::BTreeMap;
use std::io;

use hmac::{Hmac, Mac as _};
use lamina_disk::{File, Folder};
use sha2::Sha256;

use crate::frame::{Broken, MAC_BYTES, Mac, MacKey, Reader};

const MAGIC: &[u8; 8] = b"LAMEXP01";
const END: u16 = 0xffff;
const TAG_BYTES: usize = 32;
const BUFFER_BYTES: usize = 256 << 10;
/// Where an export is written before it has its name.
pub(crate) const TEMPORARY: &str = "export.new";
/// The largest export that is read.
pub(crate) const BYTES_MAX: u64 = 16 << 30;

/// All records.
pub(crate) type State = BTreeMap<Vec<u8>, Vec<u8>>;

/// An export while it is written.
pub(crate) struct Writer {
    file: File,
    mac: Hmac<Sha256>,
    buffer: Vec<u8>,
    at: u64,
    records: u64,
}

impl Writer {
    /// Begins an export of everything up to this number.
    pub(crate) fn begin(folder: &Folder, key: &MacKey, sequence: u64, chain: &Mac) -> io::Result<Self> {
        folder.remove(TEMPORARY)?;
        let file = folder.create(TEMPORARY)?;
        let mut writer = Self { file, mac: key.file(), buffer: Vec::new(), at: 0, records: 0 };
        writer.push(MAGIC)?;
        writer.push(&sequence.to_le_bytes())?;
        writer.push(chain)?;
        Ok(writer)
    }

    fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.mac.update(&self.buffer);
        self.write()
    }

    fn write(&mut self) -> io::Result<()> {
        self.file.write_at(self.at, &self.buffer)?;
        self.at += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Adds a record; keys must rise.
    pub(crate) fn record(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        self.records += 1;
        self.push(&u16::try_from(key.len()).map_err(io::Error::other)?.to_le_bytes())?;
        self.push(key)?;
        self.push(&u32::try_from(value.len()).map_err(io::Error::other)?.to_le_bytes())?;
        self.push(value)
    }

    /// Ends the export, syncs it, and gives it its name; answers its bytes.
    pub(crate) fn finish(mut self, folder: &Folder, name: &str) -> io::Result<u64> {
        self.push(&END.to_le_bytes())?;
        self.push(&self.records.to_le_bytes())?;
        self.flush()?;
        let tag = self.mac.clone().finalize().into_bytes();
        self.buffer.extend_from_slice(&tag);
        self.write()?;
        self.file.sync()?;
        folder.rename(TEMPORARY, name)?;
        folder.sync_dir(".")?;
        Ok(self.at)
    }
}

/// What an export says.
pub(crate) struct Export {
    pub(crate) sequence: u64,
    pub(crate) chain: Mac,
    pub(crate) state: State,
}

/// Reads an export; every byte of it counts.
pub(crate) fn read(bytes: &[u8], key: &MacKey) -> Result<Export, Broken> {
    let signed = bytes.len().checked_sub(TAG_BYTES).ok_or(Broken("it ends too soon"))?;
    let (body, tag) = bytes.split_at(signed);
    let mut mac = key.file();
    mac.update(body);
    mac.verify_slice(tag).map_err(|_| Broken("it is not what this platform has written"))?;
    let mut reader = Reader(body);
    if reader.take(MAGIC.len())? != MAGIC {
        return Err(Broken("it is no export"));
    }
    let sequence = reader.u64()?;
    let mut chain = [0; MAC_BYTES];
    chain.copy_from_slice(reader.take(MAC_BYTES)?);
    let mut state = State::new();
    loop {
        let length = reader.u16()?;
        if length == END {
            break;
        }
        let key = reader.take(usize::from(length))?.to_vec();
        let length = reader.u32()? as usize;
        state.insert(key, reader.take(length)?.to_vec());
    }
    if reader.u64()? != state.len() as u64 || !reader.0.is_empty() {
        return Err(Broken("its end is no export's"));
    }
    Ok(Export { sequence, chain, state })
}
