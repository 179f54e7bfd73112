//! Beginning a journal: in a new directory, and in one of format 1, which had sled
//! alone. The format file is written last, so that what was interrupted begins
//! again.

use lamina_disk::Folder;

use crate::disk::{Directory, JOURNAL, write_format};
use crate::error::Error;
use crate::export::Writer;
use crate::frame::{Mac, MacKey};
use crate::index;
use crate::journal::{EMPTY_BYTES, Listing, Tail, export_name, journal_name};
use crate::store::{Config, Keys};

fn storage(error: std::io::Error) -> Error {
    Error::storage("making the journal", error)
}

/// Makes an empty journal. A directory that has records and no format is not ours
/// to make one in.
pub(crate) fn begin(data: &Folder, directory: &Directory) -> Result<(), Error> {
    let missing = || Error::Format("the file is missing".to_owned());
    if directory.engine.exists() {
        return Err(missing());
    }
    let journal = data.folder(JOURNAL).map_err(storage)?;
    let listing = Listing::of(&journal).map_err(storage)?;
    let is_begun = |first: &u64| -> Result<bool, Error> {
        let metadata = journal.metadata(&journal_name(*first)).map_err(storage)?;
        Ok(*first != 1 || metadata.is_some_and(|metadata| metadata.len() > EMPTY_BYTES))
    };
    if !listing.exports.is_empty()
        || listing.journals.iter().map(is_begun).collect::<Result<Vec<_>, _>>()?.contains(&true)
    {
        return Err(missing());
    }
    Tail::create(&journal, None, 0, Mac::default()).map_err(|failed| storage(failed.into_error()))?;
    finish(data)
}

/// The MAC before the first group of a journal that began with records of format 1:
/// without the export that holds them it goes on from nothing.
const MIGRATED: Mac = *b"lamina format 1\0";

/// Writes what sled holds as an export, with the values of the sealed tables sealed,
/// and begins the journal after it. The index differs from it then, and is made anew:
/// nothing plain is left.
pub(crate) fn from_format_1(data: &Folder, directory: &Directory, keys: &Keys, config: &Config) -> Result<(), Error> {
    // Of a migration that was interrupted.
    data.remove_all(JOURNAL).map_err(storage)?;
    let db = index::attempt(&directory.engine, config.cache_bytes)
        .map_err(|reason| Error::storage("opening the records of format 1", reason))?;
    let journal = data.folder(JOURNAL).map_err(storage)?;
    Tail::create(&journal, None, 0, MIGRATED).map_err(|failed| storage(failed.into_error()))?;
    let mut writer = Writer::begin(&journal, &MacKey::new(&keys.journal), 0, &MIGRATED).map_err(storage)?;
    for entry in db.iter() {
        let (key, value) = entry.map_err(|error| Error::storage("reading the records of format 1", error))?;
        let table = key.split(|byte| *byte == 0).next().unwrap_or_default();
        if config.sealed.iter().any(|sealed| sealed.as_bytes() == table) {
            let value = keys.secrets.seal(&key, &value);
            let value = value.map_err(|reason| Error::storage("sealing a record of format 1", reason))?;
            writer.record(&key, &value).map_err(storage)?;
        } else {
            writer.record(&key, &value).map_err(storage)?;
        }
    }
    writer.finish(&journal, &export_name(0)).map_err(storage)?;
    finish(data)
}

fn finish(data: &Folder) -> Result<(), Error> {
    data.sync_dir(".").and_then(|()| write_format(data)).map_err(storage)
}
