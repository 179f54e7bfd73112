//! Why a zip is not read.

/// What is wrong with a zip. The texts go on from "the zip" or "the entry `NAME`".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Fault {
    /// No end record where one must be.
    #[error("has no end of central directory record: it is no zip, or was cut short")]
    NoEnd,
    /// Bytes after the end record and its comment, or a comment that is cut.
    #[error("does not end where its end record says: bytes follow it, or are missing")]
    Trailing,
    /// More than one end record fits the file.
    #[error("has two end of central directory records that both fit")]
    TwoEnds,
    /// A part of a zip in several files.
    #[error("is one of several parts")]
    Parts,
    /// Fields or records of zip64.
    #[error("uses zip64, which nothing of an allowed size needs")]
    Zip64,
    /// The central directory is not as long, or not where, its end record says.
    #[error("has a central directory that is not what its end record says")]
    Directory,
    /// A record is cut or lacks its signature.
    #[error("has a record that is cut short or begins with the wrong bytes")]
    Record,
    /// An extra field that is cut.
    #[error("has extra fields that do not fill their place")]
    Extra,
    /// An extra field that gives the file another name.
    #[error("has an extra field with another name")]
    OtherName,
    /// Too many entries.
    #[error("has more entries than {}", crate::ENTRIES_MAX)]
    Entries,
    /// The two headers name different files.
    #[error("has another name in its local header")]
    NamesDiffer,
    /// The two headers say different sizes or checks.
    #[error("has other sizes or another check in its local header or data descriptor")]
    SizesDiffer,
    /// The two headers say different methods or flags.
    #[error("has another method or other flags in its local header")]
    HeadersDiffer,
    /// Two entries share bytes.
    #[error("overlaps another")]
    Overlap,
    /// Bytes that belong to nothing.
    #[error("has bytes before it, or after its data, that belong to no entry")]
    Gap,
    /// A password is needed.
    #[error("is encrypted")]
    Encrypted,
    /// Neither stored nor deflated.
    #[error("is compressed by method {0}; stored (0) and deflate (8) are allowed")]
    Method(u16),
    /// Flags of features that nothing here reads.
    #[error("has flags that are not allowed")]
    Flags,
    /// Deflate cannot shrink anything so far.
    #[error("claims to unpack to more than its bytes can hold")]
    Ratio,
    /// The content cannot be unpacked.
    #[error("cannot be unpacked: its compressed data is damaged")]
    Data,
    /// The content has another length than both headers say.
    #[error("unpacks to another size than it says")]
    Size,
    /// The content has another CRC-32.
    #[error("does not fit its check (CRC-32)")]
    Check,
    /// A folder with content.
    #[error("is a folder and has content")]
    FolderContent,
    /// A link that leads to no file of the package.
    #[error("is a symbolic link that leads to no file of the package: pack what it stands for instead")]
    Link,
    /// A link that leads elsewhere.
    #[error("is a symbolic link that leads out of the package")]
    LinkOut,
    /// A device, a pipe, a socket; or a folder whose name does not say so.
    #[error("is neither a file nor a folder")]
    Special,
    /// No name.
    #[error("has no name")]
    NoName,
    /// A name that is too long as a whole, in a part, or in the number of its parts.
    #[error(
        "has a name past {} bytes, {} bytes in one part or {} parts",
        crate::NAME_BYTES_MAX,
        crate::PART_BYTES_MAX,
        crate::DEPTH_MAX
    )]
    LongName,
    /// A name that is no text.
    #[error("has a name that is not UTF-8")]
    NotUtf8,
    /// NUL, line feeds and their like.
    #[error("has a control character in its name")]
    Control,
    /// A separator of another system.
    #[error("has a backslash in its name")]
    Backslash,
    /// From the root, or from a drive.
    #[error("has an absolute path")]
    Absolute,
    /// `..`
    #[error("leads out of the package")]
    Upwards,
    /// `.`, or nothing between two slashes.
    #[error("has an empty part or `.` in its path")]
    Dots,
    /// A name that another entry has.
    #[error("is there twice")]
    Twice,
    /// A name that another entry has as a folder.
    #[error("is a file and, for another entry, a folder")]
    FileAndFolder,
    /// All files together are too large.
    #[error("unpacks to more than {} bytes", lamina_types::limits::PACKAGE_UNZIPPED_BYTES_MAX)]
    Unzipped,
}

/// A zip that is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZipError {
    /// What is wrong.
    pub fault: Fault,
    /// The entry that it is about, shortened and made printable.
    pub entry: Option<String>,
}

/// So many characters of a name are shown.
const SHOWN_CHARS_MAX: usize = 100;

impl ZipError {
    pub(crate) const fn whole(fault: Fault) -> Self {
        Self { fault, entry: None }
    }

    pub(crate) fn of(name: &[u8], fault: Fault) -> Self {
        Self { fault, entry: Some(shown(name)) }
    }

    /// Whether the file is damaged or no zip at all, which Lambda does not tell
    /// apart; else it can be read and is refused for what it is.
    pub const fn is_unreadable(&self) -> bool {
        matches!(
            self.fault,
            Fault::NoEnd
                | Fault::Trailing
                | Fault::Parts
                | Fault::Directory
                | Fault::Record
                | Fault::Extra
                | Fault::Data
                | Fault::Size
                | Fault::Check
        )
    }
}

/// A name for a message.
pub(crate) fn shown(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name);
    let mut shown = String::new();
    for c in text.chars().take(SHOWN_CHARS_MAX) {
        if c.is_control() { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    if text.chars().nth(SHOWN_CHARS_MAX).is_some() {
        shown.push_str("...");
    }
    shown
}

impl std::error::Error for ZipError {}

impl std::fmt::Display for ZipError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.entry {
            None => write!(f, "the zip {}", self.fault),
            Some(entry) => write!(f, "the entry `{entry}` of the zip {}", self.fault),
        }
    }
}
