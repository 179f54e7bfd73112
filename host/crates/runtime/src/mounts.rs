//! What a guest sees of the file system: its package at `/var/task`, read-only, and
//! its own `/tmp`.
//!
//! wasmtime-wasi's builder takes a path for a preopened directory. We answer
//! `wasi:filesystem/preopens` ourselves, from a handle that was opened before,
//! so that no path is looked up while a guest runs.

use std::fs::File;

use wasmtime::component::{HasData, Linker, Resource};
use wasmtime_wasi::filesystem::{Descriptor, Dir};
use wasmtime_wasi::p2::bindings::filesystem::preopens;
use wasmtime_wasi::{FsPerms, OpenMode};

use crate::ctx::Ctx;
use crate::tmp::{TMP_ROOT, TmpSource};

/// Where the package is mounted; also the guest's `LAMBDA_TASK_ROOT`, and the
/// working directory that a guest is told. (The C library in today's Rust guests
/// does not ask: relative names begin at `/`, where there is nothing.)
pub(crate) const TASK_ROOT: &str = "/var/task";

/// The directories of one version's instances.
#[derive(Clone)]
pub(crate) struct Mounts {
    task: Dir,
    pub(crate) tmp: TmpSource,
}

impl Mounts {
    /// Over the handle of the unpacked package.
    pub(crate) fn new(package: cap_std::fs::Dir, tmp: TmpSource) -> Self {
        let file: File = package.into_std_file();
        // File calls on the calling thread: the package is on the local disk and
        // small, and a hop to another thread would cost ten times the read.
        Self { task: Dir::new(file, FsPerms::ReadOnly, OpenMode::READ, true), tmp }
    }
}

struct Preopens<'a>(&'a mut Ctx);

struct HasPreopens;

impl HasData for HasPreopens {
    type Data<'a> = Preopens<'a>;
}

impl preopens::Host for Preopens<'_> {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Resource<Descriptor>, String)>> {
        self.0.preopens += 2;
        let (loaded, tmp, table) = self.0.files();
        let task = table.push(Descriptor::Dir(loaded.mounts.task.clone()))?;
        let tmp = tmp.open(&loaded.mounts.tmp, table)?;
        Ok(vec![(task, TASK_ROOT.to_owned()), (tmp, TMP_ROOT.to_owned())])
    }
}

/// Links our preopens in place of the builder's.
pub(crate) fn add_to_linker(linker: &mut Linker<Ctx>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    preopens::add_to_linker::<Ctx, HasPreopens>(linker, |ctx| Preopens(ctx))?;
    linker.allow_shadowing(false);
    Ok(())
}
