//! Looking at a directory without using it: what is wrong, and what mending it
//! would do.

use std::path::Path;

use lamina_disk::Folder;

use crate::disk::{Directory, FORMAT, JOURNAL};
use crate::error::Error;
use crate::frame::MacKey;
use crate::store::Keys;
use crate::{index, recover};

/// Memory for a look at the index, in bytes.
const CACHE_BYTES: u64 = 64 << 20;

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub what: String,
    /// Where: a path in the data directory.
    pub place: String,
    /// What mending it does; `None` when it cannot be mended here.
    pub repair: Option<String>,
    /// Whether it was mended.
    pub repaired: bool,
}

/// What a look came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// What is not as it should be.
    pub findings: Vec<Finding>,
    /// The last transaction, if the journal could be read.
    pub sequence: Option<u64>,
    /// Records, if the journal could be read.
    pub records: Option<u64>,
}

/// Looks at the records of a directory that nobody has open, and with `repair` mends
/// what can be: cuts off a write that did not end, removes an index that differs
/// (the next start makes it again).
///
/// # Errors
/// The directory is in use, of a newer or unknown format, or cannot be read.
pub fn check(data: &Folder, path: &Path, keys: &Keys, repair: bool) -> Result<Checked, Error> {
    let directory = Directory::take(data, path)?;
    let mut checked = Checked::default();
    match directory.format {
        Some(FORMAT) => {}
        Some(older) => {
            checked.findings.push(Finding {
                what: format!("the directory has format {older}: the next start migrates it"),
                place: "format".to_owned(),
                repair: None,
                repaired: false,
            });
            return Ok(checked);
        }
        None => return Err(Error::Format("the file is missing".to_owned())),
    }
    let storage = |error: std::io::Error| Error::storage("opening the journal", error);
    if !data.dir().is_dir(JOURNAL) {
        return Err(Error::storage("opening the journal", "its directory is missing"));
    }
    let journal = data.folder(JOURNAL).map_err(storage)?;
    let recovered = match recover::recover(&journal, &MacKey::new(&keys.journal), repair) {
        Ok(recovered) => recovered,
        Err(Error::Damaged { file, offset, reason }) => {
            let what = format!("damaged at byte {offset}: {reason}");
            checked.findings.push(Finding { what, place: file, repair: None, repaired: false });
            return Ok(checked);
        }
        Err(error) => return Err(error),
    };
    if recovered.torn_bytes > 0 {
        checked.findings.push(Finding {
            what: format!("{} bytes of a write that was cut off, and acknowledged to nobody", recovered.torn_bytes),
            place: recovered.tail.file.path().to_owned(),
            repair: Some("cut them off".to_owned()),
            repaired: repair,
        });
    }
    (checked.sequence, checked.records) = (Some(recovered.tail.sequence), Some(recovered.state.len() as u64));
    if directory.engine.exists()
        && let Some(reason) = index::compare(&directory.engine, CACHE_BYTES, &recovered)
    {
        if repair {
            index::remove(&directory.engine)?;
        }
        checked.findings.push(Finding {
            what: reason,
            place: "sled".to_owned(),
            repair: Some("remove it: the next start makes it again from the journal".to_owned()),
            repaired: repair,
        });
    }
    Ok(checked)
}
