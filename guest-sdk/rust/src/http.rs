//! HTTP requests and responses in place of events and answers, with the feature `http`.
//!
//! ```
//! use lamina::http::{Request, Response};
//! use lamina::{Context, Error};
//!
//! #[lamina::handler]
//! async fn handle(request: Request, _ctx: Context) -> Result<Response<String>, Error> {
//!     let text = format!("{} {}", request.method(), request.uri().path());
//!     Ok(Response::new(text))
//! }
//! # let event = serde_json::json!({
//! #     "version": "2.0", "rawPath": "/a", "requestContext": {"http": {"method": "GET"}},
//! # });
//! # assert_eq!(lamina::testing::invoke(handle, event).unwrap()["body"], "GET /a");
//! ```
//!
//! Such a handler is for functions behind a function URL: it takes events of payload
//! format 2.0 and answers in that form. The types are those of the crate `http`, as
//! `lambda_http` has them, so that code written for it moves with few changes. A third
//! parameter, [`crate::ResponseStream`], makes it a streaming handler.
//!
//! Of a request the cookies are in the header `cookie`, the host in the URI, and what
//! else the platform says of it is [`RequestContext`], among its extensions. Of a
//! response each `set-cookie` becomes a cookie, other headers that are there more than
//! once are joined by commas, and a body that is no text goes as Base64.

mod handler;
mod request;
mod response;

pub use request::{RequestContext, query_pairs};

/// A request to a function URL.
pub type Request = ::http::Request<Body>;
/// What a function URL answers. Its body is anything that turns into a [`Body`]:
/// text, bytes, or nothing.
pub type Response<B = Body> = ::http::Response<B>;

/// A body, as it travels in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Body {
    /// None.
    #[default]
    Empty,
    /// Text.
    Text(String),
    /// Bytes, which go as Base64.
    Binary(Vec<u8>),
}

impl Body {
    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Empty => &[],
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// Its bytes, without a copy.
    pub fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Empty => Vec::new(),
            Self::Text(text) => text.into_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// Its text; `None` where it is not UTF-8.
    pub fn as_text(&self) -> Option<&str> {
        std::str::from_utf8(self.as_bytes()).ok()
    }
}

impl From<()> for Body {
    fn from((): ()) -> Self {
        Self::Empty
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Body {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes)
    }
}

impl From<&[u8]> for Body {
    fn from(bytes: &[u8]) -> Self {
        Self::Binary(bytes.to_vec())
    }
}

#[cfg(test)]
mod tests;
