//! Where a streaming handler's answer goes in a guest: into the host's stream.

use crate::Head;
use crate::bindings::imports::lamina::function::response::{self, ResponseWriter};
use crate::bindings::imports::wasi::io::streams::{OutputStream, StreamError};
use crate::executor::Wait;
use crate::stream::{StartError, WriteError};

/// An answer that was not begun.
pub(crate) struct Response(ResponseWriter);

impl Response {
    pub(crate) fn new(writer: ResponseWriter) -> Self {
        Self(writer)
    }

    pub(crate) fn start(self, head: Head) -> Result<Body, StartError> {
        match self.0.start(&head.into()) {
            Ok(stream) => Ok(Body { stream, writer: self.0 }),
            Err(response::StartError::InvalidHead(reason)) => Err(StartError::InvalidHead(reason)),
            // Starting consumes the answer, so it cannot have been started before.
            Err(response::StartError::Closed | response::StartError::Started) => Err(StartError::Closed),
        }
    }
}

/// An open body.
pub(crate) struct Body {
    // Dropped in this order: the stream is the writer's.
    stream: OutputStream,
    #[expect(dead_code, reason = "held while the stream is open")]
    writer: ResponseWriter,
}

impl Body {
    pub(crate) fn write(&mut self, mut bytes: &[u8]) -> Result<(), WriteError> {
        while !bytes.is_empty() {
            let permitted = usize::try_from(self.stream.check_write()?).unwrap_or(usize::MAX);
            if permitted == 0 {
                self.stream.subscribe().block();
                continue;
            }
            let (now, later) = bytes.split_at(permitted.min(bytes.len()));
            self.stream.write(now)?;
            bytes = later;
        }
        Ok(self.stream.flush()?)
    }

    pub(crate) async fn ready(&mut self) {
        Wait::new(self.stream.subscribe().into()).await;
    }
}

impl From<StreamError> for WriteError {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::Closed => Self::Closed,
            StreamError::LastOperationFailed(error) => Self::Failed(error.to_debug_string()),
        }
    }
}

impl From<Head> for response::Head {
    fn from(head: Head) -> Self {
        let http = head.http.map(|http| response::HttpPrelude {
            status_code: http.status,
            headers: http.headers,
            cookies: http.cookies,
        });
        Self { content_type: head.content_type, http }
    }
}
