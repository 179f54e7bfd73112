//! Connections that have nothing to say: what each one takes of memory, and what
//! all of them take from a function that is called meanwhile.

use std::net::SocketAddr;

use anyhow::Context as _;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::Options;
use crate::contest::{self, Contender};
use crate::hello::GREETING;
use crate::load::How;
use crate::process::{Platform, Server};
use crate::report::Figure;

/// Connections of the whole benchmark, and of a short one.
const CONNECTIONS: usize = 10_000;
const CONNECTIONS_SHORT: usize = 200;
/// Connections of one address: fewer than the platform lets one have.
const PER_ADDRESS: usize = 1_000;
/// Longer than the benchmark.
const ARGUMENTS: [&str; 4] = ["--idle-timeout-ms", "3600000", "--connections-max", "20000"];

/// Two platforms in turns, one of which has the connections.
pub(crate) fn run(options: &Options) -> anyhow::Result<Vec<Figure>> {
    let count = if options.is_short() { CONNECTIONS_SHORT } else { CONNECTIONS };
    raise_file_limit()?;
    let (alone, beside) = (Platform::start(&ARGUMENTS)?, Platform::start(&ARGUMENTS)?);
    let component = test_guests::component("guest-hello");
    let (here, there) = (alone.deploy("hello", &component)?, beside.deploy("hello", &component)?);
    let contenders = [
        Contender { name: "alone", server: &alone.server, path: format!("/_url/{here}/"), how: How::Http1 },
        Contender { name: "beside_idle", server: &beside.server, path: format!("/_url/{there}/"), how: How::Http1 },
    ];
    let hyper = Server::baseline(&["http1", GREETING])?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let each = |server: &Server, path: &str| -> anyhow::Result<(Vec<TcpStream>, f64)> {
        // What a server needs once is not theirs.
        drop(runtime.block_on(connect(&server.address, path, count / 10))?);
        let before = server.memory()?;
        let idle = runtime.block_on(connect(&server.address, path, count))?;
        Ok((idle, server.memory()?.saturating_sub(before) as f64 / count as f64))
    };
    let (_, each_of_hyper) = each(&hyper, "/")?;
    let (idle, each) = each(&beside.server, &contenders[1].path)?;
    let mut figures = contest::run(options, &contenders)?;
    figures.push(Figure { metric: "idle_connections".to_owned(), unit: "1", rounds: vec![idle.len() as f64] });
    figures.push(Figure { metric: "idle_connection_memory".to_owned(), unit: "B", rounds: vec![each] });
    figures.push(Figure { metric: "hyper_idle_connection_memory".to_owned(), unit: "B", rounds: vec![each_of_hyper] });
    Ok(figures)
}

/// Connections that were each served once.
async fn connect(address: &str, path: &str, count: usize) -> anyhow::Result<Vec<TcpStream>> {
    let to: SocketAddr = address.parse()?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n");
    let mut connections = Vec::with_capacity(count);
    for number in 0..count {
        let socket = TcpSocket::new_v4()?;
        // All of 127.0.0.0/8 is this machine.
        socket.bind(format!("127.0.1.{}:0", 1 + number / PER_ADDRESS).parse()?)?;
        let mut stream = socket.connect(to).await.with_context(|| format!("the connection {number}"))?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = [0; 1_024];
        let read = stream.read(&mut answer).await?;
        anyhow::ensure!(answer[..read].starts_with(b"HTTP/1.1 200 "), "the connection {number} was not served");
        connections.push(stream);
    }
    Ok(connections)
}

fn raise_file_limit() -> anyhow::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })
        .context("raising the limit of open files")
}
