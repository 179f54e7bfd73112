//! Trace ids: `Root=1-8hex-24hex;Parent=16hex;Sampled=0` (reference 1.4).

use http::{HeaderMap, HeaderName};
use lamina_kit::Ids;
use lamina_types::Timestamp;

/// Carries a trace id, in and out.
pub(crate) const TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");

/// Longest trace id that is passed on, in bytes: room for every part there is.
const BYTES_MAX: usize = 256;

/// The request's trace id when it has one that is well-formed, else a new one,
/// not sampled.
pub(crate) fn trace_id(headers: &HeaderMap, ids: &dyn Ids, now: Timestamp) -> String {
    let given = headers.get(TRACE_ID).and_then(|value| value.to_str().ok());
    match given.filter(|text| is_well_formed(text)) {
        Some(text) => text.to_owned(),
        None => new(ids, now),
    }
}

fn new(ids: &dyn Ids, now: Timestamp) -> String {
    let mut random = [0; 20];
    ids.fill(&mut random);
    let (root, parent) = random.split_at(12);
    let epoch = now.seconds() & 0xffff_ffff;
    let (root, parent) = (hex::encode(root), hex::encode(parent));
    format!("Root=1-{epoch:08x}-{root};Parent={parent};Sampled=0")
}

/// `Root` must be there; the other parts are checked when they are.
fn is_well_formed(text: &str) -> bool {
    let mut rooted = false;
    text.len() <= BYTES_MAX
        && text.split(';').all(|part| {
            let Some((name, value)) = part.trim().split_once('=') else { return false };
            match name {
                "Root" => {
                    rooted = true;
                    is_root(value)
                }
                "Parent" => is_hex(value, 16),
                "Sampled" => matches!(value, "0" | "1" | "?"),
                "Self" => is_root(value),
                "Lineage" => value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b':' || b == b'|'),
                _ => false,
            }
        })
        && rooted
}

fn is_root(text: &str) -> bool {
    let mut parts = text.split('-');
    parts.next() == Some("1")
        && parts.next().is_some_and(|part| is_hex(part, 8))
        && parts.next().is_some_and(|part| is_hex(part, 24))
        && parts.next().is_none()
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use lamina_kit::SeededIds;

    use super::*;

    fn given(text: &str) -> String {
        let headers = HeaderMap::from_iter([(TRACE_ID, HeaderValue::try_from(text).unwrap())]);
        trace_id(&headers, &SeededIds::new(1), Timestamp::from_millis(1_000))
    }

    #[test]
    fn well_formed_ones_are_passed_on() {
        let root = "Root=1-5759e988-bd862e3fe1be46a994272793";
        for good in [
            root.to_owned(),
            format!("{root};Parent=53995c3f42cd8ad8;Sampled=1"),
            format!("{root};Parent=53995c3f42cd8ad8;Sampled=0;Lineage=a87bd80c:1|68fd508a:5|c512fbe3:2"),
            format!("Self=1-5759e988-bd862e3fe1be46a994272793;{root}"),
        ] {
            assert_eq!(given(&good), good);
        }
    }

    #[test]
    fn others_are_replaced() {
        let long = format!("Root=1-5759e988-bd862e3fe1be46a994272793;Lineage={}", "a".repeat(300));
        for bad in ["", "x", "Root=1-5759e988-bd86", "Parent=53995c3f42cd8ad8", "Root=1-0-0;Sampled=1", long.as_str()] {
            let made = given(bad);
            assert!(made.starts_with("Root=1-00000001-") && made.ends_with(";Sampled=0"), "{made}");
            assert!(is_well_formed(&made), "{made}");
        }
        let injected = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1;Extra=\"";
        assert_ne!(given(injected), injected);
    }
}
