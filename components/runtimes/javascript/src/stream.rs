//! A streamed answer: the head, then bytes, as the handler writes them.

use rquickjs::{Ctx, Function, Object, Result};

/// The object that `invoke.js` is given.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let natives = Object::new(ctx.clone())?;
    natives.set("mapped", Function::new(ctx.clone(), |stack: String| stack)?)?;
    Ok(natives)
}
