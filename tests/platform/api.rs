//! The REST API, where an SDK would not go: signatures, requests out of bounds,
//! and what is not supported.

use std::time::{Duration, SystemTime};

use harness::{Client, creation, http};
use serde_json::json;

use crate::common::{common, platform};

#[tokio::test(flavor = "multi_thread")]
async fn requests_without_a_valid_signature_are_refused() {
    let common = common().await;
    let client = &common.platform.client;
    let list = "/2015-03-31/functions";

    let unsigned = http::send(&client.authority, http::request("GET", list, "")).await;
    unsigned.refused(403, "MissingAuthenticationTokenException", "Missing Authentication Token");
    // Our own operations are no exception, and paths that mean nothing tell nothing.
    for path in ["/lamina/v1/trust", "/lamina/v1/status", "/lamina/v1/logs/%2Faws%2Flambda%2Fhello", "/nothing"] {
        let reply = http::send(&client.authority, http::request("GET", path, "")).await;
        reply.refused(403, "MissingAuthenticationTokenException", "");
    }

    let mismatch = "InvalidSignatureException";
    let check = async |client: Client, error: &str, text: &str| {
        client.get(list).await.refused(403, error, text);
    };
    let wrong = Client { secret_access_key: "x".repeat(40), ..client.clone() };
    check(wrong, mismatch, "The request signature we calculated does not match the signature you provided").await;
    let stranger = Client { access_key_id: "AKIAAAAAAAAAAAAAAAAA".into(), ..client.clone() };
    check(stranger, "UnrecognizedClientException", "The security token included in the request is invalid.").await;
    let elsewhere = Client { region: "eu-west-1".into(), ..client.clone() };
    check(elsewhere, mismatch, "Credential should be scoped to a valid region, not 'eu-west-1'.").await;
    let other_service = Client { service: "s3".into(), ..client.clone() };
    check(other_service, mismatch, "Credential should be scoped to correct service: 'lambda'.").await;
    let minutes = |count: u64| Duration::from_secs(60 * count);
    let old = Client { time: Some(SystemTime::now() - minutes(6)), ..client.clone() };
    check(old, mismatch, "Signature expired").await;
    let early = Client { time: Some(SystemTime::now() + minutes(6)), ..client.clone() };
    check(early, mismatch, "Signature not yet current").await;
    let slightly_off = Client { time: Some(SystemTime::now() - minutes(4)), ..client.clone() };
    slightly_off.get(list).await.expect(200);
}

/// What was signed is what is served: not another body, path, query or header.
#[tokio::test(flavor = "multi_thread")]
async fn a_signature_covers_the_whole_request() {
    let common = common().await;
    let client = &common.platform.client;
    let path = "/2015-03-31/functions/hello/invocations";
    let signed = || client.signed(http::request("POST", path, r#"{"name":"Ada"}"#));
    http::send(&client.authority, signed()).await.expect(200);

    let mut body = signed();
    *body.body_mut() = r#"{"name":"Eve"}"#.into();
    let mut other_path = signed();
    *other_path.uri_mut() = path.replace("hello", "echo").parse().unwrap();
    let mut query = signed();
    *query.uri_mut() = format!("{path}?Qualifier=1").parse().unwrap();
    let mut header = http::request("POST", path, r#"{"name":"Ada"}"#);
    header.headers_mut().insert("x-amz-invocation-type", "DryRun".parse().unwrap());
    let mut header = client.signed(header);
    header.headers_mut().insert("x-amz-invocation-type", "RequestResponse".parse().unwrap());
    for request in [body, other_path, query, header] {
        let shown = format!("{request:?}");
        let reply = http::send(&client.authority, request).await;
        assert_eq!((reply.status, reply.error()), (403, "InvalidSignatureException"), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_to_come_are_refused_by_name() {
    let common = common().await;
    for (method, path, name) in [
        ("GET", "/2015-03-31/functions/hello/aliases", "ListAliases"),
        ("POST", "/2015-03-31/functions/hello/aliases", "CreateAlias"),
        ("POST", "/2015-03-31/event-source-mappings", "CreateEventSourceMapping"),
        ("PUT", "/2017-10-31/functions/hello/concurrency", "PutFunctionConcurrency"),
        ("GET", "/2018-10-31/layers", "ListLayers"),
        ("PUT", "/2019-09-25/functions/hello/event-invoke-config", "PutFunctionEventInvokeConfig"),
        ("GET", "/2020-04-22/code-signing-configs", "ListCodeSigningConfigs"),
        ("POST", "/2014-11-13/functions/hello/invoke-async", "InvokeAsync"),
        ("GET", "/2026-07-09/resource-policy/hello", "GetResourcePolicy"),
        ("GET", "/2025-11-30/capacity-providers", "ListCapacityProviders"),
    ] {
        let reply = common.platform.client.call(method, path, "").await;
        assert!((400..500).contains(&reply.status), "{method} {path}: {reply:?}");
        assert!(reply.text().contains(&format!("{name} is not supported yet")), "{method} {path}: {}", reply.text());
    }
    let unknown = common.platform.client.get("/2015-03-31/nothing").await;
    unknown.refused(404, "UnknownOperationException", "");
}

#[tokio::test(flavor = "multi_thread")]
async fn event_invocations_are_refused_and_nothing_runs() {
    let common = common().await;
    let path = "/2015-03-31/functions/does/invocations";
    let event = json!({"do": "print", "lines": 1, "bytes": 77}).to_string();
    let mut request = http::request("POST", path, event);
    request.headers_mut().insert("x-amz-invocation-type", "Event".parse().unwrap());
    let reply = common.platform.client.send(request).await;
    reply.refused(400, "InvalidParameterValueException", "Event");
    let logs = common.platform.logs("does").await;
    assert!(!logs.iter().any(|event| event.message.contains(&".".repeat(77))), "{logs:?}");
}

/// Each member of a request is acted on, stored, or refused by name.
#[tokio::test(flavor = "multi_thread")]
async fn members_that_are_not_acted_on_are_refused_by_name() {
    let common = common().await;
    let code = common.platform.sign(&harness::tiny::echo());
    for (member, value) in [
        ("Layers", json!(["arn:aws:lambda:us-east-1:000000000000:layer:l:1"])),
        ("VpcConfig", json!({"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]})),
        ("DeadLetterConfig", json!({"TargetArn": "arn:aws:sqs:us-east-1:000000000000:q"})),
        ("TracingConfig", json!({"Mode": "Active"})),
        ("EphemeralStorage", json!({"Size": 1024})),
        ("KMSKeyArn", json!("arn:aws:kms:us-east-1:000000000000:key/k")),
        ("CodeSigningConfigArn", json!("arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-1")),
        ("PackageType", json!("Image")),
        ("Nonsense", json!(1)),
    ] {
        let mut creation = creation("refused", &code);
        creation[member] = value;
        let reply = common.platform.client.json("POST", "/2015-03-31/functions", &creation).await;
        reply.refused(400, "InvalidParameterValueException", member);
    }
    for (member, value) in [("S3Bucket", json!("b")), ("ImageUri", json!("i")), ("Nonsense", json!(1))] {
        let body = json!({ member: value, "ZipFile": creation("f", &code)["Code"]["ZipFile"] });
        let reply = common.platform.client.json("PUT", "/2015-03-31/functions/hello/code", &body).await;
        reply.refused(400, "InvalidParameterValueException", member);
    }
    common.platform.client.get("/2015-03-31/functions/refused").await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn payloads_over_the_limit_are_refused() {
    const LIMIT: usize = 6_291_456;
    let common = common().await;
    let path = "/2015-03-31/functions/echo/invocations";
    let event = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));

    let most = common.platform.client.call("POST", path, event(LIMIT)).await.expect(200);
    assert_eq!((most.body.len(), most.header("x-amz-function-error")), (LIMIT, ""));
    // Refused by what its head announces: none of the body is waited for.
    let client = &common.platform.client;
    let over = http::announce(&client.authority, client.signed(http::request("POST", path, "")), LIMIT + 1).await;
    over.refused(
        413,
        "RequestEntityTooLargeException",
        "Request must be smaller than 6291456 bytes for the InvokeFunction operation",
    );
    common.echo.announce("/", LIMIT + 1).await.expect(413);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_no_json_are_refused() {
    let common = common().await;
    let client = &common.platform.client;
    let create = client.call("POST", "/2015-03-31/functions", "{").await;
    create.refused(400, "SerializationException", "");
    for body in ["{", "nope", "{} {}", "\"\u{1}\""] {
        let reply = client.call("POST", "/2015-03-31/functions/echo/invocations", body).await;
        reply.refused(400, "InvalidRequestContentException", "Could not parse request body into json");
    }
    let invalid = client.call("POST", "/2015-03-31/functions/echo/invocations", &b"\"\xff\""[..]).await;
    invalid.refused(400, "InvalidRequestContentException", "Could not parse request body into json");
    for body in ["1", "\"text\"", "[1,2]", "null", " {} "] {
        let reply = client.call("POST", "/2015-03-31/functions/echo/invocations", body).await.expect(200);
        assert_eq!(reply.text(), body, "the event reaches the handler as it was sent");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_carries_a_request_id() {
    let common = common().await;
    let client = &common.platform.client;
    let replies = [
        client.get("/2015-03-31/functions").await,
        client.get("/2015-03-31/functions/none").await,
        client.get("/nothing").await,
        common.platform.invoke("hello", &json!({})).await,
        common.hello.get("/").await,
    ];
    for reply in replies {
        let id = reply.header("x-amzn-requestid");
        assert_eq!((id.len(), id.matches('-').count()), (36, 4), "{reply:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_tells_what_is_there() {
    let platform = platform().await;
    let code = platform.sign(&harness::tiny::echo());
    platform.create(&creation("one", &code)).await;
    let status = platform.client.get("/lamina/v1/status").await.expect(200).json();
    assert_eq!(status["Region"], "us-east-1");
    assert_eq!(status["AccountId"], "000000000000");
    assert_eq!(status["Signing"], "enforce");
    assert_eq!(status["Functions"], 1);
    assert_eq!(status["Running"], 0);
    assert_eq!(status["CodeBytes"], code.len());
}

/// What GetFunction says where the code is works without credentials, for ten
/// minutes, for that and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn the_location_of_code_is_signed() {
    let common = common().await;
    let client = &common.platform.client;
    let location = async |name: &str| {
        let answer = client.get(&format!("/2015-03-31/functions/{name}")).await.expect(200).json();
        let location = answer["Code"]["Location"].as_str().unwrap().to_owned();
        location.strip_prefix(&common.platform.endpoint()).expect("a URL of this platform").to_owned()
    };
    let path = location("echo").await;
    assert!(path.contains("X-Amz-Expires=600"), "{path}");
    let fetch = async |method: &str, path: &str| http::send(&client.authority, http::request(method, path, "")).await;
    let fetched = fetch("GET", &path).await.expect(200);
    assert_eq!(fetched.body, common.platform.sign(&harness::tiny::echo()));
    let (head, signature) = path.rsplit_once('=').unwrap();
    let other_digit = if signature.starts_with('0') { "1" } else { "0" };
    for (method, path) in [
        ("GET", path.replace("echo", "hello")),
        ("GET", path.replace("X-Amz-Expires=600", "X-Amz-Expires=6000")),
        ("GET", format!("{head}={other_digit}{}", &signature[1..])),
        ("DELETE", path.clone()),
        ("GET", path.replace("/lamina/v1/code/echo", "/2015-03-31/functions/echo")),
    ] {
        let reply = fetch(method, &path).await;
        assert_eq!((reply.status, reply.error()), (403, "InvalidSignatureException"), "{method} {path}");
    }
}
