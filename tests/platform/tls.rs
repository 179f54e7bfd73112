//! TLS: who is believed by whom, ALPN, and certificates that change.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use harness::certificates::Certificate;
use harness::{Finished, Options, Platform, debian, process, python, tiny};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::common::PROGRAM;

const LIMIT: Duration = Duration::from_secs(120);

/// A platform that speaks TLS, and a function `one` with a URL, deployed by the
/// command line, which speaks it too.
struct Secure {
    platform: Platform,
    certificate: Certificate,
    /// The function's URL by path.
    url: String,
    _folder: tempfile::TempDir,
}

async fn secure(arguments: &[&str]) -> Secure {
    let folder = tempfile::tempdir().unwrap();
    let certificate = Certificate::local(folder.path());
    let options = Options::new(PROGRAM).signing("off").tls(&certificate, arguments);
    let platform = Platform::start(options).await;
    let component = platform.home().join("one.wasm");
    fs::write(&component, tiny::echo()).unwrap();
    let deployed = platform.cli(&["deploy", "one", component.to_str().unwrap(), "--url", "--output", "json"]);
    let deployed = deployed.ok().json();
    let url = deployed["FunctionUrl"].as_str().unwrap();
    assert!(url.starts_with("https://") && url.contains(".lambda-url.us-east-1.localhost:"), "{url}");
    let shown = platform.cli(&["url", "one", "--by-path"]).ok().stdout;
    Secure { platform, certificate, url: shown.trim().to_owned(), _folder: folder }
}

fn curl(arguments: &[&str]) -> Finished {
    let mut command = Command::new(debian::program("curl", "curl"));
    command.args(["--silent", "--show-error", "--max-time", "100"]).args(arguments);
    process::run(&mut command, LIMIT)
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_is_served_by_tls_in_either_version_of_both() {
    let secure = secure(&[]).await;
    let ca = path(&secure.certificate.authority);
    for (version, http) in [("1.2", "--http1.1"), ("1.2", "--http2"), ("1.3", "--http1.1"), ("1.3", "--http2")] {
        let (least, most) = (format!("--tlsv{version}"), version);
        let answer =
            curl(&["--cacert", ca, &least, "--tls-max", most, http, "--write-out", "\n%{http_version}", &secure.url]);
        let (event, spoken) = answer.ok().stdout.rsplit_once('\n').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        assert_eq!(spoken, if http == "--http2" { "2" } else { "1.1" });
        let event: serde_json::Value = serde_json::from_str(&event).unwrap();
        assert_eq!(event["headers"]["x-forwarded-proto"], "https");
        assert_eq!(event["headers"]["x-amzn-tls-version"], format!("TLSv{version}"));
        let suite = event["headers"]["x-amzn-tls-cipher-suite"].as_str().unwrap();
        assert!(suite.starts_with(if version == "1.3" { "TLS_" } else { "ECDHE-ECDSA-" }), "{suite}");
    }
    // TLS 1.1 is refused, and so is a client that does not know the authority.
    assert_ne!(curl(&["--cacert", ca, "--tls-max", "1.1", &secure.url]).code, Some(0));
    assert_eq!(curl(&[&secure.url]).code, Some(60));
    // By the name of the function's own.
    let host = secure.url.trim_start_matches("https://");
    let (authority, id) = host.trim_end_matches('/').split_once("/_url/").unwrap();
    let port = authority.rsplit_once(':').unwrap().1;
    let name = format!("{id}.lambda-url.us-east-1.localhost");
    let resolve = format!("{name}:{port}:127.0.0.1");
    let answer = curl(&["--cacert", ca, "--resolve", &resolve, &format!("https://{name}:{port}/x")]).ok().stdout;
    assert!(answer.contains(r#""rawPath":"/x""#), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn boto3_calls_by_tls() {
    let secure = secure(&[]).await;
    let script = "import boto3, json\n\
        answer = boto3.client('lambda').invoke(FunctionName='one', Payload=b'{\"a\":1}')\n\
        assert json.load(answer['Payload']) == {'a': 1}\n\
        code = boto3.client('lambda').get_function(FunctionName='one')['Code']['Location']\n\
        assert code.startswith('https://'), code\n";
    let file = secure.platform.home().join("call.py");
    fs::write(&file, script).unwrap();
    python::boto3(&secure.platform, path(&file), &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_believes_the_platforms_own_certificate_and_what_it_is_told() {
    let secure = secure(&[]).await;
    let platform = &secure.platform;
    let invoked = platform.cli(&["invoke", "one", "--payload", r#"{"b":2}"#]).ok().stdout;
    assert!(invoked.contains(r#"{"b":2}"#), "{invoked}");
    let endpoint = platform.endpoint();
    let credentials = &platform.client;
    let elsewhere = |more: &[&str]| {
        let mut command = process::command(PROGRAM, platform.home());
        command.args(["list", "--endpoint", &endpoint]).args(more);
        command.env("AWS_ACCESS_KEY_ID", &credentials.access_key_id);
        command.env("AWS_SECRET_ACCESS_KEY", &credentials.secret_access_key);
        process::run(&mut command, LIMIT)
    };
    let refused = elsewhere(&[]).exited(1).stderr;
    assert!(refused.contains("certificate") && refused.contains("--ca-cert FILE"), "{refused}");
    assert!(elsewhere(&["--ca-cert", path(&secure.certificate.authority)]).ok().stdout.contains("one"));
    // Another certificate in the place of its own is not believed.
    let folder = tempfile::tempdir().unwrap();
    let other = Certificate::local(folder.path());
    let endpoint_file = fs::read_to_string(platform.data().join("endpoint")).unwrap();
    let third = endpoint_file.lines().nth(2).unwrap();
    assert_eq!(Path::new(third), secure.certificate.cert);
    fs::write(platform.data().join("endpoint"), endpoint_file.replace(third, path(&other.cert))).unwrap();
    let refused = platform.cli(&["list"]).exited(1).stderr;
    assert!(refused.contains("certificate"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_certificate_is_shown_and_a_bad_one_is_not() {
    let secure = secure(&[]).await;
    let folder = tempfile::tempdir().unwrap();
    let first = fs::read(&secure.certificate.authority).unwrap();
    let old = folder.path().join("old.pem");
    fs::write(&old, first).unwrap();
    let said = |text: &str| {
        let begun = Instant::now();
        while !secure.platform.stderr().contains(text) {
            assert!(begun.elapsed() < LIMIT, "`{text}` was not said:\n{}", secure.platform.stderr());
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    fs::write(&secure.certificate.cert, "nonsense").unwrap();
    said("the certificate stays as it was");
    assert!(secure.platform.stderr().contains("there is no BEGIN CERTIFICATE in it"));
    curl(&["--cacert", path(&old), &secure.url]).ok();
    Certificate::local(&folder.path().join("new")).replace(&secure.certificate);
    said("a new certificate is shown");
    curl(&["--cacert", path(&secure.certificate.authority), &secure.url]).ok();
    assert_eq!(curl(&["--cacert", path(&old), &secure.url]).code, Some(60));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_does_not_end_is_ended() {
    let secure = secure(&["--handshake-timeout-ms", "300"]).await;
    let mut silent = TcpStream::connect(&secure.platform.client.authority).await.unwrap();
    let mut rest = Vec::new();
    let _ = harness::http::within("the server's end", silent.read_to_end(&mut rest)).await;
    assert_eq!(rest, b"");
    curl(&["--cacert", path(&secure.certificate.authority), &secure.url]).ok();
}

#[test]
fn what_is_wrong_with_a_certificate_is_said_at_start() {
    let folder = tempfile::tempdir().unwrap();
    let (good, other) = (Certificate::local(&folder.path().join("a")), Certificate::local(&folder.path().join("b")));
    let empty = folder.path().join("empty.pem");
    fs::write(&empty, "").unwrap();
    let missing = folder.path().join("missing.pem");
    let platform = Platform::untrusting(Options::new(PROGRAM).signing("off"));
    let check = |cert: &Path, key: &Path, expect: &[&str]| {
        let arguments = ["--tls-cert", path(cert), "--tls-key", path(key)];
        let refused = platform.serve_with(&arguments).exited(1).stderr;
        for text in expect {
            assert!(refused.contains(text), "`{text}`: {refused}");
        }
    };
    check(&missing, &good.key, &[path(&missing), "No such file", "--tls-cert"]);
    check(&empty, &good.key, &[path(&empty), "there is no BEGIN CERTIFICATE in it"]);
    check(&good.cert, &empty, &[path(&empty), "there is no BEGIN PRIVATE KEY in it"]);
    check(&good.cert, &other.key, &[path(&good.cert), path(&other.key), "cannot be used together"]);
    let alone = platform.serve_with(&["--tls-cert", path(&good.cert)]).exited(2).stderr;
    assert!(alone.contains("--tls-key"), "{alone}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_without_the_wildcard_name_is_told_at_start() {
    let folder = tempfile::tempdir().unwrap();
    let narrow = Certificate::new(folder.path(), &["IP:127.0.0.1", "DNS:example.org"]);
    let options = Options::new(PROGRAM).signing("off").tls(&narrow, &["--url-host", "example.org"]);
    let platform = Platform::start(options).await;
    let said = platform.stderr();
    assert!(said.contains("not good for *.lambda-url.us-east-1.example.org"), "{said}");
    let secure = secure(&[]).await;
    let said = secure.platform.stderr();
    assert!(said.contains("names like *.lambda-url.us-east-1.localhost, for which the certificate is good"), "{said}");
}

/// What waits for a client waits in TLS's own buffers as well.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_nothing_of_its_answer_is_cut_within_tls_as_well() {
    let secure = secure(&["--stall-timeout-ms", "300"]).await;
    let component = secure.platform.home().join("server.wasm");
    fs::write(&component, test_guests::component("guest-http")).unwrap();
    secure.platform.cli(&["deploy", "server", path(&component), "--url", "--stream", "--timeout", "30"]).ok();
    let url = secure.platform.cli(&["url", "server", "--by-path"]).ok().stdout;
    let target = url.trim().split_once(&secure.platform.client.authority).unwrap().1.to_owned();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&secure.certificate.authority).unwrap()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(&secure.platform.client.authority).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    let request = format!("GET {target}big?100000 HTTP/1.1\r\nhost: x\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    let begun = Instant::now();
    // The guest's next write fails.
    while !secure.platform.cli(&["logs", "server"]).ok().stdout.contains(" failed") {
        assert!(begun.elapsed() < LIMIT, "the guest still writes");
    }
    curl(&["--cacert", path(&secure.certificate.authority), &secure.url]).ok();
}
