//! What a guest sees of the file system: its package at `/var/task`, read-only.
//!
//! wasmtime-wasi's builder takes a path for a preopened directory. We answer
//! `wasi:filesystem/preopens` ourselves, from a handle that was opened before,
//! so that no path is looked up while a guest runs.

use std::fs::File;
use std::sync::Arc;

use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::filesystem::{Descriptor, Dir};
use wasmtime_wasi::p2::bindings::filesystem::preopens;
use wasmtime_wasi::{FsPerms, OpenMode};

use crate::ctx::Ctx;

/// Where the package is mounted; also the guest's `LAMBDA_TASK_ROOT`, and the
/// working directory that a guest is told. (The C library in today's Rust guests
/// does not ask: relative names begin at `/`, where there is nothing.)
pub(crate) const TASK_ROOT: &str = "/var/task";

/// The directories of one image's instances.
#[derive(Clone)]
pub(crate) struct Mounts {
    task: Arc<Dir>,
}

impl Mounts {
    /// Over the handle of the unpacked package.
    pub(crate) fn new(package: cap_std::fs::Dir) -> Self {
        let file: File = package.into_std_file();
        // File calls on the calling thread: the package is on the local disk and
        // small, and a hop to another thread would cost ten times the read.
        let dir = Dir::new(file, FsPerms::ReadOnly, OpenMode::READ, true);
        Self { task: Arc::new(dir) }
    }
}

struct Preopens<'a> {
    mounts: &'a Mounts,
    table: &'a mut ResourceTable,
}

struct HasPreopens;

impl HasData for HasPreopens {
    type Data<'a> = Preopens<'a>;
}

impl preopens::Host for Preopens<'_> {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Resource<Descriptor>, String)>> {
        let task = self.table.push(Descriptor::Dir(Dir::clone(&self.mounts.task)))?;
        Ok(vec![(task, TASK_ROOT.to_owned())])
    }
}

/// Links our preopens in place of the builder's.
pub(crate) fn add_to_linker(linker: &mut Linker<Ctx>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    preopens::add_to_linker::<Ctx, HasPreopens>(linker, |ctx| {
        let (mounts, table) = ctx.mounts_and_table();
        Preopens { mounts, table }
    })?;
    linker.allow_shadowing(false);
    Ok(())
}
