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
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{Request, Version};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use lamina_kit::Tasks;
use lamina_wire::Owner;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::answer::Answer;
use crate::config::{Config, Deps};
use crate::request::{self, Peer, Shared};

/// How long a client that still sends may take to see that it was answered.
const LINGER: Duration = Duration::from_secs(2);
/// What is read and thrown away meanwhile: more than any body that is allowed.
const DISCARD_BYTES_MAX: usize = 128 << 20;
/// How long to wait after an accept that failed for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The API and the function URLs of one platform.
pub struct Server {
    shared: Arc<Shared>,
    connections: Tasks,
    phase: watch::Sender<Phase>,
}

/// Where a server is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Serving,
    /// End what is in flight, take nothing new.
    Draining,
    /// Cut what is left.
    Cutting,
}

impl Server {
    /// A server over the layers below; it listens once it [`Server::serve`]s.
    pub fn new(config: Config, deps: Deps) -> Self {
        let (phase, watching) = watch::channel(Phase::Serving);
        let owner = Owner { region: config.region.clone(), account: config.account.clone() };
        let shared = Shared { config, deps, owner, tasks: Tasks::new(), phase: watching };
        Self { shared: Arc::new(shared), connections: Tasks::new(), phase }
    }

    /// Serves until `shutdown` completes, then drains. Answers whether every
    /// request in flight could end within the grace period. Dropped half-way,
    /// nothing is accepted any more and the connections there are cut.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> bool {
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
                    self.spawn(stream, peer, permit);
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
        self.phase.send_replace(Phase::Draining);
        let grace = self.shared.config.drain_grace;
        let (ended, _) = tokio::join!(self.connections.drain(grace), self.shared.tasks.drain(grace));
        if !ended {
            tracing::warn!(connections = self.connections.running(), "cutting connections that did not end in time");
            self.phase.send_replace(Phase::Cutting);
            self.connections.drain(Duration::from_secs(1)).await;
        }
        ended
    }

    fn spawn(&self, stream: TcpStream, peer: Peer, permit: OwnedSemaphorePermit) {
        // Small answers must not wait for the client's acknowledgement of the one before.
        let _ = stream.set_nodelay(true);
        let shared = self.shared.clone();
        self.connections.spawn(async move {
            connection(shared, stream, peer).await;
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
async fn connection(shared: Arc<Shared>, stream: TcpStream, peer: Peer) {
    let service = service_fn(|request| {
        let shared = shared.clone();
        async move { Ok(request::handle(&shared, peer, request).await) }
    });
    drive(&shared.config, stream, shared.phase.clone(), service).await;
}

/// Serves one connection with `service`, whose answers' bodies may break off.
async fn drive<S>(config: &Config, stream: TcpStream, mut phase: watch::Receiver<Phase>, service: S)
where
    S: Service<Request<Incoming>, Response = Answer, Error = Infallible>,
{
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(config.head_timeout).max_buf_size(config.head_bytes_max);
    // Whether the last request was of HTTP/1.0, whose bodies end with the connection.
    let old = AtomicBool::new(false);
    let service = service_fn(|request: Request<Incoming>| {
        old.store(request.version() == Version::HTTP_10, Ordering::Relaxed);
        Box::pin(service.call(request))
    });
    let mut serving = builder.serve_connection(TokioIo::new(stream), service);
    loop {
        tokio::select! {
            ended = std::future::poll_fn(|cx| serving.poll_without_shutdown(cx)) => {
                let Err(error) = ended else { return close(serving.into_parts().io.into_inner()).await };
                tracing::debug!(%error, "a connection broke off");
                // It was answered, by hyper, and more of it may be on its way.
                if error.is_parse() {
                    return close(serving.into_parts().io.into_inner()).await;
                }
                if error.is_user() && old.load(Ordering::Relaxed) {
                    // Closed as usual, a body that broke off would look complete.
                    let _ = serving.into_parts().io.into_inner().set_zero_linger();
                }
                return;
            }
            changed = phase.changed() => {
                match changed.map(|()| *phase.borrow()) {
                    Ok(Phase::Serving) => {}
                    Ok(Phase::Draining) => std::pin::Pin::new(&mut serving).graceful_shutdown(),
                    // Also when the server is gone.
                    Ok(Phase::Cutting) | Err(_) => return,
                }
            }
        }
    }
}

/// Ends a connection so that the last answer arrives: closed with bytes unread,
/// as after a body that was refused, it would be reset and the answer lost.
async fn close(mut stream: TcpStream) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let discard = async {
        let (mut buffer, mut left) = (vec![0; 16 << 10], DISCARD_BYTES_MAX);
        while let Ok(read @ 1..) = stream.read(&mut buffer).await {
            left = left.saturating_sub(read);
            if left == 0 {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(LINGER, discard).await;
}

#[cfg(test)]
mod tests;
