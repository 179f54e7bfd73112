//! Connections: accept, serve, drain.
//!
//! One connection too many, of one address or of all, is answered at once and
//! closed. At shutdown nothing is accepted any more, idle connections close,
//! requests in flight end, and what is left after the grace period is cut.

mod addresses;
mod gauge;
mod http1;
mod http2;
mod networks;
mod opening;
mod paced;
mod proxied;
mod refusal;
mod stall;
mod talk;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::StatusCode;
use hyper::service::service_fn;
use lamina_kit::Tasks;
use lamina_wire::Owner;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::server::TlsStream;

use self::addresses::{Addresses, Place};
use self::gauge::Gauge;
use self::opening::Protocol;
use self::paced::Paced;
use self::proxied::Ends;
use self::refusal::Refusals;
use crate::body::Room;
use crate::config::{Config, Deps};
use crate::logs::SESSIONS_MAX;
use crate::logs::search::Searcher;
use crate::request::{self, Peer, Shared};
use crate::tls::{Spoken, Tls};

pub use self::networks::{Network, NotNetwork};

/// How long to wait after an accept that failed for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Connections that are told at a time why they are not served; more are closed
/// without a word.
const TOLD_MAX: usize = 256;
/// Bytes of an answer that the kernel takes before they can be sent: a client
/// that stops reading is noticed by what is left, and its answer waits with us.
const UNSENT_BYTES_MAX: u32 = 512 << 10;

/// The API and the function URLs of one platform.
pub struct Server {
    shared: Arc<Shared>,
    connections: Tasks,
    addresses: Addresses,
    refusals: Refusals,
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

/// The phase as one connection sees it. A connection is one task, and that is told once
/// where it can be woken: asked each time it runs, it would take a lock that many share.
struct Watch {
    phase: watch::Receiver<Phase>,
    waiting: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Watch {
    fn new(phase: watch::Receiver<Phase>) -> Self {
        Self { phase, waiting: None }
    }

    /// The phase once it has changed, `None` when the server is gone. Always polled by
    /// the same task.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Phase>> {
        loop {
            match self.phase.has_changed() {
                Ok(false) => {}
                Ok(true) => {
                    self.waiting = None;
                    return Poll::Ready(Some(*self.phase.borrow_and_update()));
                }
                Err(_) => return Poll::Ready(None),
            }
            if self.waiting.is_some() {
                return Poll::Pending;
            }
            let mut phase = self.phase.clone();
            let mut waiting: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
                // Both ends are a change.
                let _ = phase.changed().await;
            });
            if waiting.as_mut().poll(cx).is_pending() {
                self.waiting = Some(waiting);
                return Poll::Pending;
            }
        }
    }
}

impl Server {
    /// A server over the layers below; it listens once it [`Server::serve`]s.
    pub fn new(config: Config, deps: Deps) -> Self {
        let (phase, watching) = watch::channel(Phase::Serving);
        let addresses = Addresses::new(config.limits.connections_per_address_max);
        let owner = Owner { region: config.region.clone(), account: config.account.clone() };
        let room = Room::new(config.limits.bodies_bytes_max);
        let searcher = Searcher::new(deps.log_store.clone());
        let tails = Arc::new(Semaphore::new(SESSIONS_MAX));
        let shared = Shared { config, deps, owner, tasks: Tasks::new(), room, phase: watching, searcher, tails };
        let connections = Tasks::new();
        // Within TLS nobody would understand an answer.
        let told_max = if shared.config.tls.is_some() { 0 } else { TOLD_MAX };
        let refusals = Refusals::new(connections.clone(), told_max);
        Self { shared: Arc::new(shared), connections, addresses, refusals, phase }
    }

    /// Serves until `shutdown` completes, then drains. Answers whether every
    /// request in flight could end within the grace period. Dropped half-way,
    /// nothing is accepted any more and the connections there are cut.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> bool {
        let permits = Arc::new(Semaphore::new(self.shared.config.limits.connections_max));
        let local = listener.local_addr().ok();
        tokio::pin!(shutdown);
        let mut refused = false;
        loop {
            let accepted = tokio::select! {
                biased;
                () = &mut shutdown => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, address)) => {
                    refused = false;
                    let peer = Peer { address, port: local.map_or(0, |local| local.port()), spoken: None };
                    match permits.clone().try_acquire_owned() {
                        Ok(permit) => self.spawn(stream, peer, permit),
                        Err(_) => self.refusals.refuse(stream, StatusCode::SERVICE_UNAVAILABLE),
                    }
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
        let ip = peer.address.ip();
        let (shared, tasks) = (self.shared.clone(), self.connections.clone());
        if shared.config.proxies.iter().any(|proxy| proxy.contains(ip)) {
            let (addresses, refusals) = (self.addresses.clone(), self.refusals.clone());
            return self.connections.spawn(async move {
                prepare(&stream);
                if let Some((stream, peer, place)) = handed_on(&shared, (&addresses, &refusals), stream, peer).await {
                    secured(shared, tasks, stream, peer).await;
                    drop(place);
                }
                drop(permit);
            });
        }
        let Some(place) = self.addresses.place(ip) else {
            self.refusals.refuse(stream, StatusCode::TOO_MANY_REQUESTS);
            return;
        };
        self.connections.spawn(async move {
            prepare(&stream);
            secured(shared, tasks, stream, peer).await;
            drop((place, permit));
        });
    }
}

/// A connection that a proxy hands on: what follows its header, and whose it is.
async fn handed_on(
    shared: &Shared,
    (addresses, refusals): (&Addresses, &Refusals),
    mut stream: TcpStream,
    peer: Peer,
) -> Option<(TcpStream, Peer, Place)> {
    let read = tokio::time::timeout(shared.config.limits.head_timeout, proxied::read(&mut stream));
    let read = tokio::select! {
        read = read => read,
        () = shared.draining() => return None,
    };
    let peer = match read {
        Ok(Ok(Some(Ends { client, server }))) => Peer { address: client, port: server.port(), ..peer },
        Ok(Ok(None)) => peer,
        Ok(Err(error)) => {
            tracing::debug!(%error, proxy = %peer.address, "a connection was closed");
            return None;
        }
        Err(_) => return None,
    };
    match addresses.place(peer.address.ip()) {
        Some(place) => Some((stream, peer, place)),
        None => {
            refusals.refuse(stream, StatusCode::TOO_MANY_REQUESTS);
            None
        }
    }
}

/// A connection, by TLS where that is spoken.
async fn secured(shared: Arc<Shared>, tasks: Tasks, stream: TcpStream, peer: Peer) {
    // Each apart, for the one that is not taken would be room that every connection has.
    match shared.config.tls.clone() {
        None => Box::pin(connection(shared, tasks, stream, peer)).await,
        Some(tls) => {
            let by_tls = async {
                if let Some(stream) = Box::pin(handshake(&tls, stream, &shared)).await {
                    let peer = Peer { spoken: Spoken::of(stream.get_ref().1), ..peer };
                    Box::pin(connection(shared, tasks, stream, peer)).await;
                }
            };
            Box::pin(by_tls).await;
        }
    }
}

/// What carries a connection's bytes.
trait Wire: AsyncRead + AsyncWrite + Send + Unpin {
    /// The socket under it.
    fn tcp(&self) -> &TcpStream;
}

impl Wire for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Wire for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// What comes after the handshake, if that succeeds in time and before a drain.
async fn handshake(tls: &Tls, stream: TcpStream, shared: &Shared) -> Option<TlsStream<TcpStream>> {
    let accepted = tokio::time::timeout(shared.config.limits.handshake_timeout, tls.acceptor().accept(stream));
    let accepted = tokio::select! {
        accepted = accepted => accepted,
        () = shared.draining() => return None,
    };
    match accepted {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a handshake failed");
            None
        }
        Err(_) => {
            tracing::debug!("a handshake did not end in time");
            None
        }
    }
}

/// One connection, until it ends or is told to.
async fn connection(shared: Arc<Shared>, tasks: Tasks, stream: impl Wire, peer: Peer) {
    let limits = shared.config.limits;
    let gauge = Arc::new(Gauge::new(limits.resets_max));
    let mut stream = Paced::new(stream, limits, gauge.clone());
    let mut phase = shared.phase.clone();
    let protocol = tokio::select! {
        protocol = opening::protocol(&mut stream) => protocol,
        // Nothing was asked yet.
        _ = phase.wait_for(|phase| *phase != Phase::Serving) => return,
    };
    // The connection's own: what all share would be written for each request.
    let shared = Arc::new(shared);
    let service = service_fn(|request| {
        let shared = shared.clone();
        async move { Ok(request::handle(&shared, peer, request).await) }
    });
    match protocol {
        // Apart: a connection that is idle keeps what it is, and no room for what it
        // might have been.
        Ok(Protocol::Http1) => Box::pin(http1::drive(&limits, (stream, gauge), phase, service)).await,
        Ok(Protocol::Http2) => {
            stream.is_http2();
            Box::pin(http2::drive(&limits, (stream, gauge), (phase, tasks), service)).await;
        }
        Err(error) => {
            tracing::debug!(%error, "a connection ended before it began");
            let (stream, late) = stream.into_parts();
            if late {
                refusal::refuse(stream, StatusCode::REQUEST_TIMEOUT).await;
            }
        }
    }
}

/// Options of a socket. Without them it works, but less well.
fn prepare(stream: &TcpStream) {
    // Small answers must not wait for the client's acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let _ = socket2::SockRef::from(stream).set_tcp_notsent_lowat(UNSENT_BYTES_MAX);
}

#[cfg(test)]
mod tests;
