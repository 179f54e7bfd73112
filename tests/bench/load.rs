//! A load on one address: connections that send the same request again and
//! again, each as soon as its last answer is there. One thread, like `wrk -t1`.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Requests of one HTTP/2 connection at a time.
const STREAMS: usize = 8;

/// What is sent, and for how long.
#[derive(Clone)]
pub(crate) struct Load {
    /// `HOST:PORT`.
    pub(crate) address: String,
    /// Path and query.
    pub(crate) path: String,
    pub(crate) how: How,
    /// Connections; of HTTP/2 as many requests at a time, on fewer.
    pub(crate) connections: usize,
    /// How long.
    pub(crate) time: Duration,
}

/// What is spoken.
#[derive(Clone)]
pub(crate) enum How {
    Http1,
    Http2,
    /// HTTP/1.1 over TLS.
    Tls(TlsConnector),
}

impl How {
    /// TLS with servers whose certificates this authority has signed.
    pub(crate) fn tls(authority: &Path) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(authority)?)?;
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        Ok(Self::Tls(Arc::new(config).into()))
    }
}

/// What came back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answered {
    /// Requests that were answered with 200.
    pub(crate) requests: u64,
    /// How long it took.
    pub(crate) time: Duration,
    /// The time that 99 of 100 answers took at most.
    pub(crate) p99: Duration,
}

/// Puts the load on; any answer but 200 is an error.
pub(crate) fn run(load: &Load) -> anyhow::Result<Answered> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let start = Instant::now();
        let end = start + load.time;
        let mut connections = JoinSet::new();
        match &load.how {
            How::Http1 | How::Tls(_) => {
                for _ in 0..load.connections {
                    connections.spawn(connection(load.clone(), end));
                }
            }
            How::Http2 => {
                for _ in 0..load.connections.div_ceil(STREAMS) {
                    let sender = connected(&load.address).await?;
                    for _ in 0..STREAMS {
                        connections.spawn(stream(sender.clone(), load.clone(), end));
                    }
                }
            }
        }
        let mut latencies: Vec<u32> = Vec::new();
        while let Some(joined) = connections.join_next().await {
            latencies.extend(joined??);
        }
        let time = start.elapsed();
        if latencies.is_empty() {
            bail!("nothing was answered");
        }
        let at = (latencies.len() * 99 / 100).min(latencies.len() - 1);
        let (_, p99, _) = latencies.select_nth_unstable(at);
        let p99 = Duration::from_micros(u64::from(*p99));
        Ok(Answered { requests: latencies.len() as u64, time, p99 })
    })
}

/// One connection; answers the time of each request in microseconds.
async fn connection(load: Load, end: Instant) -> anyhow::Result<Vec<u32>> {
    let stream = TcpStream::connect(&load.address).await.context("connecting")?;
    stream.set_nodelay(true)?;
    match &load.how {
        How::Tls(tls) => {
            let stream = tls.connect(ServerName::try_from("localhost")?, stream).await.context("the handshake")?;
            ask(stream, &load, end).await
        }
        How::Http1 | How::Http2 => ask(stream, &load, end).await,
    }
}

async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin, load: &Load, end: Instant) -> anyhow::Result<Vec<u32>> {
    let request = format!("GET {} HTTP/1.1\r\nhost: {}\r\n\r\n", load.path, load.address);
    let mut latencies = Vec::with_capacity(1 << 14);
    let mut buffer = vec![0_u8; 16 << 10];
    let mut now = Instant::now();
    while now < end {
        stream.write_all(request.as_bytes()).await?;
        answer(&mut stream, &mut buffer).await?;
        now = noted(&mut latencies, now);
    }
    Ok(latencies)
}

/// Notes how long one answer took.
fn noted(latencies: &mut Vec<u32>, since: Instant) -> Instant {
    let now = Instant::now();
    latencies.push(u32::try_from((now - since).as_micros()).unwrap_or(u32::MAX));
    now
}

async fn connected(address: &str) -> anyhow::Result<SendRequest<Empty<Bytes>>> {
    let stream = TcpStream::connect(address).await.context("connecting")?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
    // It ends with the last sender.
    tokio::spawn(connection);
    Ok(sender)
}

/// One request after the other on a connection that others share.
async fn stream(mut sender: SendRequest<Empty<Bytes>>, load: Load, end: Instant) -> anyhow::Result<Vec<u32>> {
    let uri = format!("http://{}{}", load.address, load.path);
    let mut latencies = Vec::with_capacity(1 << 14);
    let mut now = Instant::now();
    while now < end {
        let request = Request::get(&uri).body(Empty::new())?;
        let answer = sender.send_request(request).await?;
        if answer.status() != 200 {
            bail!("not a 200: {}", answer.status());
        }
        answer.into_body().collect().await?;
        now = noted(&mut latencies, now);
    }
    Ok(latencies)
}

/// Reads one answer to its end.
async fn answer(stream: &mut (impl AsyncRead + Unpin), buffer: &mut [u8]) -> anyhow::Result<()> {
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).await?;
        if read == 0 {
            bail!("the connection was closed");
        }
        filled += read;
        let Some(head) = head_bytes(&buffer[..filled]) else {
            if filled == buffer.len() {
                bail!("the answer's head is too long");
            }
            continue;
        };
        let text = std::str::from_utf8(&buffer[..head])?;
        if !text.starts_with("HTTP/1.1 200 ") {
            bail!("not a 200: {}", String::from_utf8_lossy(&buffer[..filled]));
        }
        let whole = head + content_length(text).context("the answer has no content-length")?;
        if filled >= whole {
            return Ok(());
        }
    }
}

fn head_bytes(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

fn content_length(head: &str) -> Option<usize> {
    let is_length = |line: &&str| line.get(..15).is_some_and(|name| name.eq_ignore_ascii_case("content-length:"));
    head.split("\r\n").find(is_length)?.get(15..)?.trim().parse().ok()
}
