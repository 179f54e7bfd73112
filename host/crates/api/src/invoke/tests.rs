use std::time::Duration;

use http_body_util::BodyExt as _;
use lamina_types::{Outcome, Status, Usage};

use super::*;

fn asked(headers: &[(&'static str, &str)]) -> Result<Asked, String> {
    let pairs = headers.iter().map(|(name, value)| ((*name).parse().unwrap(), HeaderValue::try_from(*value).unwrap()));
    Asked::of(&pairs.collect(), true)
        .map_err(|error| format!("{} {}", error.exception.name, error.text.unwrap_or_default()))
}

#[test]
fn headers_say_what_is_asked() {
    let none = Asked { dry_run: false, tail: false, client_context: None };
    assert_eq!(asked(&[]), Ok(none));
    let all = [
        ("x-amz-invocation-type", "RequestResponse"),
        ("x-amz-log-type", "Tail"),
        ("x-amz-client-context", "eyJjdXN0b20iOnt9fQ=="),
    ];
    let client_context = Some(r#"{"custom":{}}"#.to_owned());
    assert_eq!(asked(&all), Ok(Asked { dry_run: false, tail: true, client_context }));
    assert!(asked(&[("x-amz-invocation-type", "DryRun"), ("x-amz-log-type", "None")]).unwrap().dry_run);
}

#[test]
fn headers_that_are_refused() {
    let check = |headers: &[(&'static str, &str)], expect: &str| {
        let error = asked(headers).unwrap_err();
        assert!(error.starts_with(expect), "{error}");
    };
    let later = "InvalidParameterValueException";
    check(
        &[("x-amz-invocation-type", "Event")],
        &format!("{later} InvocationType Event is not supported yet: call with RequestResponse"),
    );
    check(&[("x-amz-tenant-id", "t")], &format!("{later} x-amz-tenant-id is not supported yet"));
    check(&[("x-amz-durable-execution-name", "n")], &format!("{later} x-amz-durable-execution-name is not"));
    check(
        &[("x-amz-invocation-type", "x"), ("x-amz-log-type", "y")],
        "ValidationException 2 validation errors detected: Value 'x' at 'invocationType' failed to satisfy \
         constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]; Value 'y' at 'logType'",
    );
    // `[]`, no base64, and too long.
    for context in ["W10=", "!", &STANDARD.encode(format!(r#"{{"a":"{}"}}"#, "x".repeat(3_000)))] {
        check(&[("x-amz-client-context", context)], "InvalidRequestContentException Client context must");
    }
}

#[test]
fn payloads_are_json() {
    for good in ["", "{}", " [1, 2] ", "\"x\"", "1.5e3", "null", "{\"a\":\"\u{e4}\"}"] {
        assert_eq!(check_json(good.as_bytes()), Ok(()), "{good}");
    }
    for bad in [&b"{"[..], b"x", b"1 2", b"{} x", b"\"\xff\"", b" ", b"[1,]"] {
        let error = check_json(bad).unwrap_err();
        assert_eq!((error.exception.name, error.exception.status.as_u16()), ("InvalidRequestContentException", 400));
        let text = error.text.unwrap();
        let expect = "Could not parse request body into json: Could not parse payload into json: ";
        assert!(text.starts_with(expect), "{text}");
    }
    // Deep nesting is the function's own business, not the platform's stack's.
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(check_json(deep.as_bytes()), Ok(()));
    assert_eq!(payload(Bytes::new()), b"{}");
}

async fn answer(result: Result<Vec<u8>, FunctionError>, tail: Option<&[u8]>) -> (HeaderMap, String) {
    let duration = Duration::from_millis(1);
    let usage = Usage { status: Status::Success, duration, init: None, restore: None, memory_bytes_peak: 0, fuel: 0 };
    let (version, outcome) = (Version::Number(7), Outcome { result, usage });
    let answer = answered(Served { version, outcome, head: None, tail: tail.map(Into::into) }).unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let (parts, body) = answer.into_parts();
    (parts.headers, String::from_utf8(body.collect().await.unwrap().to_bytes().into()).unwrap())
}

#[tokio::test]
async fn answers() {
    let (headers, body) = answer(Ok(b"{\"a\": 1}".to_vec()), Some(b"log")).await;
    assert_eq!(body, "{\"a\": 1}", "as the function wrote it");
    assert_eq!((&headers[EXECUTED_VERSION], &headers[LOG_RESULT]), (&"7".parse().unwrap(), &"bG9n".parse().unwrap()));
    assert!(!headers.contains_key(FUNCTION_ERROR));
    assert_eq!(answer(Ok(vec![]), None).await.1, "null");

    let failure = FunctionError::new("E", "m");
    let (headers, body) = answer(Err(failure), None).await;
    assert_eq!(body, r#"{"errorType":"E","errorMessage":"m"}"#);
    assert_eq!(headers[FUNCTION_ERROR], "Unhandled");
    assert!(!headers.contains_key(LOG_RESULT));
}
