//! The PROXY protocol: whose address counts, and who may say so.

use std::process::Command;
use std::time::Duration;

use harness::certificates::Certificate;
use harness::{Options, Platform, Url, debian, http, process, tiny};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::common::PROGRAM;

/// The proxy that is trusted; everybody else is 127.0.0.1.
const PROXY: &str = "127.0.0.9";
const TRUSTED: [&str; 2] = ["--proxy-protocol", "192.0.2.0/24,127.0.0.9"];

async fn platform(arguments: &[&str]) -> (Platform, Url) {
    let platform = Platform::start(Options::new(PROGRAM).with(arguments)).await;
    platform.deploy("echo", &tiny::echo()).await;
    let url = platform.url("echo", "BUFFERED").await;
    (platform, url)
}

async fn connect(platform: &Platform, from: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
    socket.connect(platform.client.authority.parse().unwrap()).await.unwrap()
}

/// What comes for these bytes until the server closes.
async fn say(platform: &Platform, from: &str, header: &[u8], url: &Url) -> String {
    let mut stream = connect(platform, from).await;
    let request = format!("GET /_url/{}/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", url.id);
    let _ = stream.write_all(&[header, request.as_bytes()].concat()).await;
    let mut answer = Vec::new();
    let _ = http::within("the server's end", stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxy_says_where_a_connection_comes_from() {
    let (platform, url) = platform(&TRUSTED).await;
    let mut second = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
    second.extend([203, 0, 113, 7, 192, 0, 2, 1, 0x30, 0x39, 1, 0xbb]);
    for header in [b"PROXY TCP4 203.0.113.7 192.0.2.1 12345 443\r\n".as_slice(), &second] {
        let answer = say(&platform, PROXY, header, &url).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        for text in [r#""sourceIp":"203.0.113.7""#, r#""x-forwarded-for":"203.0.113.7""#, r#""x-forwarded-port":"443""#]
        {
            assert!(answer.contains(text), "`{text}`: {answer}");
        }
    }
    // The proxy's own connections are its own.
    for header in [b"PROXY UNKNOWN\r\n".as_slice(), b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"] {
        let answer = say(&platform, PROXY, header, &url).await;
        assert!(answer.contains(r#""sourceIp":"127.0.0.9""#), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxy_must_say_it_and_nobody_else_may() {
    let (platform, url) = platform(&TRUSTED).await;
    assert_eq!(say(&platform, PROXY, b"", &url).await, "");
    assert_eq!(say(&platform, PROXY, b"PROXY TCP4 nowhere\r\n", &url).await, "");
    let header = b"PROXY TCP4 203.0.113.7 192.0.2.1 12345 443\r\n";
    assert!(say(&platform, "127.0.0.8", header, &url).await.starts_with("HTTP/1.1 400 "));
    assert!(say(&platform, "127.0.0.8", b"", &url).await.contains(r#""sourceIp":"127.0.0.8""#));
    // Nobody is trusted unless it is said.
    let (closed, url) = self::platform(&[]).await;
    assert!(say(&closed, "127.0.0.1", header, &url).await.starts_with("HTTP/1.1 400 "));
}

/// One address behind the proxy does not use up the connections of others.
#[tokio::test(flavor = "multi_thread")]
async fn connections_are_counted_by_the_address_behind_the_proxy() {
    let (platform, url) = platform(&[&TRUSTED[..], &["--connections-per-address-max", "20"]].concat()).await;
    let mut held = Vec::new();
    for _ in 0..20 {
        let mut stream = connect(&platform, PROXY).await;
        stream.write_all(b"PROXY TCP4 203.0.113.7 192.0.2.1 1 443\r\n").await.unwrap();
        let request = format!("GET /_url/{}/ HTTP/1.1\r\nhost: x\r\n\r\n", url.id);
        stream.write_all(request.as_bytes()).await.unwrap();
        // It is served, and so has its place.
        http::within("an answer", stream.read_u8()).await.unwrap();
        held.push(stream);
    }
    let same = say(&platform, PROXY, b"PROXY TCP4 203.0.113.7 192.0.2.1 1 443\r\n", &url).await;
    assert!(same.starts_with("HTTP/1.1 429 "), "{same}");
    let other = say(&platform, PROXY, b"PROXY TCP4 203.0.113.8 192.0.2.1 1 443\r\n", &url).await;
    assert!(other.starts_with("HTTP/1.1 200 "), "{other}");
}

/// The header comes before the handshake.
#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_may_hand_on_tls() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = Certificate::local(folder.path());
    let options = Options::new(PROGRAM).signing("off").tls(&certificate, &TRUSTED);
    let platform = Platform::start(options).await;
    let component = platform.home().join("one.wasm");
    std::fs::write(&component, tiny::echo()).unwrap();
    platform.cli(&["deploy", "one", component.to_str().unwrap(), "--url"]).ok();
    let url = platform.cli(&["url", "one", "--by-path"]).ok().stdout;
    for http in ["--http1.1", "--http2"] {
        let mut command = Command::new(debian::program("curl", "curl"));
        command.args(["--silent", "--show-error", "--max-time", "100", "--haproxy-protocol", http]);
        command.args(["--interface", PROXY, "--cacert"]).arg(&certificate.authority).arg(url.trim());
        let answer = process::run(&mut command, Duration::from_secs(120)).ok().stdout;
        assert!(answer.contains(r#""sourceIp":"127.0.0.9""#), "{answer}");
    }
}
