//! The shim's log: what a program changed, and its marks in between.

use std::io::Write as _;
use std::path::Path;

/// A change, or a mark.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// The shim's kind, or `seam` for a change that the program told of itself.
    pub(crate) kind: Kind,
    /// The inode number, where a descriptor was used.
    pub(crate) inode: u64,
    /// Relative to the root. For a rename the name so far.
    pub(crate) path: String,
    /// What happened.
    pub(crate) change: Change,
}

/// As the shim numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Mark,
    Create,
    Write,
    Truncate,
    Rename,
    Unlink,
    Link,
    Mkdir,
    Fsync,
    Fdatasync,
    SyncFileRange,
    Close,
    Written,
}

impl Kind {
    const ALL: [(Self, &'static str); 13] = [
        (Self::Mark, "mark"),
        (Self::Create, "create"),
        (Self::Write, "write"),
        (Self::Truncate, "truncate"),
        (Self::Rename, "rename"),
        (Self::Unlink, "unlink"),
        (Self::Link, "link"),
        (Self::Mkdir, "mkdir"),
        (Self::Fsync, "fsync"),
        (Self::Fdatasync, "fdatasync"),
        (Self::SyncFileRange, "sync_file_range"),
        (Self::Close, "close"),
        (Self::Written, "written"),
    ];

    /// The shim's name of it.
    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }
}

/// What a record says has happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// An empty file, if the name was free.
    Create,
    MakeDir,
    Write {
        offset: u64,
        bytes: Vec<u8>,
    },
    SetLen(u64),
    Rename {
        to: String,
    },
    Link {
        to: String,
    },
    /// A name is gone, with everything below it.
    Remove,
    /// A file's data or a directory's entries are on the disk.
    Sync,
    /// The write before, through a descriptor with `O_DSYNC`, is on the disk.
    SyncLast,
    /// Nothing that stays: `sync_file_range`, which promises nothing, and `close`.
    Nothing,
    /// The program's own words.
    Mark(String),
}

/// Appends records to a log, in the shim's shape. Names are changed as the shim sees
/// it; nothing is known of inodes.
pub(crate) fn append(path: &Path, records: &[Record]) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    for Record { kind, inode, path, change } in records {
        let (value, second, rest): (u64, &str, &[u8]) = match change {
            Change::Write { offset, bytes } => (*offset, "", bytes),
            Change::SetLen(len) => (*len, "", &[]),
            Change::Rename { to } | Change::Link { to } => (0, to, &[]),
            Change::Mark(text) => (0, "", text.as_bytes()),
            Change::Create | Change::MakeDir | Change::Remove | Change::Sync | Change::SyncLast | Change::Nothing => {
                (0, "", &[])
            }
        };
        let number = Kind::ALL.iter().position(|(one, _)| one == kind).expect("every kind has a number") + 1;
        let head = [&[number as u8][..], &inode.to_le_bytes(), &value.to_le_bytes()].concat();
        let name = |path: &str| [&(path.len() as u16).to_le_bytes()[..], path.as_bytes()].concat();
        let record = [&head, &name(path)[..], &name(second), rest].concat();
        bytes.extend((record.len() as u32).to_le_bytes());
        bytes.extend(record);
    }
    std::fs::File::options().create(true).append(true).open(path)?.write_all(&bytes)
}

/// Reads a log. A record that was cut off at the end, by a kill, is left out.
pub(crate) fn read(path: &Path) -> Vec<Record> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut rest = bytes.as_slice();
    let mut records = Vec::new();
    while let Some((head, after)) = rest.split_first_chunk::<4>() {
        let Some((record, after)) = after.split_at_checked(u32::from_le_bytes(*head) as usize) else { break };
        records.push(parse(record).expect("a log of this suite's own shim"));
        rest = after;
    }
    records
}

fn parse(mut record: &[u8]) -> Option<Record> {
    let kind = Kind::ALL.get(usize::from(*record.split_off_first()?).checked_sub(1)?)?.0;
    let inode = number(&mut record)?;
    let value = number(&mut record)?;
    let path = text(&mut record)?;
    let second = text(&mut record)?;
    let change = match kind {
        Kind::Mark => return Some(mark(String::from_utf8(record.to_vec()).ok()?)),
        Kind::Create => Change::Create,
        Kind::Write => Change::Write { offset: value, bytes: record.to_vec() },
        Kind::Truncate => Change::SetLen(value),
        Kind::Rename => Change::Rename { to: second },
        Kind::Unlink => Change::Remove,
        Kind::Link => Change::Link { to: second },
        Kind::Mkdir => Change::MakeDir,
        Kind::Fsync | Kind::Fdatasync => Change::Sync,
        Kind::Written => Change::SyncLast,
        Kind::SyncFileRange | Kind::Close => Change::Nothing,
    };
    Some(Record { kind, inode, path, change })
}

fn number(record: &mut &[u8]) -> Option<u64> {
    let (bytes, rest) = record.split_first_chunk::<8>()?;
    *record = rest;
    Some(u64::from_le_bytes(*bytes))
}

fn text(record: &mut &[u8]) -> Option<String> {
    let (length, rest) = record.split_first_chunk::<2>()?;
    let (bytes, rest) = rest.split_at_checked(u16::from_le_bytes(*length).into())?;
    *record = rest;
    String::from_utf8(bytes.to_vec()).ok()
}

/// A mark of the seam is the change that it tells of.
fn mark(text: String) -> Record {
    let mut words = text.split('\t');
    let (kind, change) = match (words.next(), words.next()) {
        (Some("seam"), Some("create")) => (Kind::Create, Change::Create),
        (Some("seam"), Some("mkdir")) => (Kind::Mkdir, Change::MakeDir),
        (Some("seam"), Some("remove")) => (Kind::Unlink, Change::Remove),
        (Some("seam"), Some("rename")) => (Kind::Rename, Change::Rename { to: String::new() }),
        (Some("seam"), Some("link")) => (Kind::Link, Change::Link { to: String::new() }),
        _ => return Record { kind: Kind::Mark, inode: 0, path: String::new(), change: Change::Mark(text) },
    };
    let mut name = || words.next().unwrap_or_default().to_owned();
    let path = name();
    let change = match change {
        Change::Rename { .. } => Change::Rename { to: name() },
        Change::Link { .. } => Change::Link { to: name() },
        change => change,
    };
    Record { kind, inode: 0, path, change }
}

/// One line for people.
pub(crate) fn line(record: &Record) -> String {
    let Record { kind, path, change, .. } = record;
    let name = kind.name();
    match change {
        Change::Write { offset, bytes } => format!("{name} {path} [{offset}, {})", offset + bytes.len() as u64),
        Change::SetLen(len) => format!("{name} {path} to {len}"),
        Change::Rename { to } | Change::Link { to } => format!("{name} {path} to {to}"),
        Change::Mark(text) => format!("{name} {text}"),
        _ => format!("{name} {path}"),
    }
}
