//! Handlers of requests. Neither `http::Request` nor `http::Response` is ours, so that
//! they cannot be an [`crate::Event`] and an [`crate::Answer`] beside all that serde
//! knows: a handler with them is one of another kind.

use std::future::Future;

use super::{Body, Request, Response, request, response};
use crate::executor::block_on;
use crate::handler::{Async, Plain, returned};
use crate::{Context, Error, Handler, ResponseStream, StreamHandler};

/// Tells handlers of requests from others.
pub struct Http<T>(T);

impl<F, B, X> Handler<Http<Plain<(B, X)>>> for F
where
    F: FnOnce(Request, Context) -> Result<Response<B>, X>,
    B: Into<Body>,
    Error: From<X>,
{
    fn call(self, payload: Vec<u8>, context: Context) -> Result<Vec<u8>, Error> {
        response::payload(self(request::read(&payload)?, context).map_err(returned)?)
    }
}

impl<F, R, B, X> Handler<Http<Async<(R, B, X)>>> for F
where
    F: FnOnce(Request, Context) -> R,
    R: Future<Output = Result<Response<B>, X>>,
    B: Into<Body>,
    Error: From<X>,
{
    fn call(self, payload: Vec<u8>, context: Context) -> Result<Vec<u8>, Error> {
        response::payload(block_on(self(request::read(&payload)?, context)).map_err(returned)?)
    }
}

impl<F, X> StreamHandler<Http<Plain<X>>> for F
where
    F: FnOnce(Request, Context, ResponseStream) -> Result<(), X>,
    Error: From<X>,
{
    fn call(self, payload: Vec<u8>, context: Context, response: ResponseStream) -> Result<(), Error> {
        self(request::read(&payload)?, context, response).map_err(returned)
    }
}

impl<F, R, X> StreamHandler<Http<Async<(R, X)>>> for F
where
    F: FnOnce(Request, Context, ResponseStream) -> R,
    R: Future<Output = Result<(), X>>,
    Error: From<X>,
{
    fn call(self, payload: Vec<u8>, context: Context, response: ResponseStream) -> Result<(), Error> {
        block_on(self(request::read(&payload)?, context, response)).map_err(returned)
    }
}
