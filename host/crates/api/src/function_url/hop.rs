//! Headers of one connection: a function neither sees nor is sent them.

use http::header::{CONNECTION, HOST};
use http::{HeaderMap, HeaderName};

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

/// The headers that `Connection` names besides (RFC 9110, 7.6.1). The host is the
/// request's own, whatever is said.
pub(super) fn named(headers: &HeaderMap) -> Vec<HeaderName> {
    let values = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let names = values.flat_map(|value| value.split(',')).map(str::trim);
    // What nearly every client says, and what names no header.
    let names = names.filter(|name| !name.eq_ignore_ascii_case("keep-alive") && !name.eq_ignore_ascii_case("close"));
    names.filter_map(|name| name.parse().ok()).filter(|name| *name != HOST).collect()
}
