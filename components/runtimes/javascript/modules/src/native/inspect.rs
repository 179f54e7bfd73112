//! What only the engine knows of a value.

use rquickjs::{Array, Ctx, Object, Result, Value, promise::PromiseState};

pub fn fill(group: &Object<'_>) -> Result<()> {
    super::functions!(group,
        "promise" => promise,
        "proxy" => proxy,
        "gc" => |ctx: Ctx<'_>| ctx.run_gc(),
    )
}

/// `[state, value]` of a promise: 0 pending, 1 fulfilled, 2 rejected; none of others.
fn promise<'js>(ctx: Ctx<'js>, value: Value<'js>) -> Result<Option<Array<'js>>> {
    let Some(promise) = value.as_promise() else {
        return Ok(None);
    };
    let parts = Array::new(ctx.clone())?;
    match promise.state() {
        PromiseState::Pending => parts.set(0, 0)?,
        PromiseState::Resolved => {
            parts.set(0, 1)?;
            if let Some(value) = promise.result::<Value>() {
                parts.set(1, value?)?;
            }
        }
        PromiseState::Rejected => {
            parts.set(0, 2)?;
            if let Some(Err(_)) = promise.result::<Value>() {
                parts.set(1, ctx.catch())?;
            }
        }
    }
    Ok(Some(parts))
}

/// `[target, handler]` of a proxy; none of others.
fn proxy<'js>(ctx: Ctx<'js>, value: Value<'js>) -> Result<Option<Array<'js>>> {
    let Some(proxy) = value.as_proxy() else {
        return Ok(None);
    };
    let parts = Array::new(ctx)?;
    parts.set(0, proxy.target()?)?;
    parts.set(1, proxy.handler()?)?;
    Ok(Some(parts))
}
