//! Why a request is refused before anything is looked up.

/// A request that cannot be accepted. The text is Lambda's own where clients
/// match on it, and may quote the request: it is for the caller, not the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// The body is no JSON, or a member has the wrong JSON type.
    #[error("{0}")]
    Serialization(String),
    /// Layer one: the model's constraints, all violations in one text.
    #[error("{0}")]
    Validation(String),
    /// Layer two: the values make no sense, or ask for what is not there yet.
    #[error("{0}")]
    Parameter(String),
    /// An ARN of another region.
    #[error("Functions from '{region}' are not reachable in this region ('{here}')")]
    OtherRegion {
        /// The region asked for.
        region: String,
        /// This platform's.
        here: String,
    },
    /// An ARN of another account, which nobody has given permissions here.
    #[error("the function belongs to another account")]
    OtherAccount,
    /// A function that cannot exist, because its name is too long to be one.
    #[error("Function not found: {arn}")]
    NoSuchFunction {
        /// The ARN it would have.
        arn: String,
    },
}

impl Invalid {
    /// Something Lambda can do and this platform cannot yet.
    pub fn not_yet(what: &str, instead: &str) -> Self {
        Self::Parameter(format!("{what} is not supported yet: {instead}"))
    }
}
