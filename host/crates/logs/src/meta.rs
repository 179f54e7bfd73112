//! What a group is besides its lines: the file `group` in its folder.

use std::collections::BTreeMap;
use std::io;

use lamina_disk::Folder;
use serde::{Deserialize, Serialize};

const MAGIC: &[u8; 8] = b"LAMGRP01";
const NAME: &str = "group";
const TEMPORARY: &str = "group.new";
/// The longest such file: ten thousand streams, with names of 512 characters.
const BYTES_MAX: u64 = 16 << 20;

/// See the module. Times are in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Meta {
    pub(crate) name: String,
    pub(crate) created_ms: u64,
    /// Days that lines are kept; for ever when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) retention_days: Option<u32>,
    /// Streams that were created by name, and when.
    #[serde(default)]
    pub(crate) streams: BTreeMap<String, u64>,
    /// Streams that were deleted, and up to which number their lines are gone.
    #[serde(default)]
    pub(crate) deleted: BTreeMap<String, u64>,
}

impl Meta {
    /// What the folder has; `Ok(Err)` when it has something else.
    pub(crate) fn read(folder: &Folder) -> io::Result<Result<Self, &'static str>> {
        let Some(bytes) = folder.read(NAME, BYTES_MAX)? else { return Ok(Err("there is none")) };
        Ok(Self::parse(&bytes))
    }

    fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        let rest = bytes.strip_prefix(MAGIC).ok_or("it does not begin with LAMGRP01")?;
        let (check, json) = rest.split_at_checked(4).ok_or("it ends too early")?;
        if check != crc32fast::hash(json).to_le_bytes() {
            return Err("its check does not fit");
        }
        serde_json::from_slice(json).map_err(|_| "it is not what was written")
    }

    /// Puts it in the place of what was there; it stays when this returns.
    pub(crate) fn write(&self, folder: &Folder) -> io::Result<()> {
        let json = serde_json::to_vec(self)?;
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&crc32fast::hash(&json).to_le_bytes());
        bytes.extend_from_slice(&json);
        // What a kill left.
        folder.remove(TEMPORARY)?;
        folder.replace(TEMPORARY, NAME, &bytes)
    }
}
