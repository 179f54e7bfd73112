//! A streamed answer: the head, then bytes, as the handler writes them.

use std::cell::{Cell, RefCell};

use rquickjs::function::Opt;
use rquickjs::{Array, Ctx, Exception, Function, Object, Result, TypedArray, Value};

use crate::bindings::lamina::function::response::{Head, HttpPrelude, ResponseWriter, StartError};
use crate::bindings::wasi::io::streams::{OutputStream, StreamError};
use crate::engine::raw;

/// Where the answer stands.
enum Answer {
    /// Nobody may answer by a stream now.
    None,
    Open(ResponseWriter),
    Started(OutputStream),
    /// The caller is gone: what is written goes nowhere, and the function goes on.
    Left,
}

thread_local! {
    static ANSWER: RefCell<Answer> = const { RefCell::new(Answer::None) };
    static HOOKED: Cell<bool> = const { Cell::new(false) };
}

/// Whether anything is to be run after a restore.
pub(crate) fn is_hooked() -> bool {
    HOOKED.get()
}

/// The writer of the call that begins.
pub(crate) fn open(writer: ResponseWriter) {
    ANSWER.set(Answer::Open(writer));
}

/// The call has ended: the stream is let go of.
pub(crate) fn close() {
    ANSWER.set(Answer::None);
}

/// The object that `stream.js` is given.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let natives = Object::new(ctx.clone())?;
    natives.set("begin", Function::new(ctx.clone(), begin)?)?;
    natives.set("write", Function::new(ctx.clone(), write)?)?;
    natives.set("hooked", Function::new(ctx.clone(), || HOOKED.set(true))?)?;
    Ok(natives)
}

fn begin<'js>(ctx: Ctx<'js>, content_type: Option<String>, prelude: Opt<Value<'js>>) -> Result<()> {
    let http = match prelude.0.and_then(Value::into_object) {
        Some(prelude) => Some(http(&ctx, &prelude)?),
        None => None,
    };
    let Answer::Open(writer) = ANSWER.replace(Answer::Left) else {
        return Err(Exception::throw_message(
            &ctx,
            "the answer cannot be streamed: this is no streaming call, or it has begun",
        ));
    };
    match writer.start(&Head { content_type, http }) {
        Ok(stream) => ANSWER.set(Answer::Started(stream)),
        Err(StartError::Closed) => {}
        Err(StartError::InvalidHead(why)) => {
            ANSWER.set(Answer::Open(writer));
            return Err(Exception::throw_message(
                &ctx,
                &format!("the head of the streamed answer is not usable: {why}"),
            ));
        }
        Err(StartError::Started) => return Err(Exception::throw_message(&ctx, "the answer has been started already")),
    }
    Ok(())
}

fn http<'js>(ctx: &Ctx<'js>, prelude: &Object<'js>) -> Result<HttpPrelude> {
    let status: f64 = prelude.get::<_, rquickjs::Coerced<f64>>("statusCode")?.0;
    if status.fract() != 0.0 || !(200.0..600.0).contains(&status) {
        return Err(Exception::throw_message(ctx, &format!("statusCode {status} is not one of 200 to 599")));
    }
    let mut headers = Vec::new();
    for pair in prelude.get::<_, Array<'js>>("headers")?.iter::<Array<'js>>() {
        let pair = pair?;
        headers.push((pair.get(0)?, pair.get(1)?));
    }
    Ok(HttpPrelude { status_code: status as u16, headers, cookies: prelude.get("cookies")? })
}

fn write<'js>(ctx: Ctx<'js>, chunk: TypedArray<'js, u8>) -> Result<()> {
    let bytes = raw::bytes(&chunk);
    let left = ANSWER.with_borrow(|answer| match answer {
        Answer::Started(stream) => Ok(send(stream, &bytes).is_err()),
        Answer::Left => Ok(false),
        Answer::None | Answer::Open(_) => Err(Exception::throw_message(&ctx, "the streamed answer has not begun")),
    })?;
    if left {
        ANSWER.set(Answer::Left);
    }
    Ok(())
}

/// Sends all of it, waiting while the caller does not read.
fn send(stream: &OutputStream, mut bytes: &[u8]) -> std::result::Result<(), StreamError> {
    while !bytes.is_empty() {
        let permitted = usize::try_from(stream.check_write()?).unwrap_or(usize::MAX);
        if permitted == 0 {
            stream.subscribe().block();
            continue;
        }
        let (now, later) = bytes.split_at(permitted.min(bytes.len()));
        stream.write(now)?;
        bytes = later;
    }
    stream.flush()
}
