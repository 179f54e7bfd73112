//! What callers get.

use bytes::Bytes;
use lamina_runtime::{ResponseBody, RunError, StreamHead};
use lamina_types::{FunctionError, Outcome, Version};
use tokio::sync::oneshot;

/// A call that was collected to its end.
#[derive(Debug)]
pub struct Served {
    /// The version that ran.
    pub version: Version,
    /// The answer, or the guest's failure, and what was used. The answer of a
    /// `function-stream` component is its body.
    pub outcome: Outcome,
    /// The head that a `function-stream` component gave its answer.
    pub head: Option<StreamHead>,
    /// The last 4 KiB of its log, if asked for.
    pub tail: Option<Vec<u8>>,
}

/// A call whose answer is passed on as it is written.
#[derive(Debug)]
pub struct Streamed {
    /// The version that runs.
    pub version: Version,
    /// Its answer.
    pub answer: StreamAnswer,
    /// How it ends.
    pub end: End,
}

/// A call that ended, and the tail of its log if that was asked for.
pub type Ended = Result<(Outcome, Option<Vec<u8>>), RunError>;

/// The end of a call whose answer is streamed.
#[derive(Debug)]
pub enum End {
    /// It has ended well, or before it began to answer, with this tail of its log if that was asked for.
    Ended(Option<Vec<u8>>),
    /// It has begun to answer and then failed, so that its body breaks off.
    Failed(FunctionError, Option<Vec<u8>>),
    /// It still runs: what is said when its body has ended.
    Running(oneshot::Receiver<Ended>),
    /// It still runs, and nobody asked.
    Unwatched,
}

/// How a streamed answer begins.
#[derive(Debug)]
pub enum StreamAnswer {
    /// The call failed before the first byte.
    Failed(FunctionError),
    /// The whole answer of a component that did not stream it.
    Whole(Vec<u8>),
    /// A `function-stream` component has begun to answer.
    Started {
        /// What precedes the body.
        head: StreamHead,
        /// Ends when the call does, and with an error when it failed.
        body: Body,
    },
}

/// The answer of a `function-http` component.
#[derive(Debug)]
pub struct HttpServed {
    /// The version that runs.
    pub version: Version,
    /// Its response, or how it failed before it had one.
    pub response: Result<::http::Response<Body>, FunctionError>,
}

/// The body of an answer.
pub enum Body {
    /// All there: the call ended before its answer was taken.
    Whole(Bytes),
    /// As it comes. Dropping it does not stop the guest: its next write fails.
    Stream(ResponseBody),
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole(bytes) => f.debug_tuple("Whole").field(&bytes.len()).finish(),
            Self::Stream(_) => f.debug_tuple("Stream").finish_non_exhaustive(),
        }
    }
}

/// How long a failure is as the body of an answer: JSON.
pub(crate) fn body_bytes(failure: &FunctionError) -> u64 {
    struct Count(u64);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len() as u64;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // Neither texts nor counting can fail.
    let _ = serde_json::to_writer(&mut count, failure);
    count.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failures_body_is_as_long_as_it_is_written() {
        for stack in [vec![], vec!["at \"x\"".to_owned(), "\n".to_owned()]] {
            let failure = FunctionError { stack, ..FunctionError::new("E", "\u{e9} \"m\"") };
            assert_eq!(body_bytes(&failure), serde_json::to_vec(&failure).unwrap().len() as u64);
        }
    }
}
