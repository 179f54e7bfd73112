//! Property tests of what clients send: event streams, queries, bodies, policies.

use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngSeed};
use serde_json::{Value, json};

use crate::Owner;
use crate::event_stream::{Complete, Decoder, Event};
use crate::policy::{self, AddPermission};
use crate::query::{Page, Query, mark};
use crate::url::UrlRequest;

/// The same cases in every run; `PROPTEST_CASES` says how many (see ARCHITECTURE.md).
fn config() -> Config {
    Config { rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Config::default() }
}

/// `bytes` with some of them changed, and perhaps cut.
fn mutated(bytes: &[u8], edits: &[(Index, u8)], end: Option<Index>) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if !bytes.is_empty() {
        let length = bytes.len();
        edits.iter().for_each(|(at, byte)| bytes[at.index(length)] = *byte);
        bytes.truncate(end.map_or(length, |end| end.index(length)));
    }
    bytes
}

fn event() -> impl Strategy<Value = Event> {
    let text = || proptest::option::of(".{0,40}");
    let complete = (text(), text(), text()).prop_map(|(error_code, error_details, log_result)| {
        Event::InvokeComplete(Complete { error_code, error_details, log_result })
    });
    let chunk = proptest::collection::vec(any::<u8>(), 0..600).prop_map(|bytes| Event::PayloadChunk(bytes.into()));
    prop_oneof![chunk, complete]
}

/// Every event of these bytes, pushed in pieces; how many were malformed ends it.
fn decoded(bytes: &[u8], piece: usize) -> Vec<Event> {
    let (mut decoder, mut events) = (Decoder::default(), Vec::new());
    for bytes in bytes.chunks(piece) {
        decoder.push(bytes);
        loop {
            match decoder.event() {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(_) => return events,
            }
        }
    }
    events
}

fn payload(events: &[Event]) -> usize {
    events.iter().map(|event| if let Event::PayloadChunk(bytes) = event { bytes.len() } else { 0 }).sum()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn events_come_back(events in proptest::collection::vec(event(), 0..6), piece in 1_usize..700) {
        let bytes: Vec<u8> = events.iter().flat_map(|event| event.clone().encode().unwrap()).collect();
        prop_assert_eq!(decoded(&bytes, piece), events);
    }

    #[test]
    fn streams_of_anything_are_read_or_refused(
        event in event(), edits in proptest::collection::vec(any::<(Index, u8)>(), 0..4), end in any::<Option<Index>>(),
        noise in proptest::collection::vec(any::<u8>(), 0..200), piece in 1_usize..300,
    ) {
        let bytes = mutated(&event.encode().unwrap(), &edits, end);
        // What is read was there: no length that is only claimed is believed.
        prop_assert!(payload(&decoded(&bytes, piece)) <= bytes.len());
        prop_assert!(payload(&decoded(&noise, piece)) <= noise.len());
    }

    #[test]
    fn queries_of_pairs_come_back(pairs in proptest::collection::vec(("[a-z]{1,4}", ".{0,12}"), 0..8)) {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let text: Vec<String> = pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        let mut query = Query::parse(&text.join("&"));
        for (name, _) in &pairs {
            let expect: Vec<String> =
                pairs.iter().filter(|(other, _)| other == name).map(|(_, value)| value.clone()).collect();
            let found = query.take_all(name);
            prop_assert!(found == expect || found.is_empty(), "{found:?} {expect:?}");
        }
        prop_assert!(query.finish("Fuzz").is_ok());
    }

    #[test]
    fn any_query_is_read(text in prop_oneof!["[a-z%&=+0-9A-F]{0,60}", ".{0,60}"]) {
        let mut query = Query::parse(&text);
        let _ = Page::take(&mut query, 50);
        let _ = query.finish("Fuzz");
    }

    #[test]
    fn marks_come_back(key in ".{1,80}") {
        let mut query = Query::parse(&format!("Marker={}", mark(&key)));
        prop_assert_eq!(Page::take(&mut query, 50).unwrap().after, Some(key));
    }

    #[test]
    fn permissions_are_refused_or_stand_in_a_policy(
        sid in "[a-zA-Z0-9_-]{0,12}", action in prop_oneof!["lambda:[a-zA-Z*]{0,12}", Just("*".to_owned()), ".{0,9}"],
        principal in prop_oneof![Just("*".to_owned()), "[0-9]{12}", "[a-z0-9.]{1,20}", "arn:aws:iam::[0-9]{12}:[a-z/]{1,9}", ".{0,9}"],
        arn in proptest::option::of(prop_oneof!["arn:aws:[a-z0-9]{1,4}:::[a-z]{1,9}", ".{0,9}"]),
        account in proptest::option::of("[0-9]{11,13}"), by_url in any::<Option<bool>>(),
    ) {
        let body = json!({
            "StatementId": sid, "Action": action, "Principal": principal, "SourceArn": arn, "SourceAccount": account,
            "InvokedViaFunctionUrl": by_url,
        });
        if let Ok(add) = AddPermission::parse(body.to_string().as_bytes()) {
            let document: Value = serde_json::from_str(&policy::document(&[add.statement], "ARN")).unwrap();
            let statement = &document["Statement"][0];
            prop_assert_eq!((&statement["Sid"], &statement["Action"]), (&json!(sid), &json!(action)));
            prop_assert!(statement["Principal"].to_string().contains(&principal));
        }
    }

    #[test]
    fn bodies_of_anything_are_read_or_refused(
        body in prop_oneof![
            ".{0,120}".prop_map(String::into_bytes),
            proptest::collection::vec(any::<u8>(), 0..80),
            r#"\{("(Cors|AuthType|InvokeMode|StatementId|Action|Principal)":("[A-Z]{0,9}"|[0-9]{1,3}|null|\[\]|\{"MaxAge":[0-9]{1,6}\}),?){0,4}\}"#
                .prop_map(String::into_bytes),
        ],
    ) {
        let body = Bytes::from(body);
        let _ = AddPermission::parse(&body);
        let _ = (UrlRequest::parse_create(&body), UrlRequest::parse_update(&body));
        let owner = Owner { region: "us-east-1".parse().unwrap(), account: "000000000000".parse().unwrap() };
        let _ = crate::function::CreateFunction::parse(&body, &owner);
        let _ = crate::function::UpdateConfiguration::parse(&body);
    }
}
