//! A streaming function URL beside bare hyper that streams the same: the time to the
//! first byte, and how fast 100 MB come. A round of less than two seconds streams less.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use futures_util::StreamExt as _;
use http_body_util::{BodyExt as _, Empty, StreamBody};
use hyper::body::{Body, Frame};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use crate::Options;
use crate::process::{Platform, Server};
use crate::report::Figure;

/// Bytes of the stream in a round of [`ROUND`].
const BYTES: u64 = 100_000_000;
const ROUND: Duration = Duration::from_secs(2);
/// The piece in which both write.
const PIECE: usize = 64 << 10;
/// Streams whose first byte is waited for in a round, and their bytes: more than lie
/// between a writer and its reader, so that none is sent whole.
const OPENINGS: usize = 20;
const OPENING_BYTES: u64 = 4 << 20;

/// One server and what is asked of it.
struct Contender {
    name: &'static str,
    address: String,
    path: String,
}

/// One round of one contender.
struct Round {
    first_byte_us: f64,
    mb_per_s: f64,
}

/// Runs the rounds, both contenders in each, in an order that turns.
pub(crate) fn run(options: &Options) -> anyhow::Result<Vec<Figure>> {
    let share = options.round.as_secs_f64() / ROUND.as_secs_f64();
    let bytes = ((BYTES as f64 * share.min(1.0)) as u64).max(OPENING_BYTES);
    let hyper = Server::streaming_baseline()?;
    let platform = Platform::start(&[])?;
    let options_of_url = ["--stream", "--timeout", "900"];
    let function = platform.deploy_with("stream", &test_guests::component("guest-stream"), &options_of_url)?;
    let contenders = [
        Contender { name: "hyper", address: hyper.address.clone(), path: "/".into() },
        Contender {
            name: "function_stream",
            address: platform.server.address.clone(),
            path: format!("/_url/{function}/"),
        },
    ];
    let runtime = Runtime::new()?;
    let mut rounds: [Vec<Round>; 2] = Default::default();
    for contender in &contenders {
        runtime.block_on(measure(contender, OPENING_BYTES))?;
    }
    for number in 0..options.rounds {
        for turn in 0..contenders.len() {
            let at = (number + turn) % contenders.len();
            rounds[at].push(runtime.block_on(measure(&contenders[at], bytes))?);
        }
    }
    Ok(figures(&contenders, &rounds))
}

async fn measure(contender: &Contender, bytes: u64) -> anyhow::Result<Round> {
    let mut firsts = Vec::with_capacity(OPENINGS);
    for _ in 0..OPENINGS {
        firsts.push(stream(contender, OPENING_BYTES).await?.0);
    }
    firsts.sort_unstable();
    let (_, whole) = stream(contender, bytes).await?;
    let first_byte_us = firsts[OPENINGS / 2].as_secs_f64() * 1e6;
    Ok(Round { first_byte_us, mb_per_s: bytes as f64 / 1e6 / whole.as_secs_f64() })
}

/// One stream on a connection of its own; answers when its first byte was there and
/// when its last, from the request on.
async fn stream(contender: &Contender, bytes: u64) -> anyhow::Result<(Duration, Duration)> {
    let stream = TcpStream::connect(&contender.address).await.context("connecting")?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let event = serde_json::json!({ "do": "exactly", "bytes": bytes }).to_string();
    let request = Request::post(format!("{}?{bytes}", contender.path))
        .header("host", &contender.address)
        .header("content-type", "application/json")
        .body(event)?;
    let begun = Instant::now();
    let answer = sender.send_request(request).await?;
    if answer.status() != 200 {
        bail!("{}: {}", contender.name, answer.status());
    }
    let (mut body, mut got, mut first) = (answer.into_body(), 0, None);
    while let Some(frame) = body.frame().await {
        if let Some(data) = frame?.data_ref() {
            first.get_or_insert_with(|| begun.elapsed());
            got += data.len() as u64;
        }
    }
    let whole = begun.elapsed();
    connection.abort();
    if got != bytes {
        bail!("{}: {got} bytes of {bytes}", contender.name);
    }
    Ok((first.context("no byte came")?, whole))
}

fn figures(contenders: &[Contender; 2], rounds: &[Vec<Round>; 2]) -> Vec<Figure> {
    let figure = |metric: String, unit, rounds: Vec<f64>| Figure { metric, unit, rounds };
    let mut figures = Vec::new();
    for (contender, own) in contenders.iter().zip(rounds) {
        let name = contender.name;
        let firsts = own.iter().map(|round| round.first_byte_us).collect();
        figures.push(figure(format!("{name}_first_byte_us"), "us", firsts));
        let rates = own.iter().map(|round| round.mb_per_s).collect();
        figures.push(figure(format!("{name}_mb_per_s"), "MB/s", rates));
    }
    let [base, own] = rounds;
    let against = |of: fn(&Round) -> f64| own.iter().zip(base).map(|(one, bare)| of(one) / of(bare)).collect();
    figures.push(figure("first_byte_over_hyper".into(), "ratio", against(|round| round.first_byte_us)));
    figures.push(figure("throughput_over_hyper".into(), "ratio", against(|round| round.mb_per_s)));
    figures
}

/// Bare hyper: reads the request and streams as many bytes as its query says, until
/// the process is ended; prints its address on a line first.
pub(crate) fn serve() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::spawn(async move {
                let service = service_fn(|request: Request<hyper::body::Incoming>| async move {
                    let bytes = request.uri().query().and_then(|query| query.parse().ok()).unwrap_or(0);
                    let _ = request.into_body().collect().await;
                    Ok::<_, Infallible>(Response::new(pieces(bytes)))
                });
                let mut builder = http1::Builder::new();
                builder.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(60));
                // A client that goes away is the end of its connection.
                let _ = builder.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    })
}

/// So many bytes, each piece made when it is asked for, as a guest makes it.
fn pieces(bytes: u64) -> impl Body<Data = Bytes, Error = Infallible> + Unpin {
    if bytes == 0 {
        return Empty::new().boxed_unsync();
    }
    let made = futures_util::stream::iter(0..bytes.div_ceil(PIECE as u64)).map(move |number| {
        let length = (bytes - number * PIECE as u64).min(PIECE as u64);
        Ok(Frame::data(Bytes::from(vec![b'x'; usize::try_from(length).unwrap_or(PIECE)])))
    });
    StreamBody::new(made).boxed_unsync()
}
