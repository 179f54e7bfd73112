use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::*;
use crate::testing::invoke;
use crate::{Context, Error};

fn event(more: Value) -> Value {
    let mut event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": "/a b/%2F\u{e4}", "rawQueryString": "x=1&x=%C3%A4+b&y",
        "cookies": ["a=1", "b=2"], "headers": {"host": "id.lambda-url.here", "accept": "a,b"},
        "requestContext": {"domainName": "id.lambda-url.here", "http": {"method": "PUT", "sourceIp": "127.0.0.1"}},
        "body": "text", "isBase64Encoded": false,
    });
    more.as_object().unwrap().iter().for_each(|(name, value)| event[name] = value.clone());
    event
}

fn told(request: Request, _ctx: Context) -> Result<Response<String>, Error> {
    let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let context = &request.extensions().get::<RequestContext>().unwrap().0;
    let told = json!({
        "method": request.method().as_str(), "uri": request.uri().to_string(), "query": query_pairs(&request),
        "cookie": header("cookie"), "accept": header("accept"), "body": request.body().as_bytes(),
        "address": context["http"]["sourceIp"],
    });
    Ok(Response::new(told.to_string()))
}

fn body_of(answer: &Value) -> Value {
    serde_json::from_str(answer["body"].as_str().unwrap()).unwrap()
}

#[test]
fn requests_are_what_the_event_says() {
    let answer = invoke(told, event(json!({}))).unwrap();
    let expect = json!({
        "method": "PUT", "uri": "https://id.lambda-url.here/a%20b/%2F%C3%A4?x=1&x=%C3%A4+b&y",
        "query": [["x", "1"], ["x", "\u{e4} b"], ["y", ""]], "cookie": "a=1; b=2", "accept": "a,b",
        "body": b"text", "address": "127.0.0.1",
    });
    assert_eq!(body_of(&answer), expect);
    let binary = invoke(told, event(json!({"body": "/wA=", "isBase64Encoded": true}))).unwrap();
    assert_eq!(body_of(&binary)["body"], json!([255, 0]));
    let none = event(json!({"body": null, "cookies": [], "headers": {}, "rawQueryString": ""}));
    let none = body_of(&invoke(told, none).unwrap());
    assert_eq!((&none["body"], &none["cookie"], &none["query"]), (&json!([]), &Value::Null, &json!([])));
}

#[test]
fn what_is_no_request_is_an_unmarshal_error() {
    let check = |event: Value, expect: &str| {
        let error = invoke(told, event).unwrap_err();
        assert_eq!(error.error_type(), "Runtime.UnmarshalError");
        assert!(error.message().contains(expect), "{error}");
    };
    check(json!({"name": "Ada"}), "no HTTP request of payload format 2.0: missing field `version`");
    check(event(json!({"version": "1.0"})), "its version is `1.0`");
    check(event(json!({"requestContext": {}})), "it names no method");
    check(event(json!({"headers": {"a b": ""}})), "invalid HTTP header name");
    check(event(json!({"headers": {"a": "\u{0}"}})), "failed to parse header value");
    check(event(json!({"body": "*", "isBase64Encoded": true})), "Invalid symbol");
}

async fn answered(request: Request, _ctx: Context) -> Result<Response, Error> {
    if request.uri().path() == "/fail" {
        return Err(Error::new("Test.Failed", "as it was told"));
    }
    let mut response = Response::new(Body::from(request.body().as_bytes()));
    *response.status_mut() = StatusCode::CREATED;
    for (name, value) in [("set-cookie", "a=1"), ("set-cookie", "b=2"), ("x-both", "1"), ("x-both", "2")] {
        response.headers_mut().append(name, HeaderValue::from_static(value));
    }
    if request.uri().path() == "/bytes" {
        response.headers_mut().insert("x-bytes", HeaderValue::from_bytes(b"\xff").unwrap());
    }
    Ok(response)
}

#[test]
fn responses_are_answers_of_payload_format_2() {
    let answer = invoke(answered, event(json!({}))).unwrap();
    let expect = json!({
        "statusCode": 201, "headers": {"x-both": "1,2"}, "cookies": ["a=1", "b=2"],
        "body": "dGV4dA==", "isBase64Encoded": true,
    });
    assert_eq!(answer, expect);
    let failed = invoke(answered, event(json!({"rawPath": "/fail"}))).unwrap_err();
    assert_eq!((failed.error_type(), failed.message()), ("Test.Failed", "as it was told"));
    let bytes = invoke(answered, event(json!({"rawPath": "/bytes"}))).unwrap_err();
    assert_eq!(bytes.message(), "the value of the response's header x-bytes is not UTF-8");
}

#[test]
fn bodies_are_text_bytes_or_nothing() {
    let check = |body: Body, bytes: &[u8], text: Option<&str>| {
        assert_eq!((body.as_bytes(), body.as_text()), (bytes, text));
        assert_eq!(body.into_bytes(), bytes);
    };
    check("a".into(), b"a", Some("a"));
    check(String::from("a").into(), b"a", Some("a"));
    check(vec![255].into(), &[255], None);
    check(b"b"[..].into(), b"b", Some("b"));
    check(().into(), b"", Some(""));
    let nothing = |_: Request, _: Context| -> Result<Response<()>, Error> { Ok(Response::new(())) };
    let answer = invoke(nothing, event(json!({}))).unwrap();
    assert_eq!(answer, json!({"statusCode": 200, "headers": {}, "body": "", "isBase64Encoded": false}));
}
