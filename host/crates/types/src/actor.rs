//! In whose name something is done: what the audit log says of it.

use crate::RequestId;

/// Whoever makes a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// An access key's id, or `platform` for what the platform does by itself.
    pub principal: String,
    /// The request that asked for it, if one did.
    pub request: Option<RequestId>,
}

impl Actor {
    /// The platform itself.
    pub fn platform() -> Self {
        Self { principal: "platform".to_owned(), request: None }
    }
}
