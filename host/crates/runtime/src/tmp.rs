//! `/tmp`: a directory private to one instance, made when it first writes there.
//!
//! Until then the instance holds a directory that is always empty and cannot be
//! written: it answers every look right, and costs nothing. The first call that
//! would change something makes the real one, and puts it in place of the empty one
//! in every handle. It goes with the instance, on a thread of its own; what a kill
//! leaves behind is cleared at the next start.
//!
//! The bounds on bytes and names are crude: they are kept where the guest asks, not
//! by the file system.

mod host;
mod quota;

pub(crate) use host::add_to_linker;

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use cap_std::fs::Dir as CapDir;
use lamina_kit::Ids;
use wasmtime::component::{Resource, ResourceTable};
use wasmtime_wasi::filesystem::{Descriptor, Dir};
use wasmtime_wasi::{FsPerms, OpenMode};

use self::quota::Quota;
use crate::config::Config;

/// Where a guest sees it.
pub(crate) const TMP_ROOT: &str = "/tmp";
/// The directory that stands for those that are not made yet.
const EMPTY: &str = "empty";
/// Directories that wait to be removed; past it whoever drops one removes it.
const REMOVALS_MAX: usize = 10_000;

/// Makes and removes the directories. Clones share it.
#[derive(Clone)]
pub(crate) struct TmpSource {
    shared: Arc<Shared>,
}

struct Shared {
    root: CapDir,
    ids: Arc<dyn Ids>,
    empty: Dir,
    removals: SyncSender<String>,
    bytes_max: u64,
    names_max: u64,
}

/// What one instance has of it.
#[derive(Default)]
pub(crate) struct Tmp {
    /// Its handles of the empty directory.
    empty: Vec<u32>,
    /// Apart: most instances never have one, and all carry this about.
    made: Option<Box<Made>>,
}

/// A directory that is there.
struct Made {
    name: String,
    dir: Dir,
    quota: Arc<Quota>,
    source: TmpSource,
}

impl Drop for Made {
    fn drop(&mut self) {
        let Shared { removals, root, .. } = &*self.source.shared;
        if let Err(error) = removals.try_send(std::mem::take(&mut self.name)) {
            let (std::sync::mpsc::TrySendError::Full(name) | std::sync::mpsc::TrySendError::Disconnected(name)) = error;
            remove(root, &name);
        }
    }
}

fn remove(root: &CapDir, name: &str) {
    if let Err(error) = root.remove_dir_all(name) {
        tracing::warn!(name, %error, "an instance's /tmp could not be removed");
    }
}

fn wasi(dir: CapDir, perms: FsPerms) -> Dir {
    // Told apart by its permissions: nothing else that a guest has can be written.
    Dir::new(dir.into_std_file(), perms, OpenMode::READ | OpenMode::WRITE, true)
}

impl TmpSource {
    /// Over an empty directory of its own.
    pub(crate) fn new(root: CapDir, ids: Arc<dyn Ids>, config: &Config) -> io::Result<Self> {
        root.create_dir_all(EMPTY)?;
        let empty = wasi(root.open_dir(EMPTY)?, FsPerms::ReadOnly);
        let (removals, to_remove) = sync_channel::<String>(REMOVALS_MAX);
        let removed_from = root.try_clone()?;
        thread::Builder::new().name("lamina-tmp".into()).spawn(move || {
            // Ends with the last sender.
            for name in to_remove {
                remove(&removed_from, &name);
            }
        })?;
        let (bytes_max, names_max) = (config.tmp_bytes_max, config.tmp_names_max);
        Ok(Self { shared: Arc::new(Shared { root, ids, empty, removals, bytes_max, names_max }) })
    }

    fn make(&self) -> io::Result<Made> {
        let name = hex(self.shared.ids.random16());
        self.shared.root.create_dir(&name)?;
        let dir = wasi(self.shared.root.open_dir(&name)?, FsPerms::ReadWrite);
        let quota = Arc::new(Quota::new(self.shared.bytes_max, self.shared.names_max));
        Ok(Made { name, dir, quota, source: self.clone() })
    }
}

fn hex(bytes: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(bytes))
}

impl Tmp {
    /// A handle of the directory for a guest that asks what there is.
    pub(crate) fn open(
        &mut self,
        source: &TmpSource,
        table: &mut ResourceTable,
    ) -> wasmtime::Result<Resource<Descriptor>> {
        if let Some(made) = &self.made {
            return Ok(table.push(Descriptor::Dir(made.dir.clone()))?);
        }
        let handle = table.push(Descriptor::Dir(source.shared.empty.clone()))?;
        self.empty.push(handle.rep());
        Ok(handle)
    }

    /// Makes the directory, if it is not there, and puts it in place of the empty one
    /// wherever the instance holds that.
    fn make(&mut self, source: &TmpSource, table: &mut ResourceTable) -> io::Result<()> {
        if self.made.is_some() {
            return Ok(());
        }
        let made = source.make()?;
        for rep in self.empty.drain(..) {
            // It may have been dropped, and its number given to something else.
            if let Ok(descriptor) = table.get_mut(&Resource::<Descriptor>::new_borrow(rep))
                && is_empty(source, descriptor)
            {
                *descriptor = Descriptor::Dir(made.dir.clone());
            }
        }
        self.made = Some(Box::new(made));
        Ok(())
    }

    /// Whether anything lies in it.
    pub(crate) fn holds_files(&self) -> bool {
        self.quota().is_some_and(|quota| quota.names() > 0)
    }

    fn quota(&self) -> Option<&Arc<Quota>> {
        self.made.as_ref().map(|made| &made.quota)
    }
}

/// Whether it is the directory that stands for one that is not made yet.
fn is_empty(source: &TmpSource, descriptor: &Descriptor) -> bool {
    matches!(descriptor, Descriptor::Dir(dir) if Arc::ptr_eq(&dir.dir, &source.shared.empty.dir))
}

/// The file behind a descriptor that can be written, which is one in `/tmp`.
fn written(descriptor: &Descriptor) -> Option<&Arc<File>> {
    match descriptor {
        Descriptor::File(file) if file.perms == FsPerms::ReadWrite => Some(&file.file),
        Descriptor::Dir(dir) if dir.perms == FsPerms::ReadWrite => Some(&dir.dir),
        Descriptor::File(_) | Descriptor::Dir(_) => None,
    }
}
