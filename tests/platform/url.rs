//! Function URLs: how they are reached, who may call, events and answers.

use harness::{Platform, creation, http, tiny};
use serde_json::{Value, json};

use crate::common::{common, platform};

#[tokio::test(flavor = "multi_thread")]
async fn a_url_is_reached_by_host_and_by_path() {
    let common = common().await;
    let greeting = r#"{"message":"Hello, Ada!"}"#;
    let by_path = common.hello.get("/?name=Ada").await.expect(200);
    let by_host = common.hello.by_host(http::request("GET", "/?name=Ada", "")).await.expect(200);
    assert_eq!((by_path.text().as_str(), by_host.text().as_str()), (greeting, greeting));
    assert_eq!(by_path.header("content-type"), "application/json");
    // Without a slash after the id there is a path all the same.
    let bare = http::request("GET", &format!("/_url/{}?name=Ada", common.hello.id), "");
    assert_eq!(http::send(&common.platform.client.authority, bare).await.expect(200).text(), greeting);

    let unknown = http::request("GET", "/_url/abcdefghijklmnopqrstuvwxyz/", "");
    let reply = http::send(&common.platform.client.authority, unknown).await;
    reply.refused(403, "AccessDeniedException", r#"{"Message":null}"#);
    let mut request = http::request("GET", "/", "");
    request.headers_mut().insert("host", "abcdef.lambda-url.us-east-1.localhost".parse().unwrap());
    let reply = http::send(&common.platform.client.authority, request).await;
    reply.refused(403, "AccessDeniedException", r#"{"Message":null}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_may_call_a_url_before_both_permissions_are_given() {
    let platform = platform().await;
    platform.deploy("mine", &tiny::constant("1")).await;
    let url = platform.private_url("mine", "BUFFERED").await;
    let forbidden = async || {
        let text = "Forbidden. For troubleshooting Function URL authorization issues, see: ";
        url.get("/").await.refused(403, "AccessDeniedException", text);
    };
    forbidden().await;
    platform.publish_url("mine").await;
    url.get("/").await.expect(200);
    for sid in ["url", "call"] {
        let path = format!("/2015-03-31/functions/mine/policy/{sid}");
        platform.client.call("DELETE", &path, "").await.expect(204);
        forbidden().await;
        let _ = platform.client.call("DELETE", "/2015-03-31/functions/mine/policy/url", "").await;
        let _ = platform.client.call("DELETE", "/2015-03-31/functions/mine/policy/call", "").await;
        platform.publish_url("mine").await;
        url.get("/").await.expect(200);
    }
    platform.client.call("DELETE", "/2021-10-31/functions/mine/url", "").await.expect(204);
    url.get("/").await.refused(403, "AccessDeniedException", r#"{"Message":null}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_event_is_payload_format_2() {
    let common = common().await;
    let request = ::http::Request::post("/a%20b/c?x=1&x=2&y=%C3%A9&z")
        .header("content-type", "application/json")
        .header("user-agent", "tests/1")
        .header("x-repeated", "one")
        .header("x-repeated", "two")
        .header("cookie", "a=1; b=2")
        .body(r#"{"in":"body"}"#.into())
        .unwrap();
    let reply = common.echo.request(request).await.expect(200);
    let event = reply.json();
    assert_eq!((&event["version"], &event["routeKey"]), (&json!("2.0"), &json!("$default")));
    assert_eq!(event["rawPath"], "/a%20b/c", "as it was sent, without the prefix");
    assert_eq!(event["rawQueryString"], "x=1&x=2&y=%C3%A9&z");
    assert_eq!(event["queryStringParameters"], json!({"x": "1,2", "y": "\u{e9}", "z": ""}));
    assert_eq!(event["cookies"], json!(["a=1", "b=2"]));
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!(r#"{"in":"body"}"#), &json!(false)));
    let headers = &event["headers"];
    assert_eq!(headers["x-repeated"], "one,two");
    assert_eq!(headers["x-forwarded-proto"], "http");
    assert_eq!(headers["x-forwarded-for"], "127.0.0.1");
    assert!(headers["x-amzn-trace-id"].as_str().unwrap().starts_with("Root=1-"), "{headers}");
    assert_eq!(headers.get("cookie"), None);
    let context = &event["requestContext"];
    assert_eq!((&context["accountId"], &context["stage"]), (&json!("anonymous"), &json!("$default")));
    assert_eq!((&context["apiId"], &context["domainPrefix"]), (&json!(common.echo.id), &json!(common.echo.id)));
    assert_eq!(context["requestId"], reply.header("x-amzn-requestid"));
    assert_eq!(
        context["http"],
        json!({
            "method": "POST",
            "path": "/a%20b/c",
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
            "userAgent": "tests/1",
        })
    );
    assert!(context["timeEpoch"].as_u64().unwrap() > 1_700_000_000_000, "{context}");
    assert_eq!(context["time"].as_str().unwrap().len(), "07/Sep/2021:22:50:22 +0000".len());

    let binary = common.echo.send("PUT", "/", &b"\xff\x00"[..]).await.expect(200).json();
    assert_eq!((&binary["body"], &binary["isBase64Encoded"]), (&json!("/wA="), &json!(true)));
    let nothing = common.echo.get("/").await.expect(200).json();
    for absent in ["body", "cookies", "queryStringParameters"] {
        assert_eq!(nothing.get(absent), None, "{nothing}");
    }
    let by_host = common.echo.by_host(http::request("GET", "/_url/x", "")).await.expect(200).json();
    assert_eq!(by_host["rawPath"], "/_url/x", "a path is a path when the host names the URL");
}

/// The answer of a function that answers with `result`.
async fn answered(platform: &Platform, number: usize, result: &str) -> harness::Reply {
    let name = format!("answers-{number}");
    platform.create(&creation(&name, &platform.sign(&tiny::constant(result)))).await;
    platform.url(&name, "BUFFERED").await.get("/").await
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_inferred_from_results() {
    let platform = platform().await;
    let json = "application/json";
    let html =
        r#"{"statusCode":201,"headers":{"Content-Type":"text/html","X-Own":"1"},"cookies":["a=1","b=2"],"body":"<p>"}"#;
    let cases: [(&str, u16, &str, &str); 8] = [
        (r#"{"b": 1, "a": [ 2 ]}"#, 200, json, r#"{"b":1,"a":[2]}"#),
        ("\"text\"", 200, json, "text"),
        ("1.50", 200, json, "1.50"),
        ("null", 200, json, "null"),
        (html, 201, "text/html", "<p>"),
        (r#"{"statusCode":200,"body":"aGk=","isBase64Encoded":true}"#, 200, json, "hi"),
        (r#"{"statusCode":200,"body":{"a": 1}}"#, 200, json, r#"{"a":1}"#),
        (r#"{"statusCode":204}"#, 204, json, ""),
    ];
    for (number, (result, status, content_type, body)) in cases.into_iter().enumerate() {
        let reply = answered(&platform, number, result).await;
        let got = (reply.status, reply.header("content-type"), reply.text());
        assert_eq!(got, (status, content_type, body.to_owned()), "{result}");
        if result == html {
            assert_eq!(reply.header("x-own"), "1");
            let cookies: Vec<_> = reply.headers.get_all("set-cookie").iter().collect();
            assert_eq!(cookies, ["a=1", "b=2"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn results_that_are_no_answer_are_a_bad_gateway() {
    let platform = platform().await;
    let results = ["nope", r#"{"statusCode":99}"#, r#"{"statusCode":200,"headers":{"a":"1\r\nx: 2"}}"#];
    for (number, result) in results.into_iter().enumerate() {
        let reply = answered(&platform, number, result).await;
        assert_eq!((reply.status, reply.text().as_str()), (502, "Internal Server Error"), "{result}");
    }
    let common = common().await;
    let failed = common.hello.get("/?name=").await;
    assert_eq!((failed.status, failed.text().as_str()), (502, "Internal Server Error"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_gets_the_request_itself() {
    let common = common().await;
    let request = ::http::Request::patch("/echo?q=1").header("x-own", "2").body("the body".into()).unwrap();
    let reply = common.server.request(request).await.expect(201);
    let text = reply.text();
    assert!(text.starts_with("Method::Patch /echo?q=1\n"), "{text}");
    assert!(text.contains("x-own: 2\n") && text.ends_with("\n\nthe body"), "{text}");
    assert_eq!(reply.header("content-type"), "text/plain");
    let by_host = common.server.by_host(http::request("GET", "/", "")).await.expect(200);
    assert_eq!(by_host.text(), "Hello from wasi:http\n");
    let fetched = common.server.get("/fetch").await.expect(200).text();
    assert!(!fetched.contains("Ok("), "a function reached the network: {fetched}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platform_answers_preflights_itself() {
    let platform = platform().await;
    platform.deploy("mine", &tiny::constant("1")).await;
    let url = platform.url("mine", "BUFFERED").await;
    let cors = json!({"Cors": {
        "AllowOrigins": ["https://example.com"], "AllowMethods": ["PUT"], "AllowHeaders": ["x-own"], "MaxAge": 60,
    }});
    platform.client.json("PUT", "/2021-10-31/functions/mine/url", &cors).await.expect(200);
    let ask = async |method: &str, origin: &str| {
        let request = ::http::Request::builder().method(method).uri("/").header("origin", origin);
        let request = request.header("access-control-request-method", "PUT").body(Default::default()).unwrap();
        url.request(request).await.expect(200)
    };
    let preflight = ask("OPTIONS", "https://example.com").await;
    assert_eq!(preflight.header("access-control-allow-origin"), "https://example.com");
    assert_eq!(preflight.header("access-control-allow-methods"), "PUT");
    assert_eq!(preflight.header("access-control-allow-headers"), "x-own");
    assert_eq!((preflight.header("access-control-max-age"), preflight.body.len()), ("60", 0));
    assert_eq!(platform.logs("mine").await.len(), 0, "a preflight runs nothing");
    let call = ask("PUT", "https://example.com").await;
    assert_eq!((call.header("access-control-allow-origin"), call.text().as_str()), ("https://example.com", "1"));
    let other = ask("PUT", "https://other.example").await;
    assert_eq!(other.header("access-control-allow-origin"), "");
}

/// Requests that try to pass for the function's own URL or for another's.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_or_trace_of_the_clients_is_not_believed() {
    let common = common().await;
    let request = ::http::Request::get("/")
        .header("x-amzn-requestid", "mine")
        .header("x-forwarded-for", "1.2.3.4")
        .body(Default::default())
        .unwrap();
    let reply = common.echo.request(request).await.expect(200);
    let event: Value = reply.json();
    assert_ne!(reply.header("x-amzn-requestid"), "mine");
    assert_eq!(event["requestContext"]["http"]["sourceIp"], "127.0.0.1");
    assert_eq!(event["headers"]["x-forwarded-for"], "127.0.0.1");
}
