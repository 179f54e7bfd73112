//! What counts as a handler, and how one is run: the same on every target.
//!
//! The type parameter `K` only tells the implementations apart; it is inferred.

use std::future::Future;

use crate::executor::block_on;
use crate::{Answer, Context, Error, Event, ResponseStream, logging};

/// A function that answers with a value:
/// `fn(event, context) -> Result<answer, error>`, `async` or not.
#[diagnostic::on_unimplemented(
    message = "this function does not have the shape of a handler",
    label = "expected `fn(event, Context) -> Result<answer, error>`, `async` or not",
    note = "the event deserialises, the answer serialises, and the error turns into `lamina::Error`"
)]
pub trait Handler<K> {
    /// Runs it on a payload.
    ///
    /// # Errors
    /// What the handler returned, or that the payload or the answer has another
    /// shape than its type.
    fn call(self, payload: Vec<u8>, context: Context) -> Result<Vec<u8>, Error>;
}

/// A function that streams its answer:
/// `fn(event, context, response) -> Result<(), error>`, `async` or not.
#[diagnostic::on_unimplemented(
    message = "this function does not have the shape of a streaming handler",
    label = "expected `fn(event, Context, ResponseStream) -> Result<(), error>`, `async` or not",
    note = "the event deserialises, and the error turns into `lamina::Error`"
)]
pub trait StreamHandler<K> {
    /// Runs it on a payload.
    ///
    /// # Errors
    /// What the handler returned, or that the payload has another shape than its type.
    fn call(self, payload: Vec<u8>, context: Context, response: ResponseStream) -> Result<(), Error>;
}

/// A function that does what is the same for every call:
/// `fn() -> Result<(), error>`, `async` or not.
#[diagnostic::on_unimplemented(
    message = "this function does not have the shape of an init",
    label = "expected `fn() -> Result<(), error>`, `async` or not",
    note = "the error turns into `lamina::Error`"
)]
pub trait Init<K> {
    /// Runs it.
    ///
    /// # Errors
    /// What it returned.
    fn call(self) -> Result<(), Error>;
}

/// Tells handlers with plain bodies from others.
pub struct Plain<T>(T);
/// Tells handlers with async bodies from others.
pub struct Async<T>(T);

impl<F, E, A, X> Handler<Plain<(E, A, X)>> for F
where
    F: FnOnce(E, Context) -> Result<A, X>,
    E: Event,
    A: Answer,
    Error: From<X>,
{
    fn call(self, payload: Vec<u8>, context: Context) -> Result<Vec<u8>, Error> {
        self(E::from_payload(payload)?, context).map_err(returned)?.into_payload()
    }
}

impl<F, R, E, A, X> Handler<Async<(R, E, A, X)>> for F
where
    F: FnOnce(E, Context) -> R,
    R: Future<Output = Result<A, X>>,
    E: Event,
    A: Answer,
    Error: From<X>,
{
    fn call(self, payload: Vec<u8>, context: Context) -> Result<Vec<u8>, Error> {
        block_on(self(E::from_payload(payload)?, context)).map_err(returned)?.into_payload()
    }
}

impl<F, E, X> StreamHandler<Plain<(E, X)>> for F
where
    F: FnOnce(E, Context, ResponseStream) -> Result<(), X>,
    E: Event,
    Error: From<X>,
{
    fn call(self, payload: Vec<u8>, context: Context, response: ResponseStream) -> Result<(), Error> {
        self(E::from_payload(payload)?, context, response).map_err(returned)
    }
}

impl<F, R, E, X> StreamHandler<Async<(R, E, X)>> for F
where
    F: FnOnce(E, Context, ResponseStream) -> R,
    R: Future<Output = Result<(), X>>,
    E: Event,
    Error: From<X>,
{
    fn call(self, payload: Vec<u8>, context: Context, response: ResponseStream) -> Result<(), Error> {
        block_on(self(E::from_payload(payload)?, context, response)).map_err(returned)
    }
}

impl<F, X> Init<Plain<X>> for F
where
    F: FnOnce() -> Result<(), X>,
    Error: From<X>,
{
    fn call(self) -> Result<(), Error> {
        self().map_err(returned)
    }
}

impl<F, R, X> Init<Async<(R, X)>> for F
where
    F: FnOnce() -> R,
    R: Future<Output = Result<(), X>>,
    Error: From<X>,
{
    fn call(self) -> Result<(), Error> {
        block_on(self()).map_err(returned)
    }
}

/// One call from start to end, as the platform and the tests make it: log lines
/// carry its id. The platform writes the line about a failure.
pub(crate) fn serve<T>(context: Context, run: impl FnOnce(Context) -> Result<T, Error>) -> Result<T, Error> {
    logging::begin(&context.request_id);
    run(context)
}

/// A handler's error as this crate's. An error that is converted here, and not at
/// a `?` of the handler's, was not made in this file.
pub(crate) fn returned<X>(error: X) -> Error
where
    Error: From<X>,
{
    Error::from(error).forget_location_in(file!())
}
