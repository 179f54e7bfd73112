//! What a component may import: WASI 0.2, `wasi:http`, and our own interfaces.

use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker};

use crate::bindings::{diagnostics, response};
use crate::ctx::Ctx;
use crate::{facts, mounts, outgoing, tmp};

/// One linker serves every component of an engine.
pub(crate) fn build(engine: &Engine) -> wasmtime::Result<Linker<Ctx>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    outgoing::add_to_linker(&mut linker)?;
    facts::add_to_linker(&mut linker)?;
    mounts::add_to_linker(&mut linker)?;
    tmp::add_to_linker(&mut linker)?;
    diagnostics::add_to_linker::<Ctx, HasSelf<Ctx>>(&mut linker, |ctx| ctx)?;
    response::add_to_linker::<Ctx, HasSelf<Ctx>>(&mut linker, |ctx| ctx)?;
    crate::exec::managed::add_to_linker(&mut linker)?;
    Ok(linker)
}
