//! Where a streaming handler's answer goes in a native test: into memory.

use std::cell::RefCell;
use std::rc::Rc;

use crate::Head;
use crate::stream::{StartError, WriteError};

/// What was sent so far.
#[derive(Clone, Default)]
pub(crate) struct Sent(Rc<RefCell<Parts>>);

/// The head, once started, and the chunks.
type Parts = (Option<Head>, Vec<Vec<u8>>);

impl Sent {
    pub(crate) fn take(&self) -> (Option<Head>, Vec<Vec<u8>>) {
        self.0.take()
    }
}

/// An answer, and the place to see what was sent.
pub(crate) fn response() -> (Response, Sent) {
    let sent = Sent::default();
    (Response(sent.clone()), sent)
}

/// An answer that was not begun.
pub(crate) struct Response(Sent);

impl Response {
    pub(crate) fn start(self, head: Head) -> Result<Body, StartError> {
        // The platform checks names and values too; a status is what tests get wrong.
        let status = head.http.as_ref().map_or(200, |http| http.status);
        if !(200..=599).contains(&status) {
            return Err(StartError::InvalidHead(format!("status {status} is not between 200 and 599")));
        }
        self.0.0.borrow_mut().0 = Some(head);
        Ok(Body(self.0))
    }
}

/// A body that is kept in memory.
pub(crate) struct Body(Sent);

impl Body {
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.0.0.borrow_mut().1.push(bytes.to_vec());
        Ok(())
    }

    pub(crate) async fn ready(&mut self) {}
}
