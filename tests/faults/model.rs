//! A disk as a list of changes leaves it: what programs see, and what is synced.
//!
//! The rules are the worst that POSIX allows a file system, except that a rename
//! is there whole or not at all, and that pages reach the disk as they were at
//! some moment:
//!
//! - `fsync` and `fdatasync` of a file keep its content and its length, and not its name;
//! - `fsync` of a directory keeps the names in it;
//! - a write through a descriptor with `O_DSYNC` keeps its own bytes;
//! - `sync_file_range` and `close` keep nothing.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::log::{Change, Record};

/// What is named: a file or a directory, by its number here.
pub(crate) type Node = usize;

/// The root's number.
pub(crate) const ROOT: Node = 0;

/// A change of names. Whole or not at all.
#[derive(Debug, Clone)]
pub(crate) struct Naming {
    /// The name that goes, by its directory.
    pub(crate) gone: Option<(Node, String)>,
    /// The name that comes.
    pub(crate) come: Option<(Node, String, Node)>,
    /// Whether a directory of it was synced since.
    pub(crate) is_synced: bool,
}

/// A change of a file's content.
#[derive(Debug, Clone)]
pub(crate) enum Edit {
    Write { offset: usize, bytes: Arc<[u8]> },
    SetLen(usize),
}

impl Edit {
    /// Makes it.
    pub(crate) fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => {
                let end = offset + bytes.len();
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[*offset..end].copy_from_slice(bytes);
            }
            Self::SetLen(len) => content.resize(*len, 0),
        }
    }
}

/// A file's content.
#[derive(Debug, Clone, Default)]
pub(crate) struct Content {
    /// As it was last synced.
    pub(crate) synced: Arc<Vec<u8>>,
    /// What was changed since, in order.
    pub(crate) pending: Vec<Edit>,
    /// As programs see it.
    pub(crate) live: Vec<u8>,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    /// All files there ever were; `None` for directories.
    pub(crate) contents: Vec<Option<Content>>,
    /// All changes of names there ever were.
    pub(crate) namings: Vec<Naming>,
    /// The names of each directory now.
    names: HashMap<Node, BTreeMap<String, Node>>,
    /// The file that has an inode number now.
    inodes: HashMap<u64, Node>,
}

impl Disk {
    /// An empty root, on the disk.
    pub(crate) fn new() -> Self {
        let mut disk = Self::default();
        disk.add(None);
        disk
    }

    fn add(&mut self, content: Option<Content>) -> Node {
        let node = self.contents.len();
        if content.is_none() {
            self.names.insert(node, BTreeMap::new());
        }
        self.contents.push(content);
        node
    }

    /// What has this path.
    pub(crate) fn find(&self, path: &str) -> Option<Node> {
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        parts.try_fold(ROOT, |node, part| self.names.get(&node)?.get(part).copied())
    }

    /// The directory that a path is in, and the name in there.
    fn place(&self, path: &str) -> Option<(Node, String)> {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parent = self.find(parent)?;
        (self.names.contains_key(&parent) && !name.is_empty()).then(|| (parent, name.to_owned()))
    }

    fn rename(&mut self, gone: Option<(Node, String)>, come: Option<(Node, String, Node)>) {
        if let Some((folder, name)) = &gone {
            self.names.entry(*folder).or_default().remove(name);
        }
        if let Some((folder, name, node)) = &come {
            self.names.entry(*folder).or_default().insert(name.clone(), *node);
        }
        self.namings.push(Naming { gone, come, is_synced: false });
    }

    /// Makes a change. One that must have failed changes nothing: a name that was
    /// taken is not made, and one that is not there is not removed.
    pub(crate) fn apply(&mut self, record: &Record) {
        match &record.change {
            Change::Create => self.create(record),
            Change::MakeDir => self.make_dir(&record.path),
            Change::Write { offset, bytes } => {
                let offset = usize::try_from(*offset).unwrap();
                self.edit(record, Edit::Write { offset, bytes: bytes.as_slice().into() });
            }
            Change::SetLen(len) => self.edit(record, Edit::SetLen(usize::try_from(*len).unwrap())),
            Change::Rename { to } => {
                if let (Some(node), Some(from), Some((folder, name))) =
                    (self.find(&record.path), self.place(&record.path), self.place(to))
                    // Two names of one file: a rename between them does nothing.
                    && self.find(to) != Some(node)
                {
                    self.rename(Some(from), Some((folder, name, node)));
                }
            }
            Change::Link { to } => {
                if let (Some(node), Some((folder, name)), None) =
                    (self.find(&record.path), self.place(to), self.find(to))
                {
                    self.rename(None, Some((folder, name, node)));
                }
            }
            Change::Remove => self.remove(&record.path),
            Change::Sync => self.sync(record),
            Change::SyncLast => self.sync_last(record),
            Change::Nothing | Change::Mark(_) => {}
        }
    }

    fn create(&mut self, record: &Record) {
        if self.find(&record.path).is_none()
            && let Some((folder, name)) = self.place(&record.path)
        {
            let node = self.add(Some(Content::default()));
            self.rename(None, Some((folder, name, node)));
            if record.inode != 0 {
                self.inodes.insert(record.inode, node);
            }
        }
    }

    fn make_dir(&mut self, path: &str) {
        let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
        for part in ends.map(|end| &path[..end]) {
            if self.find(part).is_none()
                && let Some((folder, name)) = self.place(part)
            {
                let node = self.add(None);
                self.rename(None, Some((folder, name, node)));
            }
        }
    }

    fn remove(&mut self, path: &str) {
        let (Some(node), Some(place)) = (self.find(path), self.place(path)) else { return };
        let below: Vec<String> = self.names.get(&node).into_iter().flat_map(|names| names.keys().cloned()).collect();
        for name in below {
            self.remove(&format!("{path}/{name}"));
        }
        self.rename(Some(place), None);
    }

    /// What a record of the shim is about. Its inode number may have belonged to
    /// another file before; its path may be one that a rename is just taking away.
    fn node(&mut self, record: &Record) -> Option<Node> {
        let node = self.find(&record.path).or_else(|| self.inodes.get(&record.inode).copied())?;
        self.inodes.insert(record.inode, node);
        Some(node)
    }

    fn edit(&mut self, record: &Record, edit: Edit) {
        if let Some(node) = self.node(record)
            && let Some(content) = &mut self.contents[node]
        {
            edit.apply(&mut content.live);
            content.pending.push(edit);
        }
    }

    fn sync(&mut self, record: &Record) {
        let Some(node) = self.node(record) else { return };
        if let Some(content) = &mut self.contents[node] {
            if !content.pending.is_empty() {
                content.pending.clear();
                content.synced = Arc::new(content.live.clone());
            }
            return;
        }
        for naming in self.namings.iter_mut().filter(|naming| !naming.is_synced) {
            let is_here = |folder: Option<Node>| folder == Some(node);
            naming.is_synced =
                is_here(naming.gone.as_ref().map(|gone| gone.0)) || is_here(naming.come.as_ref().map(|come| come.0));
        }
    }

    fn sync_last(&mut self, record: &Record) {
        let Some(node) = self.node(record) else { return };
        let Some(content) = &mut self.contents[node] else { return };
        let Some(edit) = content.pending.last() else { return };
        edit.apply(Arc::make_mut(&mut content.synced));
        // What is pending before it may come to the disk later, and stays in its order.
        if content.pending.len() == 1 {
            content.pending.clear();
        }
    }

    /// The files of a tree of names, and its directories as `None`.
    pub(crate) fn files(names: &HashMap<Node, BTreeMap<String, Node>>) -> Vec<(String, Node)> {
        let mut found = Vec::new();
        let mut open = vec![(String::new(), ROOT)];
        while let Some((path, node)) = open.pop() {
            for (name, &node) in names.get(&node).into_iter().flatten() {
                let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
                open.push((path.clone(), node));
                found.push((path, node));
            }
        }
        found.sort_unstable();
        found
    }

    /// Everything as programs see it; directories have no content.
    pub(crate) fn live(&self) -> BTreeMap<String, Option<Vec<u8>>> {
        let files = Self::files(&self.names);
        files.into_iter().map(|(path, node)| (path, self.contents[node].as_ref().map(|c| c.live.clone()))).collect()
    }
}
