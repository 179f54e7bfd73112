//! The functions of `wasi:filesystem/types` that change something, with `/tmp` made
//! on the way and its bounds kept. They are linked in place of the engine's.

use std::fs::File;
use std::sync::Arc;

use cap_std::fs::{Dir as CapDir, MetadataExt as _};
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::OpenMode;
use wasmtime_wasi::filesystem::{Descriptor, File as WasiFile, WasiFilesystemView as _};
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorFlags, ErrorCode, HostDescriptor as _, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{DynOutputStream, FsError, FsResult};

use super::quota::{Counting, Known, Quota};
use super::{is_empty, written};
use crate::ctx::Ctx;

type Fd = Resource<Descriptor>;
type Answer<T> = wasmtime::Result<(Result<T, ErrorCode>,)>;

/// A failure of the guest's request as it sees it, or of ours as a trap.
fn answer<T>(result: FsResult<T>) -> Answer<T> {
    match result {
        Ok(value) => Ok((Ok(value),)),
        Err(error) => Ok((Err(error.downcast()?),)),
    }
}

/// A directory in `/tmp`, while something in it changes.
struct Place {
    dir: CapDir,
    quota: Arc<Quota>,
}

impl Place {
    /// What has this name, if it is there. Links are not followed.
    fn look(&self, path: &str) -> Option<(Known, bool)> {
        let now = self.dir.symlink_metadata(path).ok()?;
        let known = Known { device: now.dev(), inode: now.ino(), links: now.nlink(), bytes: now.len() };
        Some((known, now.is_file()))
    }

    /// A name was taken away that this was behind.
    fn lost(&self, looked: Option<(Known, bool)>) {
        match looked {
            Some((known, true)) => self.quota.lost(known),
            Some((_, false)) => self.quota.unname(),
            None => {}
        }
    }
}

/// Sees to it that what a change is about can be changed: a directory in `/tmp` is
/// there from now on. `None` for what is not in `/tmp`.
fn place(ctx: &mut Ctx, fd: &Fd) -> FsResult<Option<Place>> {
    let (loaded, tmp, table) = ctx.files();
    let source = &loaded.mounts.tmp;
    if is_empty(source, table.get(fd)?) {
        tmp.make(source, table).map_err(FsError::from)?;
    }
    let Some(quota) = tmp.quota().cloned() else { return Ok(None) };
    let descriptor = table.get(fd)?;
    match (descriptor, written(descriptor)) {
        (Descriptor::Dir(_), Some(dir)) => Ok(Some(Place { dir: CapDir::from_std_file(dir.try_clone()?), quota })),
        _ => Ok(None),
    }
}

/// A file in `/tmp` and its bounds; `None` for what is not there.
fn file(ctx: &mut Ctx, fd: &Fd) -> FsResult<Option<(Arc<File>, Arc<Quota>)>> {
    let (_, tmp, table) = ctx.files();
    let Some(quota) = tmp.quota().cloned() else { return Ok(None) };
    let descriptor = table.get(fd)?;
    Ok(written(descriptor).filter(|_| matches!(descriptor, Descriptor::File(_))).map(|file| (file.clone(), quota)))
}

/// Makes one name more, and gives it back when that fails.
async fn named<T>(place: Option<&Place>, make: impl Future<Output = FsResult<T>>) -> FsResult<T> {
    if let Some(place) = place {
        place.quota.name()?;
    }
    let made = make.await;
    if let (Some(place), Err(_)) = (place, &made) {
        place.quota.unname();
    }
    made
}

/// Whether a path names the directory itself.
fn is_here(path: &str) -> bool {
    path.split('/').all(|part| part.is_empty() || part == ".")
}

async fn open_at(
    ctx: &mut Ctx,
    (fd, path_flags, path, open, flags): (Fd, PathFlags, String, OpenFlags, DescriptorFlags),
) -> FsResult<Fd> {
    let changes = OpenFlags::CREATE | OpenFlags::TRUNCATE;
    let writes = DescriptorFlags::WRITE | DescriptorFlags::MUTATE_DIRECTORY;
    if !open.intersects(changes) && !flags.intersects(writes) && !is_here(&path) {
        let opened = ctx.filesystem().open_at(fd, path_flags, path, open, flags).await?;
        if let Some((file, quota)) = file(ctx, &opened)? {
            quota.opened(&file);
        }
        return Ok(opened);
    }
    let Some(place) = place(ctx, &fd)? else {
        return ctx.filesystem().open_at(fd, path_flags, path, open, flags).await;
    };
    // Behind a link that leads nowhere a file is made as well. Where links are not
    // followed, the engine opens none.
    let before = place.dir.metadata(&path).ok();
    let makes = open.contains(OpenFlags::CREATE) && before.is_none();
    let mut view = ctx.filesystem();
    let opened = view.open_at(fd, path_flags, path, open, flags);
    let opened = if makes { named(Some(&place), opened).await? } else { opened.await? };
    if let Some(before) = before.filter(|before| open.contains(OpenFlags::TRUNCATE) && before.is_file()) {
        place.quota.emptied(before.len());
    }
    let (_, _, table) = ctx.files();
    let descriptor = table.get_mut(&opened)?;
    if let Descriptor::File(file) = descriptor {
        let (perms, mode) = (file.perms, file.open_mode);
        // Not on the calling thread: the disk may be slow to take what is written.
        if mode.contains(OpenMode::WRITE)
            && let Ok(alone) = file.file.try_clone()
        {
            *file = WasiFile::new(alone, perms, mode, false);
        }
        place.quota.opened(&file.file);
    }
    Ok(opened)
}

async fn create_directory_at(ctx: &mut Ctx, (fd, path): (Fd, String)) -> FsResult<()> {
    let place = place(ctx, &fd)?;
    named(place.as_ref(), ctx.filesystem().create_directory_at(fd, path)).await
}

async fn symlink_at(ctx: &mut Ctx, (fd, from, to): (Fd, String, String)) -> FsResult<()> {
    let place = place(ctx, &fd)?;
    named(place.as_ref(), ctx.filesystem().symlink_at(fd, from, to)).await
}

async fn link_at(ctx: &mut Ctx, (fd, flags, from, to_fd, to): (Fd, PathFlags, String, Fd, String)) -> FsResult<()> {
    let place = place(ctx, &to_fd)?;
    named(place.as_ref(), ctx.filesystem().link_at(fd, flags, from, to_fd, to)).await
}

async fn rename_at(ctx: &mut Ctx, (fd, from, to_fd, to): (Fd, String, Fd, String)) -> FsResult<()> {
    let (from_place, to_place) = (place(ctx, &fd)?, place(ctx, &to_fd)?);
    let replaced = to_place.as_ref().and_then(|place| place.look(&to));
    let moved = from_place.and_then(|place| place.look(&from));
    ctx.filesystem().rename_at(fd, from, to_fd, to).await?;
    // Two names of one file stay both.
    let is_same =
        |one: &(Known, bool), other: &(Known, bool)| (one.0.device, one.0.inode) == (other.0.device, other.0.inode);
    if let Some(place) = to_place
        && !replaced.as_ref().zip(moved.as_ref()).is_some_and(|(one, other)| is_same(one, other))
    {
        place.lost(replaced);
    }
    Ok(())
}

async fn unlink_file_at(ctx: &mut Ctx, (fd, path): (Fd, String)) -> FsResult<()> {
    let place = place(ctx, &fd)?;
    let looked = place.as_ref().and_then(|place| place.look(&path));
    ctx.filesystem().unlink_file_at(fd, path).await?;
    if let Some(place) = place {
        place.lost(looked);
    }
    Ok(())
}

async fn remove_directory_at(ctx: &mut Ctx, (fd, path): (Fd, String)) -> FsResult<()> {
    let place = place(ctx, &fd)?;
    ctx.filesystem().remove_directory_at(fd, path).await?;
    if let Some(place) = place {
        place.quota.unname();
    }
    Ok(())
}

async fn set_times_at(
    ctx: &mut Ctx,
    (fd, flags, path, accessed, modified): (Fd, PathFlags, String, NewTimestamp, NewTimestamp),
) -> FsResult<()> {
    place(ctx, &fd)?;
    ctx.filesystem().set_times_at(fd, flags, path, accessed, modified).await
}

async fn set_size(ctx: &mut Ctx, (fd, size): (Fd, u64)) -> FsResult<()> {
    let Some((file, quota)) = file(ctx, &fd)? else { return ctx.filesystem().set_size(fd, size).await };
    let before = file.metadata()?.len();
    quota.grow(&file, size.saturating_sub(before))?;
    let done = ctx.filesystem().set_size(fd, size).await;
    let unused = if done.is_ok() { before.saturating_sub(size) } else { size.saturating_sub(before) };
    quota.shrink(&file, unused);
    done
}

async fn write(ctx: &mut Ctx, (fd, bytes, offset): (Fd, Vec<u8>, u64)) -> FsResult<u64> {
    if let Some((file, quota)) = file(ctx, &fd)? {
        quota.write(&file, offset, bytes.len() as u64)?;
    }
    ctx.filesystem().write(fd, bytes, offset).await
}

/// Counts what is written to a stream, if it leads into `/tmp`.
fn counting(ctx: &mut Ctx, fd: &Fd, stream: &Resource<DynOutputStream>, position: Option<u64>) -> FsResult<()> {
    let Some((file, quota)) = file(ctx, fd)? else { return Ok(()) };
    let (_, _, table) = ctx.files();
    let stream = table.get_mut(stream)?;
    let closed: DynOutputStream = Box::new(wasmtime_wasi::p2::pipe::ClosedOutputStream);
    let inner = std::mem::replace(stream, closed);
    *stream = Box::new(Counting { inner, file, quota, position });
    Ok(())
}

fn write_via_stream(ctx: &mut Ctx, (fd, offset): (Fd, u64)) -> FsResult<Resource<DynOutputStream>> {
    let again = Resource::new_borrow(fd.rep());
    let stream = ctx.filesystem().write_via_stream(fd, offset)?;
    counting(ctx, &again, &stream, Some(offset))?;
    Ok(stream)
}

fn append_via_stream(ctx: &mut Ctx, (fd,): (Fd,)) -> FsResult<Resource<DynOutputStream>> {
    let again = Resource::new_borrow(fd.rep());
    let stream = ctx.filesystem().append_via_stream(fd)?;
    counting(ctx, &again, &stream, None)?;
    Ok(stream)
}

/// Links these functions in place of the engine's.
pub(crate) fn add_to_linker(linker: &mut Linker<Ctx>) -> wasmtime::Result<()> {
    type Store<'a> = StoreContextMut<'a, Ctx>;
    linker.allow_shadowing(true);
    let mut types = linker.instance("wasi:filesystem/types@0.2.12")?;
    types.func_wrap_async("[method]descriptor.open-at", |mut store: Store<'_>, given| {
        Box::new(async move { answer(open_at(store.data_mut(), given).await) })
    })?;
    types.func_wrap_async("[method]descriptor.create-directory-at", |mut store: Store<'_>, given| {
        Box::new(async move { answer(create_directory_at(store.data_mut(), given).await) })
    })?;
    types.func_wrap_async("[method]descriptor.symlink-at", |mut store: Store<'_>, given| {
        Box::new(async move { answer(symlink_at(store.data_mut(), given).await) })
    })?;
    types.func_wrap_async("[method]descriptor.link-at", |mut store: Store<'_>, given| {
        Box::new(async move { answer(link_at(store.data_mut(), given).await) })
    })?;
    types.func_wrap_async("[method]descriptor.rename-at", |mut store: Store<'_>, given| {
        Box::new(async move { answer(rename_at(store.data_mut(), given).await) })
    })?;
    types.func_wrap_async("[method]descriptor.unlink-file-at", |mut store: Store<'_>, given| {
        Box::new(async move { answer(unlink_file_at(store.data_mut(), given).await) })
    })?;
    types.func_wrap_async("[method]descriptor.remove-directory-at", |mut store: Store<'_>, given| {
        Box::new(async move { answer(remove_directory_at(store.data_mut(), given).await) })
    })?;
    types.func_wrap_async("[method]descriptor.set-times-at", |mut store: Store<'_>, given| {
        Box::new(async move { answer(set_times_at(store.data_mut(), given).await) })
    })?;
    types.func_wrap_async("[method]descriptor.set-size", |mut store: Store<'_>, given| {
        Box::new(async move { answer(set_size(store.data_mut(), given).await) })
    })?;
    types.func_wrap_async("[method]descriptor.write", |mut store: Store<'_>, given| {
        Box::new(async move { answer(write(store.data_mut(), given).await) })
    })?;
    types.func_wrap("[method]descriptor.write-via-stream", |mut store: Store<'_>, given| {
        answer(write_via_stream(store.data_mut(), given))
    })?;
    types.func_wrap("[method]descriptor.append-via-stream", |mut store: Store<'_>, given| {
        answer(append_via_stream(store.data_mut(), given))
    })?;
    linker.allow_shadowing(false);
    Ok(())
}
