//! What the JavaScript sources get of Rust, in groups that are made when first asked for.

use rquickjs::{Ctx, Exception, Object, Result};

/// The functions of one group.
pub fn group<'js>(ctx: Ctx<'js>, name: String) -> Result<Object<'js>> {
    let group = Object::new(ctx.clone())?;
    match name.as_str() {
        _ => return Err(Exception::throw_internal(&ctx, &format!("no natives of the name {name}"))),
    }
    Ok(group)
}
