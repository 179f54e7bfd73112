//! A load on one address: connections that send the same request again and
//! again, each as soon as its last answer is there. One thread, like `wrk -t1`.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// What is sent, and for how long.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    /// `HOST:PORT`.
    pub(crate) address: String,
    /// The request as it goes over the wire; keep-alive.
    pub(crate) request: String,
    /// Connections.
    pub(crate) connections: usize,
    /// How long.
    pub(crate) time: Duration,
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
        for _ in 0..load.connections {
            connections.spawn(connection(load.clone(), end));
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
    let mut stream = TcpStream::connect(&load.address).await.context("connecting")?;
    stream.set_nodelay(true)?;
    let mut latencies = Vec::with_capacity(1 << 14);
    let mut buffer = vec![0_u8; 16 << 10];
    let mut now = Instant::now();
    while now < end {
        stream.write_all(load.request.as_bytes()).await?;
        answer(&mut stream, &mut buffer).await?;
        let after = Instant::now();
        latencies.push(u32::try_from((after - now).as_micros()).unwrap_or(u32::MAX));
        now = after;
    }
    Ok(latencies)
}

/// Reads one answer to its end.
async fn answer(stream: &mut TcpStream, buffer: &mut [u8]) -> anyhow::Result<()> {
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
