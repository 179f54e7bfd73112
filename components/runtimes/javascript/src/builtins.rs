//! Node's own modules, from the crate beside this one; `module` is ours.

use rquickjs::{Ctx, Result, Value};

use crate::realm;

/// Whether there is a module of this name, without `node:`.
pub(crate) fn is_known(name: &str) -> bool {
    names().contains(&name)
}

pub(crate) fn names() -> &'static [&'static str] {
    &["module"]
}

/// The module of this name, as `require` gives it.
pub(crate) fn value<'js>(ctx: &Ctx<'js>, name: &str) -> Result<Value<'js>> {
    match name {
        "module" => realm::commonjs(ctx, "Module"),
        name => Err(realm::throw_coded(
            ctx,
            "ERR_UNKNOWN_BUILTIN_MODULE",
            &format!("No such built-in module: node:{name}"),
        )),
    }
}

/// Puts the globals in place.
pub(crate) fn install<'js>(
    _ctx: &Ctx<'js>,
    _timers: &rquickjs::Object<'js>,
    _commonjs: &rquickjs::Object<'js>,
) -> Result<()> {
    Ok(())
}

/// Takes the environment anew.
pub(crate) fn renew(_ctx: &Ctx<'_>, _environment: &[(String, String)]) -> Result<()> {
    Ok(())
}
