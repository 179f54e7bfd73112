//! The list of modules, for `node:module`.

use rquickjs::{Ctx, Exception, Object, Result, Value};

pub fn fill(group: &Object<'_>) -> Result<()> {
    super::functions!(group,
        "names" => crate::sources::public_names,
        "require" => require,
    )
}

fn require<'js>(ctx: Ctx<'js>, name: String) -> Result<Value<'js>> {
    match crate::builtin(&name) {
        Some(builtin) => builtin.require(&ctx),
        None => Err(Exception::throw_message(&ctx, &format!("no module of Node has the name {name}"))),
    }
}
