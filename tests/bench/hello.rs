//! A function URL that says hello, a fresh instance each time, beside bare hyper:
//! the whole path with signature-checked code, log lines and REPORT. Over HTTP/1.1,
//! and as benchmarks of their own over HTTP/2 and over TLS.

use harness::certificates::Certificate;

use crate::Options;
use crate::contest::{self, Contender};
use crate::load::How;
use crate::process::{Platform, Server};
use crate::report::Figure;

/// What bare hyper answers: as much as the function.
pub(crate) const GREETING: &str = r#"{"message":"Hello, world!"}"#;

/// Over HTTP/1.1, with three kinds of functions.
pub(crate) fn run(options: &Options) -> anyhow::Result<Vec<Figure>> {
    let hyper = Server::baseline(&["http1", GREETING])?;
    let platform = Platform::start(&[])?;
    let function = platform.deploy("hello", &test_guests::component("guest-hello"))?;
    let http = platform.deploy("hello-http", &test_guests::component("guest-http"))?;
    let example = platform.deploy("example", &test_guests::component("hello"))?;
    let fresh =
        |name, id: &str| Contender { name, server: &platform.server, path: format!("/_url/{id}/"), how: How::Http1 };
    let contenders = [
        Contender { name: "hyper", server: &hyper, path: "/".into(), how: How::Http1 },
        fresh("function_fresh", &function),
        fresh("http_fresh", &http),
        // Reads its event and writes a log line.
        fresh("example_fresh", &example),
    ];
    contest::run(options, &contenders)
}

/// Over HTTP/2, many requests on few connections.
pub(crate) fn over_http2(options: &Options) -> anyhow::Result<Vec<Figure>> {
    let hyper = Server::baseline(&["http2", GREETING])?;
    beside(options, &hyper, &Platform::start(&[])?, How::Http2)
}

/// HTTP/1.1 over TLS 1.3, on connections that stay.
pub(crate) fn over_tls(options: &Options) -> anyhow::Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    let certificate = Certificate::local(folder.path());
    let (cert, key) = (certificate.cert.display().to_string(), certificate.key.display().to_string());
    let hyper = Server::baseline(&["tls", GREETING, &cert, &key])?;
    let platform = Platform::start(&["--tls-cert", &cert, "--tls-key", &key])?;
    beside(options, &hyper, &platform, How::tls(&certificate.authority)?)
}

fn beside(options: &Options, hyper: &Server, platform: &Platform, how: How) -> anyhow::Result<Vec<Figure>> {
    let function = platform.deploy("hello", &test_guests::component("guest-hello"))?;
    let contenders = [
        Contender { name: "hyper", server: hyper, path: "/".into(), how: how.clone() },
        Contender { name: "function_fresh", server: &platform.server, path: format!("/_url/{function}/"), how },
    ];
    contest::run(options, &contenders)
}
