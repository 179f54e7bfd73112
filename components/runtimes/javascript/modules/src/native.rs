//! What the JavaScript sources get of Rust, in groups that are made when first asked for.

mod asynchronous;
mod bytes;
mod file;
mod folder;
mod fs;
mod hash;
mod inspect;
mod modules;
mod process;
mod text;
mod url;
mod zlib;

use rquickjs::{Ctx, Exception, Object, Result};

/// The functions of one group.
pub fn group<'js>(ctx: Ctx<'js>, name: String) -> Result<Object<'js>> {
    let group = Object::new(ctx.clone())?;
    match name.as_str() {
        "async" => asynchronous::fill(&group)?,
        "fs" => {
            fs::fill(&group)?;
            file::fill(&group)?;
        }
        "hash" => hash::fill(&group)?,
        "inspect" => inspect::fill(&group)?,
        "modules" => modules::fill(&group)?,
        "process" => process::fill(&group)?,
        "text" => text::fill(&group)?,
        "url" => url::fill(&group)?,
        "zlib" => zlib::fill(&group)?,
        _ => return Err(Exception::throw_internal(&ctx, &format!("no natives of the name {name}"))),
    }
    Ok(group)
}

/// Sets functions of Rust as properties, each by its JavaScript name.
macro_rules! functions {
    ($group:expr, $($name:literal => $function:expr,)*) => {{
        let group: &rquickjs::Object<'_> = $group;
        $(group.set($name, rquickjs::Function::new(group.ctx().clone(), $function)?)?;)*
        rquickjs::Result::Ok(())
    }};
}
use functions;
