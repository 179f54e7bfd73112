//! Bounds on the parts of outgoing requests. No function has a network, but one
//! may make requests, and what it puts into them is kept by the host, outside
//! MemorySize.

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi_http::WasiHttpView as _;
use wasmtime_wasi_http::p2::bindings::http::types::{HostOutgoingRequest as _, Method, Scheme};
use wasmtime_wasi_http::p2::types::HostOutgoingRequest;

use crate::ctx::Ctx;

/// The longest method, scheme, authority or path, in bytes.
const PART_BYTES_MAX: usize = 8 << 10;

type Request = Resource<HostOutgoingRequest>;
type Set = wasmtime::Result<(Result<(), ()>,)>;

fn fits(text: &str) -> bool {
    text.len() <= PART_BYTES_MAX
}

fn set_method(mut store: StoreContextMut<'_, Ctx>, (request, method): (Request, Method)) -> Set {
    match &method {
        Method::Other(name) if !fits(name) => Ok((Err(()),)),
        _ => Ok((store.data_mut().http().set_method(request, method)?,)),
    }
}

fn set_scheme(mut store: StoreContextMut<'_, Ctx>, (request, scheme): (Request, Option<Scheme>)) -> Set {
    match &scheme {
        Some(Scheme::Other(name)) if !fits(name) => Ok((Err(()),)),
        _ => Ok((store.data_mut().http().set_scheme(request, scheme)?,)),
    }
}

fn set_authority(mut store: StoreContextMut<'_, Ctx>, (request, text): (Request, Option<String>)) -> Set {
    match text.as_deref().is_none_or(fits) {
        true => Ok((store.data_mut().http().set_authority(request, text)?,)),
        false => Ok((Err(()),)),
    }
}

fn set_path(mut store: StoreContextMut<'_, Ctx>, (request, text): (Request, Option<String>)) -> Set {
    match text.as_deref().is_none_or(fits) {
        true => Ok((store.data_mut().http().set_path_with_query(request, text)?,)),
        false => Ok((Err(()),)),
    }
}

/// Links our setters in place of the engine's.
pub(crate) fn add_to_linker(linker: &mut Linker<Ctx>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut types = linker.instance("wasi:http/types@0.2.12")?;
    types.func_wrap("[method]outgoing-request.set-method", set_method)?;
    types.func_wrap("[method]outgoing-request.set-scheme", set_scheme)?;
    types.func_wrap("[method]outgoing-request.set-authority", set_authority)?;
    types.func_wrap("[method]outgoing-request.set-path-with-query", set_path)?;
    linker.allow_shadowing(false);
    Ok(())
}
