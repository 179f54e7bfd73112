//! Property tests of what functions answer and clients ask at function URLs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_TYPE, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};
use lamina_runtime::HttpPrelude;
use lamina_types::{RequestId, Timestamp};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngSeed};
use serde_json::{Map, Value, json};

use super::infer::{self, Inferred, is_ours};
use super::{address, event, hop, json as writer};

/// The same cases in every run; `PROPTEST_CASES` says how many (see ARCHITECTURE.md).
fn config() -> Config {
    Config { rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Config::default() }
}

/// JSON of every kind.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u16>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(".{0,8}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Names and values that may be headers, and some that may not.
fn field() -> impl Strategy<Value = (String, String)> {
    let name = prop_oneof![
        "[a-zA-Z0-9-]{1,12}",
        ".{0,8}",
        Just("Content-Length".to_owned()),
        Just("transfer-encoding".to_owned()),
        Just("x-amzn-requestid".to_owned()),
    ];
    (name, prop_oneof!["[ -~]{0,20}", ".{0,12}", "[a-z]{0,3}[\r\n\0\x7f\x1b][a-z: ]{0,6}"])
}

/// Results that look like answers, member by member right or wrong.
fn shape() -> impl Strategy<Value = Value> {
    let status = prop_oneof![any::<u16>().prop_map(Value::from), (200..600).prop_map(Value::from), value()];
    let headers = proptest::collection::vec(field(), 0..5).prop_map(|fields| {
        Value::Object(fields.into_iter().map(|(name, value)| (name, value.into())).collect::<Map<_, _>>())
    });
    let cookies = proptest::collection::vec("[ -~]{0,12}", 0..3).prop_map(Value::from);
    let body = prop_oneof![".{0,30}".prop_map(Value::from), "[A-Za-z0-9+/=]{0,16}".prop_map(Value::from), value()];
    (status, prop_oneof![headers, value()], prop_oneof![cookies, value()], body, any::<Option<bool>>()).prop_map(
        |(status, headers, cookies, body, encoded)| {
            json!({"statusCode": status, "headers": headers, "cookies": cookies, "body": body, "isBase64Encoded": encoded})
        },
    )
}

/// Whether this can be sent, and says nothing that is the platform's to say.
fn is_sendable(inferred: &Inferred) -> bool {
    (200..=599).contains(&inferred.status.as_u16())
        && inferred.headers.iter().all(|(name, value)| {
            !is_ours(name) && value.as_bytes().iter().all(|byte| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f))
        })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn results_become_what_can_be_sent(
        result in prop_oneof![
            shape().prop_map(|value| value.to_string().into_bytes()),
            value().prop_map(|value| value.to_string().into_bytes()),
            proptest::collection::vec(any::<u8>(), 0..60),
            ".{0,60}".prop_map(String::into_bytes),
        ],
        edits in proptest::collection::vec(any::<(Index, u8)>(), 0..2),
    ) {
        let mut result = result;
        if !result.is_empty() {
            let length = result.len();
            edits.iter().for_each(|(at, byte)| result[at.index(length)] = *byte);
        }
        if let Ok(inferred) = infer::from_result(result.clone()) {
            prop_assert!(is_sendable(&inferred), "{inferred:?}");
            prop_assert!(inferred.body.len() <= result.len());
        }
    }

    #[test]
    fn answers_come_back(
        status in 200_u16..600, fields in proptest::collection::btree_map("x-[a-z]{1,8}", "[!-~]{1,12}", 0..5),
        cookies in proptest::collection::vec("[a-z]{1,4}=[a-z0-9]{0,8}", 0..4), body in proptest::collection::vec(any::<u8>(), 0..90),
    ) {
        let answer = json!({
            "statusCode": status, "headers": fields, "cookies": cookies, "body": STANDARD.encode(&body), "isBase64Encoded": true,
        });
        let inferred = infer::from_result(answer.to_string().into_bytes()).unwrap();
        prop_assert_eq!(inferred.status.as_u16(), status);
        let has_body = !matches!(status, 204 | 304);
        prop_assert_eq!(&inferred.body[..], if has_body { &body[..] } else { &[] });
        for (name, value) in &fields {
            prop_assert_eq!(inferred.headers[name.as_str()].as_bytes(), value.as_bytes());
        }
        let set: Vec<&[u8]> = inferred.headers.get_all(SET_COOKIE).iter().map(HeaderValue::as_bytes).collect();
        prop_assert_eq!(set, cookies.iter().map(String::as_bytes).collect::<Vec<_>>());
        prop_assert_eq!(inferred.headers.len(), fields.len() + cookies.len() + usize::from(inferred.headers.contains_key(CONTENT_TYPE)));
    }

    #[test]
    fn preludes_become_what_can_be_sent(
        status in prop_oneof![any::<u16>(), 200_u16..600], headers in proptest::collection::vec(field(), 0..5),
        cookies in proptest::collection::vec(".{0,12}", 0..3), content_type in proptest::option::of(".{0,12}"), is_there in any::<bool>(),
    ) {
        let prelude = HttpPrelude { status, headers, cookies };
        let given = is_there.then_some(&prelude);
        if let Ok(inferred) = infer::from_prelude(given, content_type.as_deref()) {
            prop_assert!(is_sendable(&inferred), "{inferred:?}");
        }
    }

    #[test]
    fn events_are_json_that_says_what_was_sent(
        path in "/[ -~\u{e9}]{0,30}", query in prop_oneof!["[a-z%&=+0-9A-F,;]{0,40}", "[ -~]{0,40}"],
        fields in proptest::collection::vec(("[a-z-]{1,10}", proptest::collection::vec(any::<u8>(), 0..20)), 0..6),
        cookies in proptest::collection::vec("[ -~]{0,20}", 0..3), body in proptest::collection::vec(any::<u8>(), 0..90), is_text in any::<bool>(),
    ) {
        let mut headers = HeaderMap::new();
        for (name, value) in &fields {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_bytes(value)) {
                headers.append(name, value);
            }
        }
        for cookie in &cookies {
            headers.append("cookie", cookie.parse().unwrap());
        }
        if is_text {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        }
        let _ = hop::named(&headers);
        let written = event::write(&event::Source {
            method: &Method::POST,
            version: Version::HTTP_11,
            scheme: "http",
            spoken: None,
            path: &path,
            query: &query,
            headers: &headers,
            body: &body,
            url_id: "abc",
            domain: "abc.example",
            source_ip: "127.0.0.1",
            port: 80,
            request_id: &RequestId::from_random([0; 16]),
            trace_id: "Root=1-0-0",
            time: Timestamp(1_764_000_000_123_456),
        });
        let sent: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        prop_assert!(written.len() <= 2_048 + 6 * (2 * path.len() + 2 * query.len() + 2 * sent + body.len()));
        let event: Value = serde_json::from_slice(&written).unwrap();
        prop_assert_eq!((&event["rawPath"], &event["rawQueryString"]), (&json!(path), &json!(query)));
        let found = match (event["body"].as_str(), event["isBase64Encoded"].as_bool()) {
            (None, Some(false)) => Vec::new(),
            (Some(text), Some(false)) => text.as_bytes().to_vec(),
            (Some(text), Some(true)) => STANDARD.decode(text).unwrap(),
            other => panic!("{other:?}"),
        };
        prop_assert_eq!(found, body);
    }

    #[test]
    fn json_is_written_as_others_read_it(value in value(), text in ".{0,60}", noise in proptest::collection::vec(any::<u8>(), 0..60)) {
        let pretty = serde_json::to_vec_pretty(&value).unwrap();
        prop_assert_eq!(writer::compact(&pretty), serde_json::to_vec(&value).unwrap());
        prop_assert!(writer::compact(&noise).len() <= noise.len());
        let mut out = Vec::new();
        writer::string(&mut out, &text);
        prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        let mut out = vec![b'"'];
        writer::lossy_content(&mut out, &noise);
        out.push(b'"');
        prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), String::from_utf8_lossy(&noise));
    }

    #[test]
    fn addresses_are_found_or_not(
        host in prop_oneof!["[a-z2-7]{32}\\.lambda-url\\.us-east-1\\.[a-z.:0-9]{0,12}", ".{0,60}"],
        path in prop_oneof!["/_url/[a-zA-Z0-9/%]{0,50}", "/.{0,40}"],
    ) {
        for host in [Some(host.as_str()), None] {
            if let Some(found) = address(host, &path, "us-east-1") {
                prop_assert!(found.prefix <= path.len());
                let rest = address::path(&path, found.prefix);
                prop_assert!(rest.starts_with('/') && rest.len() <= path.len());
            }
        }
    }
}
