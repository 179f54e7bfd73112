//! Traces and metrics at a collector, which decodes them with OpenTelemetry's own
//! messages.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use harness::certificates::Certificate;
use harness::{Options, Platform, http, process, python};
use serde_json::{Value, json};

use crate::common::{PROGRAM, patient};

/// Time for a request to the collector, on a machine that is busy.
const ARRIVE_MAX: Duration = Duration::from_secs(60);

struct Collector {
    child: Child,
    said: process::Lines,
    folder: tempfile::TempDir,
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Collector {
    async fn start() -> Self {
        Self::with(None).await
    }

    /// One that speaks TLS, where there is a certificate.
    async fn with(certificate: Option<&Certificate>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = harness::root().join("tests/platform/otlp/receiver.py");
        let mut command = python::otlp(folder.path(), script.to_str().unwrap());
        command.args(certificate.iter().flat_map(|certificate| [&certificate.cert, &certificate.key]));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let said = process::Lines::default();
        said.follow(child.stdout.take().unwrap());
        let collector = Self { child, said, folder };
        collector.until("it listens", |collector| (!collector.said.text().is_empty()).then_some(())).await;
        collector
    }

    fn port(&self) -> String {
        self.said.text().lines().next().unwrap_or_default().to_owned()
    }

    async fn until<T>(&self, what: &str, found: impl Fn(&Self) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = found(self) {
                return found;
            }
            assert!(begun.elapsed() < ARRIVE_MAX, "{what} not after {ARRIVE_MAX:?}: {}", self.said.text());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Requests to this path.
    fn requests(&self, path: &str) -> Vec<Value> {
        let lines = self.said.text();
        let all = lines.lines().skip(1).filter_map(|line| serde_json::from_str::<Value>(line).ok());
        all.filter(|said| said["path"] == path).collect()
    }

    /// All spans that have come.
    fn spans(&self) -> Vec<Value> {
        let messages = self.requests("/otel/v1/traces");
        let spans = messages.iter().flat_map(|said| {
            let spans = said.pointer("/message/resourceSpans/0/scopeSpans/0/spans");
            spans.and_then(Value::as_array).cloned().unwrap_or_default()
        });
        spans.collect()
    }

    /// The spans of the trace, once all of them are there.
    async fn trace(&self, trace: &str, count: usize) -> Vec<Value> {
        use base64::Engine as _;
        let engine = base64::engine::general_purpose::STANDARD;
        let of_trace = |span: &Value| {
            let id = engine.decode(span["traceId"].as_str().unwrap()).unwrap();
            id.iter().map(|byte| format!("{byte:02x}")).collect::<String>() == trace
        };
        let all = |collector: &Self| {
            let spans: Vec<Value> = collector.spans().into_iter().filter(|span| of_trace(span)).collect();
            (spans.len() >= count).then_some(spans)
        };
        self.until("the spans are there", all).await
    }
}

/// An attribute's value, whatever its kind.
fn attribute(of: &Value, key: &str) -> Value {
    let pairs = of["attributes"].as_array().cloned().unwrap_or_default();
    let pair = pairs.iter().find(|pair| pair["key"] == key).unwrap_or_else(|| panic!("no {key} in {of}"));
    pair["value"].as_object().unwrap().values().next().unwrap().clone()
}

async fn platform(endpoint: &str) -> Platform {
    with(Options::new(PROGRAM), endpoint).await
}

async fn with(options: Options, endpoint: &str) -> Platform {
    let options = options
        .variable("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .variable("OTEL_EXPORTER_OTLP_HEADERS", "x-key=k")
        .variable("OTEL_SERVICE_NAME", "tested")
        .variable("OTEL_METRIC_EXPORT_INTERVAL", "500");
    let platform = Platform::start(options).await;
    platform.create(&patient("does", &platform.sign(&test_guests::component("guest-function")))).await;
    platform
}

const PATH: &str = "/2015-03-31/functions/does/invocations";

async fn call(platform: &Platform, event: &Value, header: (&str, &str)) -> harness::Reply {
    let mut request = http::request("POST", PATH, event.to_string());
    let name: ::http::HeaderName = header.0.parse().unwrap();
    request.headers_mut().insert(name, header.1.parse().unwrap());
    platform.client.send(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_reads_spans_and_metrics() {
    let collector = Collector::start().await;
    assert!(collector.folder.path().exists());
    let mut platform = platform(&format!("http://127.0.0.1:{}/otel", collector.port())).await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    let answer = call(&platform, &json!({"do": "env"}), ("traceparent", &parent)).await.expect(200);
    let spans = collector.trace(trace, 4).await;
    let named = |name: &str| {
        spans.iter().find(|span| span["name"] == name).unwrap_or_else(|| panic!("no {name}: {spans:#?}")).clone()
    };
    let (root, wait, instantiate, inner) = (named("does"), named("queue wait"), named("instantiate"), named("call"));
    assert_eq!((&root["kind"], &root["parentSpanId"]), (&json!("SPAN_KIND_SERVER"), &json!("APBnqgupArc=")));
    for part in [&wait, &instantiate, &inner] {
        assert_eq!(part["parentSpanId"], root["spanId"], "{part}");
    }
    let time = |span: &Value, name: &str| span[name].as_str().unwrap().parse::<u64>().unwrap();
    let (from, to) = ("startTimeUnixNano", "endTimeUnixNano");
    assert_eq!(time(&root, from), time(&wait, from));
    assert_eq!((time(&wait, to), time(&instantiate, to)), (time(&instantiate, from), time(&inner, from)));
    assert_eq!(time(&inner, to), time(&root, to));
    assert!(time(&inner, from) > time(&instantiate, from), "making an instance takes time");
    assert_eq!(attribute(&root, "faas.name"), "does");
    assert_eq!(attribute(&root, "faas.invocation_id"), answer.header("x-amzn-requestid"));
    // What the function was told has the call's own span as parent.
    let own = answer.header("x-amzn-trace-id").to_owned();
    assert!(
        own.starts_with("Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=") && own.ends_with(";Sampled=1"),
        "{own}"
    );
    assert!(answer.text().contains(&own), "{}", answer.text());
    let segment = own.strip_suffix(";Sampled=1").and_then(|own| own.rsplit_once('=')).unwrap().1;
    let line = format!("XRAY TraceId: 1-4bf92f35-77b34da6a3ce929d0e0e4736\tSegmentId: {segment}\tSampled: true\t");
    let log = platform.cli(&["logs", "does"]).ok().stdout;
    assert!(log.contains(&line), "{log}");

    let xray = "Root=1-58406520-a006649127e371903a2de979;Parent=53995c3f42cd8ad8;Sampled=1";
    call(&platform, &json!({"do": "panic", "message": "m"}), ("x-amzn-trace-id", xray)).await.expect(200);
    let spans = collector.trace("58406520a006649127e371903a2de979", 4).await;
    let failed = spans.iter().find(|span| span["name"] == "does").unwrap();
    assert_eq!(failed["status"], json!({"code": "STATUS_CODE_ERROR", "message": "Runtime.Panic"}));
    assert_eq!(attribute(failed, "error.type"), "Runtime.Panic");
    let not = xray.replace("58406520", "11111111").replace("Sampled=1", "Sampled=0");
    call(&platform, &json!({"do": "echo"}), ("x-amzn-trace-id", &not)).await.expect(200);

    let invocations = |collector: &Collector| {
        let said = collector.requests("/otel/v1/metrics").pop()?;
        let metrics = said.pointer("/message/resourceMetrics/0/scopeMetrics/0/metrics")?.as_array()?.clone();
        let sum = metrics.iter().find(|metric| metric["name"] == "lamina.lambda.invocations")?;
        (sum["sum"]["dataPoints"][0]["asInt"] == "3").then_some(metrics)
    };
    let metrics = collector.until("the counts are there", invocations).await;
    let metric = |name: &str| metrics.iter().find(|metric| metric["name"] == name).unwrap().clone();
    let point = &metric("lamina.lambda.invocations")["sum"]["dataPoints"][0];
    assert_eq!(attribute(point, "faas.name"), "does");
    let durations = &metric("lamina.lambda.duration")["histogram"];
    assert_eq!(durations["aggregationTemporality"], "AGGREGATION_TEMPORALITY_CUMULATIVE");
    let durations = &durations["dataPoints"][0];
    assert_eq!(durations["count"], "3");
    let (counts, bounds) =
        (durations["bucketCounts"].as_array().unwrap(), durations["explicitBounds"].as_array().unwrap());
    assert_eq!(counts.len(), bounds.len() + 1);
    assert_eq!(metric("lamina.otlp.dropped_spans")["sum"]["dataPoints"][0]["asInt"], "0");

    // What waits when the platform ends is sent, and nothing is sent of the call whose
    // caller said no.
    let last = "22222222222222222222222222222222";
    let parent = format!("00-{last}-00f067aa0ba902b7-01");
    call(&platform, &json!({"do": "echo"}), ("traceparent", &parent)).await.expect(200);
    platform.stop();
    collector.trace(last, 4).await;
    assert_eq!(collector.spans().len(), 12);
    for said in [collector.requests("/otel/v1/traces"), collector.requests("/otel/v1/metrics")].concat() {
        let meta = (&said["type"], &said["key"], &said["whole"]);
        assert_eq!(meta, (&json!("application/x-protobuf"), &json!("k"), &json!(true)));
        let resource = said.pointer("/message/resourceSpans/0/resource");
        let resource = resource.or_else(|| said.pointer("/message/resourceMetrics/0/resource")).unwrap();
        assert_eq!(attribute(resource, "service.name"), "tested");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_gone_holds_up_nothing() {
    // Nobody listens there any more.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut platform = platform(&format!("http://127.0.0.1:{port}")).await;
    for number in 0..20 {
        platform.invoke("does", &json!({"do": "echo", "value": number})).await.expect(200);
    }
    crate::upgrade::until("it is said once", || platform.stderr().contains("could not be sent")).await;
    platform.invoke("does", &json!({"do": "echo"})).await.expect(200);
    platform.stop();
    assert_eq!(platform.stderr().matches("could not be sent").count(), 1, "{}", platform.stderr());
}

fn path(path: &std::path::Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_is_reached_by_tls_and_its_authority_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = Certificate::new(&folder.path().join("one"), &["IP:127.0.0.1"]);
    let other = Certificate::new(&folder.path().join("other"), &["IP:127.0.0.1"]);
    let collector = Collector::with(Some(&certificate)).await;
    let endpoint = format!("https://127.0.0.1:{}/otel", collector.port());
    let believing = |authority: &std::path::Path| {
        let options = Options::new(PROGRAM).variable("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip");
        let options = options.variable("OTEL_EXPORTER_OTLP_TIMEOUT", "5000");
        options.variable("OTEL_EXPORTER_OTLP_CERTIFICATE", path(authority))
    };
    let mut platform = with(believing(&certificate.authority), &endpoint).await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    call(&platform, &json!({"do": "echo"}), ("traceparent", &parent)).await.expect(200);
    collector.trace(trace, 4).await;
    let counted = |collector: &Collector| collector.requests("/otel/v1/metrics").pop();
    collector.until("metrics are there", counted).await;
    platform.stop();
    for said in [collector.requests("/otel/v1/traces"), collector.requests("/otel/v1/metrics")].concat() {
        let meta = (&said["tls"], &said["encoding"], &said["key"], &said["whole"]);
        assert_eq!(meta, (&json!(true), &json!("gzip"), &json!("k"), &json!(true)));
    }
    // One whose authority is another is told nothing, and calls go on.
    let before = collector.said.text();
    let mut strange = with(believing(&other.authority), &endpoint).await;
    strange.invoke("does", &json!({"do": "echo"})).await.expect(200);
    let why =
        || strange.stderr().contains("could not be sent") && strange.stderr().contains("invalid peer certificate");
    crate::upgrade::until("it is said why", why).await;
    strange.stop();
    assert_eq!(collector.said.text(), before);
}

#[test]
fn settings_of_a_collector_that_cannot_be_are_refused_at_start() {
    let home = tempfile::tempdir().unwrap();
    let check = |variables: &[(&str, &str)], expect: &[&str]| {
        let mut command = process::command(PROGRAM, home.path());
        command.args(["serve", "--data", "none"]).envs(variables.iter().copied());
        let refused = process::run(command.current_dir(home.path()), ARRIVE_MAX).exited(2).stderr;
        for text in expect {
            assert!(refused.contains(text), "`{text}`: {refused}");
        }
    };
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector:4318");
    check(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "grpc://c:1")], &["OTEL_EXPORTER_OTLP_ENDPOINT", "https://HOST:PORT"]);
    check(
        &[endpoint, ("OTEL_EXPORTER_OTLP_CERTIFICATE", "gone.pem")],
        &["OTEL_EXPORTER_OTLP_CERTIFICATE", "gone.pem", "No such file"],
    );
    check(&[endpoint, ("OTEL_EXPORTER_OTLP_COMPRESSION", "br")], &["OTEL_EXPORTER_OTLP_COMPRESSION", "gzip or none"]);
    check(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c:1")], &["TRACES_ENDPOINT", "not supported"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_gets_the_request_itself_gets_the_traces_headers() {
    let collector = Collector::start().await;
    let platform = platform(&format!("http://127.0.0.1:{}/otel", collector.port())).await;
    platform.create(&patient("server", &platform.sign(&test_guests::component("guest-http")))).await;
    let server = platform.url("server", "RESPONSE_STREAM").await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let mut request = http::request("POST", "/echo", "");
    request.headers_mut().insert("traceparent", format!("00-{trace}-b7ad6b7169203331-01").parse().unwrap());
    let told = server.request(request).await.expect(201).text();
    let value = |name: &str| {
        let line = told.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.unwrap_or_else(|| panic!("no {name} in {told}")).to_owned()
    };
    let own = value("traceparent").strip_prefix(&format!("00-{trace}-")).unwrap_or_else(|| panic!("{told}")).to_owned();
    let own = own.strip_suffix("-01").unwrap_or_else(|| panic!("{told}"));
    assert_ne!(own, "b7ad6b7169203331", "its parent is the call's own span");
    assert_eq!(value("x-amzn-trace-id"), format!("Root=1-0af76519-16cd43dd8448eb211c80319c;Parent={own};Sampled=1"));
    let spans = collector.trace(trace, 4).await;
    assert!(spans.iter().any(|span| span["name"] == "server"), "{spans:#?}");
}
