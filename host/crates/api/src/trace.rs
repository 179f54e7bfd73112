//! Trace ids: `Root=1-8hex-24hex;Parent=16hex;Sampled=0` (reference 1.4).

use http::{HeaderMap, HeaderName};
use lamina_kit::Ids;
use lamina_types::{Span, Timestamp};

use crate::request::Shared;

/// Carries a trace id, in and out.
pub(crate) const TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");

/// Longest trace id that is passed on, in bytes: room for every part there is.
const BYTES_MAX: usize = 256;

/// W3C Trace Context's name for the same.
pub(crate) const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

/// A call's place in its trace.
pub(crate) struct Trace {
    /// As X-Ray writes it.
    pub(crate) trace_id: String,
    /// When it is recorded.
    pub(crate) span: Option<Span>,
}

/// The request's trace when it has one that is well-formed, X-Ray's before W3C's,
/// else a new one. It is recorded when its caller says so, or does not say and it is
/// among those that are sampled.
pub(crate) fn begin(headers: &HeaderMap, shared: &Shared, now: Timestamp) -> Trace {
    let (ids, tracer) = (shared.deps.ids.as_ref(), shared.deps.tracer.as_ref());
    of(headers, ids, now, tracer.map(|tracer| |trace| tracer.samples(trace)))
}

fn of(headers: &HeaderMap, ids: &dyn Ids, now: Timestamp, samples: Option<impl Fn([u8; 16]) -> bool>) -> Trace {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let given = text(TRACE_ID).filter(|text| is_well_formed(text)).map(str::to_owned);
    let given = given.or_else(|| text(TRACE_PARENT).and_then(of_w3c));
    let is_new = given.is_none();
    let trace_id = given.unwrap_or_else(|| new(ids, now));
    let Some(samples) = samples else { return Trace { trace_id, span: None } };
    let Some(trace) = root(&trace_id) else { return Trace { trace_id, span: None } };
    let said = member(&trace_id, "Sampled").filter(|_| !is_new);
    let sampled = match said {
        Some("1") => true,
        Some("0") => false,
        _ => samples(trace),
    };
    if !sampled {
        return Trace { trace_id, span: None };
    }
    let mut span = [0; 8];
    ids.fill(&mut span);
    let parent = member(&trace_id, "Parent").filter(|_| !is_new).and_then(fixed::<8>);
    let root = member(&trace_id, "Root").unwrap_or_default();
    let trace_id = format!("Root={root};Parent={};Sampled=1", hex::encode(span));
    Trace { trace_id, span: Some(Span { trace, span, parent }) }
}

/// As [`begin`] where nothing is recorded.
#[cfg(test)]
pub(crate) fn unrecorded(headers: &HeaderMap, ids: &dyn Ids, now: Timestamp) -> Trace {
    of(headers, ids, now, None::<fn([u8; 16]) -> bool>)
}

/// `traceparent` of what is below a span.
pub(crate) fn parent(span: Span) -> String {
    format!("00-{}-{}-01", hex::encode(span.trace), hex::encode(span.span))
}

fn fixed<const LENGTH: usize>(text: &str) -> Option<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    (bytes != [0; LENGTH]).then_some(bytes)
}

/// A part of a trace id that is well-formed.
fn member<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.split(';').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
}

/// The trace's 16 bytes: X-Ray writes them as a time and the rest.
fn root(text: &str) -> Option<[u8; 16]> {
    let root = member(text, "Root")?.strip_prefix("1-")?;
    fixed(&root.replace('-', ""))
}

/// `00-32hex-16hex-2hex`, and what later versions add, as X-Ray would write it.
fn of_w3c(text: &str) -> Option<String> {
    let mut parts = text.trim().split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let lower = |text: &str, length| is_hex(text, length) && !text.bytes().any(|b| b.is_ascii_uppercase());
    let is_valid = lower(version, 2) && version != "ff" && lower(trace, 32) && lower(span, 16) && lower(flags, 2);
    let is_valid = is_valid && fixed::<16>(trace).is_some() && fixed::<8>(span).is_some();
    if !is_valid || (version == "00" && parts.next().is_some()) {
        return None;
    }
    let sampled = u8::from_str_radix(flags, 16).ok()? & 1;
    let (time, rest) = trace.split_at(8);
    Some(format!("Root=1-{time}-{rest};Parent={span};Sampled={sampled}"))
}

fn new(ids: &dyn Ids, now: Timestamp) -> String {
    let mut random = [0; 20];
    ids.fill(&mut random);
    let (root, parent) = random.split_at(12);
    let epoch = u32::try_from(now.seconds() & 0xffff_ffff).unwrap_or_default().to_be_bytes();
    // Every call has one: no formatting.
    let mut text = String::with_capacity(80);
    text.push_str("Root=1-");
    push_hex(&mut text, &epoch);
    text.push('-');
    push_hex(&mut text, root);
    text.push_str(";Parent=");
    push_hex(&mut text, parent);
    text.push_str(";Sampled=0");
    text
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    let digit = |nibble: u8| char::from(nibble + if nibble < 10 { b'0' } else { b'a' - 10 });
    text.extend(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
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
        traced(&[(TRACE_ID, text)], None).trace_id
    }

    fn traced(headers: &[(HeaderName, &str)], samples: Option<bool>) -> Trace {
        let headers = headers.iter().map(|(name, text)| (name.clone(), HeaderValue::try_from(*text).unwrap()));
        let headers: HeaderMap = headers.collect();
        of(&headers, &SeededIds::new(1), Timestamp::from_millis(1_000), samples.map(|samples| move |_| samples))
    }

    const W3C: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn w3cs_header_is_xrays_in_other_words() {
        let trace = traced(&[(TRACE_PARENT, W3C)], None);
        let expect = "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1";
        assert_eq!((trace.trace_id.as_str(), trace.span), (expect, None));
        let root = "Root=1-5759e988-bd862e3fe1be46a994272793";
        assert_eq!(traced(&[(TRACE_PARENT, W3C), (TRACE_ID, root)], None).trace_id, root);
        let later = W3C.replace("00-4", "cc-4") + "-more";
        assert_eq!(traced(&[(TRACE_PARENT, &later)], None).trace_id, expect);
        for bad in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        ] {
            assert!(traced(&[(TRACE_PARENT, bad)], None).trace_id.starts_with("Root=1-00000001-"), "{bad}");
        }
    }

    #[test]
    fn a_recorded_call_is_below_its_callers_span_and_above_its_functions() {
        let Trace { trace_id, span } = traced(&[(TRACE_PARENT, W3C)], Some(false));
        let span = span.unwrap();
        assert_eq!(hex::encode(span.trace), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(span.parent.map(hex::encode).as_deref(), Some("00f067aa0ba902b7"));
        let own = hex::encode(span.span);
        assert_eq!(trace_id, format!("Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent={own};Sampled=1"));
        assert_eq!(parent(span), format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{own}-01"));
        let not = W3C.replace("-01", "-00");
        assert!(traced(&[(TRACE_PARENT, &not)], Some(true)).span.is_none(), "its caller says no");
        assert!(traced(&[], Some(false)).span.is_none());
        let new = traced(&[], Some(true));
        assert!(new.span.is_some_and(|span| span.parent.is_none()) && new.trace_id.ends_with(";Sampled=1"));
        let asked = traced(&[(TRACE_ID, "Root=1-5759e988-bd862e3fe1be46a994272793")], Some(true));
        assert!(asked.span.is_some(), "who does not say is sampled");
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
