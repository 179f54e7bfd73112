//! What callers get.

use bytes::Bytes;
use lamina_runtime::{ResponseBody, StreamHead};
use lamina_types::{FunctionError, Outcome, Version};

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
}

/// How a streamed answer begins.
#[derive(Debug)]
pub enum StreamAnswer {
    /// The call failed before the first byte.
    Failed(FunctionError),
    /// The whole answer of a `function` component.
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
