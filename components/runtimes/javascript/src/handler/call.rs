//! One call of the handler, which is the instance's only one: what the handler returned is
//! not given back, as the instance ends with it.

use std::cell::{Cell, RefCell};
use std::mem::forget;

use rquickjs::function::Args;
use rquickjs::promise::PromiseState;
use rquickjs::{Array, Ctx, Error, Function, IntoJs as _, Object, Persistent, Promise, Result, Value};

use super::{Failure, HANDLER, described, failure, reported, thrown, uncaught};
use crate::bindings::lamina::function::types::Context;
use crate::run_loop::{self, Turn};
use crate::{realm, source_map};

/// What `invoke.js` has told of how the call ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    /// Nothing: the handler's promise tells, if there is one.
    Nothing,
    Ended,
    /// It ended, and the loop goes on until nothing is left to run.
    GoesOn,
}

thread_local! {
    static TOLD: Cell<Told> = const { Cell::new(Told::Nothing) };
    static STREAMS: Cell<bool> = const { Cell::new(false) };
    /// What the handler returned, where it is a promise of the language.
    static PROMISE: RefCell<Option<Persistent<Promise<'static>>>> = const { RefCell::new(None) };
}

/// The object that `invoke.js` is given.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let natives = Object::new(ctx.clone())?;
    natives.set("mapped", Function::new(ctx.clone(), |text: String| source_map::mapped(&text))?)?;
    natives.set("settles", Function::new(ctx.clone(), settles)?)?;
    natives.set("streams", Function::new(ctx.clone(), || STREAMS.set(true))?)?;
    Ok(natives)
}

/// `invoke.js` tells that the call has ended; whether nothing has ended it before.
fn settles(ctx: Ctx<'_>, goes_on: bool) -> Result<bool> {
    let promise = PROMISE.with_borrow(Clone::clone);
    if let Some(promise) = promise
        && promise.restore(&ctx)?.state() != PromiseState::Pending
    {
        return Ok(false);
    }
    TOLD.set(if goes_on { Told::GoesOn } else { Told::Ended });
    Ok(true)
}

/// Calls the handler; `None` when it streamed its answer.
pub(crate) fn handle(
    ctx: &Ctx<'_>,
    event: Vec<u8>,
    context: &Context,
) -> std::result::Result<Option<Vec<u8>>, Failure> {
    let returned = begin(ctx, event, context).map_err(|error| {
        let error = thrown(ctx, error);
        // It may have failed before the log's lines had the request's id.
        let _ = realm::settings(ctx).and_then(|settings| settings.set("requestId", context.request_id.as_str()));
        uncaught(ctx, error)
    })?;
    let promise = returned.as_promise();
    if let Some(promise) = promise {
        run_loop::handled(ctx, promise);
        PROMISE.set(Some(Persistent::save(ctx, promise.clone())));
    } else if !returned.is_undefined() {
        realm::invoke::<_, ()>(ctx, "follow", (returned.clone(),)).map_err(|error| failure(ctx, error))?;
    }
    run_loop::drain(ctx);
    loop {
        if let Some(error) = run_loop::fatal(ctx) {
            return Err(described(ctx, error));
        }
        let is_over = match TOLD.get() {
            Told::Nothing => promise.is_some_and(|promise| promise.state() != PromiseState::Pending),
            Told::Ended => true,
            Told::GoesOn => false,
        };
        if is_over {
            break;
        }
        if run_loop::turn(ctx) == Turn::Empty {
            if let Some(error) = run_loop::fatal(ctx) {
                return Err(described(ctx, error));
            }
            break;
        }
    }
    let ended = ended(ctx, promise);
    let answer = match ended {
        Err(error) => return Err(reported(ctx, "Invoke Error", error)),
        Ok(_) if STREAMS.get() => None,
        Ok(Ended::Text(text)) => Some(text.into_bytes()),
        Ok(Ended::Value(value)) => Some(answer(ctx, value)?),
    };
    forget(returned);
    Ok(answer)
}

/// How a call ended well.
enum Ended<'js> {
    Value(Value<'js>),
    /// Its answer as it was when the handler gave it.
    Text(String),
}

/// How the call ended; the error is what the handler failed with.
fn ended<'js>(ctx: &Ctx<'js>, promise: Option<&Promise<'js>>) -> std::result::Result<Ended<'js>, Value<'js>> {
    if TOLD.get() == Told::Nothing {
        return match promise.and_then(Promise::result::<Value<'js>>) {
            Some(Ok(value)) => Ok(Ended::Value(value)),
            Some(Err(error)) => Err(or_handled(ctx, thrown(ctx, error))),
            None => Ok(Ended::Value(Value::new_undefined(ctx.clone()))),
        };
    }
    let told = || -> Result<(bool, Value<'js>, Option<String>)> {
        let told: Array<'js> = realm::invoke(ctx, "outcome", ())?;
        Ok((told.get(0)?, told.get(1)?, told.get(2)?))
    };
    match told() {
        Ok((true, error, _)) => Err(error),
        Ok((false, _, Some(text))) => Ok(Ended::Text(text)),
        Ok((false, value, None)) => Ok(Ended::Value(value)),
        Err(error) => Err(thrown(ctx, error)),
    }
}

/// What Lambda's runtime says where a rejection has no reason.
fn or_handled<'js>(ctx: &Ctx<'js>, error: Value<'js>) -> Value<'js> {
    match error.is_undefined() || error.is_null() {
        true => "handled".into_js(ctx).unwrap_or(error),
        false => error,
    }
}

/// Calls the handler: the promise of its answer, or nothing.
fn begin<'js>(ctx: &Ctx<'js>, event: Vec<u8>, context: &Context) -> Result<Value<'js>> {
    let handler = HANDLER.with_borrow(Clone::clone).ok_or(Error::Unknown)?.restore(ctx)?;
    let json = |text: &Option<String>| match text {
        Some(text) => ctx.json_parse(text.as_str()),
        None => Ok(Value::new_undefined(ctx.clone())),
    };
    // In the order in which `invoke` takes them.
    let mut args = Args::new(ctx.clone(), 12);
    args.push_arg(handler)?;
    args.push_arg(ctx.json_parse(event)?)?;
    args.push_arg(context.deadline_ms as f64)?;
    args.push_arg(context.function_version.as_str())?;
    args.push_arg(context.function_name.as_str())?;
    args.push_arg(context.memory_limit_in_mb.to_string())?;
    args.push_arg(context.log_group_name.as_str())?;
    args.push_arg(context.log_stream_name.as_str())?;
    args.push_arg(json(&context.client_context)?)?;
    args.push_arg(json(&context.identity)?)?;
    args.push_arg(context.invoked_function_arn.as_str())?;
    args.push_arg(context.request_id.as_str())?;
    realm::call(ctx, args)
}

/// The bytes of a result.
fn answer<'js>(ctx: &Ctx<'js>, value: Value<'js>) -> std::result::Result<Vec<u8>, Failure> {
    if value.is_undefined() {
        return Ok(b"null".to_vec());
    }
    match ctx.json_stringify(value) {
        Ok(Some(text)) => text.to_string().map(String::into_bytes).map_err(|error| failure(ctx, error)),
        Ok(None) => Ok(b"null".to_vec()),
        Err(_) => {
            ctx.catch();
            Err(failure(ctx, rquickjs::Exception::throw_message(ctx, "Unable to stringify response body")))
        }
    }
}
