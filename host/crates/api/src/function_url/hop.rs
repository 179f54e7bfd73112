//! Headers of one connection: a function neither sees nor is sent them.

use http::HeaderName;

/// Whether a request's header ends here (RFC 9110, section 7.6.1), as does
/// `expect`, which was met when the body was read.
pub(super) fn is_hop(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "connection"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
            | "expect"
    )
}
