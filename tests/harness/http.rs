//! Plain HTTP/1.1: a connection for each request, nothing retried, nothing
//! followed. A body can be read whole, or as it comes.

use std::convert::Infallible;
use std::time::Duration;

use ::http::{HeaderMap, Request, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Body, Frame, Incoming};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// How long anything may take here.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Reply {
    /// A header's value; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a header of text"))
    }

    /// The error's name.
    pub fn error(&self) -> &str {
        self.header("x-amzn-errortype")
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Itself, when the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{} {}", self.error(), self.text());
        self
    }

    /// Itself, when it is this error, and its text has that in it.
    #[track_caller]
    pub fn refused(self, status: u16, error: &str, text: &str) -> Self {
        assert_eq!((self.status, self.error()), (status, error), "{}", self.text());
        assert!(self.text().contains(text), "`{text}` is not in: {}", self.text());
        self
    }
}

/// An answer whose body has not been read.
#[derive(Debug)]
pub struct Open {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    body: Incoming,
    _connection: Connection,
}

/// A connection, closed when dropped, whatever is still on its way.
#[derive(Debug)]
struct Connection(tokio::task::JoinHandle<hyper::Result<()>>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Open {
    /// The next piece of the body; `None` at a clean end, an error when it broke off.
    pub async fn chunk(&mut self) -> Option<Result<Bytes, hyper::Error>> {
        loop {
            let frame = within("a chunk", self.body.frame()).await?;
            match frame.map(|frame| frame.into_data()) {
                Ok(Ok(data)) => return Some(Ok(data)),
                // Trailers are not what is asked for.
                Ok(Err(_)) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// The whole answer, which must end cleanly.
    pub async fn whole(mut self) -> Reply {
        let (body, clean) = self.rest().await;
        assert!(clean, "the body broke off after {} bytes", body.len());
        Reply { status: self.status.as_u16(), headers: self.headers, body: body.into() }
    }

    /// Everything that came, and whether it ended cleanly.
    pub async fn rest(&mut self) -> (Vec<u8>, bool) {
        let mut bytes = Vec::new();
        while let Some(chunk) = self.chunk().await {
            match chunk {
                Ok(chunk) => bytes.extend_from_slice(&chunk),
                Err(_) => return (bytes, false),
            }
        }
        (bytes, true)
    }
}

/// Waits with the deadline of all tests.
pub async fn within<F: Future>(what: &str, future: F) -> F::Output {
    match tokio::time::timeout(DEADLINE, future).await {
        Ok(output) => output,
        Err(_) => panic!("{what} did not come in {DEADLINE:?}"),
    }
}

/// Sends a request to `authority` (`HOST:PORT`) and answers when the head is
/// there. Dropping the answer, or waiting for it no longer, closes the connection.
pub async fn open(authority: &str, request: Request<Bytes>) -> Open {
    try_open(authority, request).await.unwrap_or_else(|error| panic!("no answer: {error}"))
}

/// The same, for a test that may be left without an answer.
pub async fn try_open(authority: &str, request: Request<Bytes>) -> hyper::Result<Open> {
    exchange(authority, request.map(Full::new)).await
}

/// Sends the head of a request, which announces a body of `length` bytes, and none
/// of the body; answers with what a server says to that.
pub async fn announce(authority: &str, request: Request<Bytes>, length: usize) -> Reply {
    let never = futures_util::stream::pending::<Result<Frame<Bytes>, Infallible>>();
    let mut request = request.map(|_| StreamBody::new(never));
    request.headers_mut().insert("content-length", length.into());
    let open = exchange(authority, request).await.unwrap_or_else(|error| panic!("no answer: {error}"));
    open.whole().await
}

async fn exchange<B>(authority: &str, mut request: Request<B>) -> hyper::Result<Open>
where
    B: Body<Data = Bytes, Error = Infallible> + Send + Unpin + 'static,
{
    if !request.headers().contains_key("host") {
        request.headers_mut().insert("host", authority.parse().expect("an authority is a header's value"));
    }
    let stream = TcpStream::connect(authority).await.unwrap_or_else(|error| panic!("{authority}: {error}"));
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("a connection just made");
    let connection = Connection(tokio::spawn(connection));
    let answer = within("an answer", sender.send_request(request)).await;
    let (head, body) = answer?.into_parts();
    Ok(Open { status: head.status, headers: head.headers, body, _connection: connection })
}

/// Sends a request and reads the whole answer.
pub async fn send(authority: &str, request: Request<Bytes>) -> Reply {
    open(authority, request).await.whole().await
}

/// A request without headers of its own.
pub fn request(method: &str, path: &str, body: impl Into<Bytes>) -> Request<Bytes> {
    Request::builder().method(method).uri(path).body(body.into()).expect("a method and a path")
}
