//! Connections: accept, serve, drain.
//!
//! A permit is taken before a connection is accepted, so that what cannot be
//! served waits in the kernel's queue instead of here. At shutdown nothing is
//! accepted any more, idle connections close, requests in flight end, and what
//! is left after the grace period is cut.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use lamina_kit::Tasks;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::config::{Config, Deps};
use crate::request::{self, Peer, Shared};

/// How long to wait after an accept that failed for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The API and the function URLs of one platform.
pub struct Server {
    shared: Arc<Shared>,
    connections: Tasks,
}

/// Where a server is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Serving,
    /// End what is in flight, take nothing new.
    Draining,
    /// Cut what is left.
    Cutting,
}

impl Server {
    /// A server over the layers below; it listens once it [`Server::serve`]s.
    pub fn new(config: Config, deps: Deps) -> Self {
        Self { shared: Arc::new(Shared { config, deps }), connections: Tasks::new() }
    }

    /// Serves until `shutdown` completes, then drains. Answers whether every
    /// request in flight could end within the grace period. Dropped half-way,
    /// nothing is accepted any more and the connections there are live on.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> bool {
        let (phase, watching) = watch::channel(Phase::Serving);
        let permits = Arc::new(Semaphore::new(self.shared.config.connections_max));
        let local = listener.local_addr().ok();
        tokio::pin!(shutdown);
        let mut refused = false;
        loop {
            let accepted = tokio::select! {
                biased;
                () = &mut shutdown => break,
                accepted = accept(&listener, &permits) => accepted,
            };
            match accepted {
                Ok((stream, address, permit)) => {
                    refused = false;
                    let peer = Peer { address, port: local.map_or(0, |local| local.port()) };
                    self.spawn(stream, peer, permit, watching.clone());
                }
                Err(error) => {
                    if !std::mem::replace(&mut refused, true) {
                        tracing::warn!(%error, "a connection could not be accepted");
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(listener);
        phase.send_replace(Phase::Draining);
        let ended = self.connections.drain(self.shared.config.drain_grace).await;
        if !ended {
            tracing::warn!(connections = self.connections.running(), "cutting connections that did not end in time");
            phase.send_replace(Phase::Cutting);
            self.connections.drain(Duration::from_secs(1)).await;
        }
        ended
    }

    fn spawn(
        &self,
        stream: TcpStream,
        peer: Peer,
        permit: OwnedSemaphorePermit,
        watching: watch::Receiver<Phase>,
    ) {
        // Small answers must not wait for the client's acknowledgement of the one before.
        let _ = stream.set_nodelay(true);
        let shared = self.shared.clone();
        self.connections.spawn(async move {
            connection(shared, stream, peer, watching).await;
            drop(permit);
        });
    }
}

async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    // The semaphore is never closed.
    let permit = permits.clone().acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, address) = listener.accept().await?;
    Ok((stream, address, permit))
}

/// One connection, until it ends or is told to.
async fn connection(shared: Arc<Shared>, stream: TcpStream, peer: Peer, mut watching: watch::Receiver<Phase>) {
    let config = &shared.config;
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(config.head_timeout).max_buf_size(config.head_bytes_max);
    let service = service_fn(|request: Request<Incoming>| {
        let shared = shared.clone();
        async move { Ok::<_, Infallible>(request::handle(&shared, peer, request).await) }
    });
    let serving = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(serving);
    loop {
        tokio::select! {
            ended = &mut serving => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection broke off");
                }
                return;
            }
            changed = watching.changed() => {
                match changed.map(|()| *watching.borrow()) {
                    Ok(Phase::Serving) => {}
                    Ok(Phase::Draining) => serving.as_mut().graceful_shutdown(),
                    // Also when the server is gone.
                    Ok(Phase::Cutting) | Err(_) => return,
                }
            }
        }
    }
}
