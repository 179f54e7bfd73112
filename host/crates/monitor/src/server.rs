//! Connections of the second listener: few, short, and GET alone.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use lamina_invoke::Dispatcher;
use lamina_kit::{Clock, Tasks};
use lamina_kv::Store;
use lamina_meter::Meters;
use lamina_telemetry::Logs;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Semaphore, watch};

use crate::metrics::{self, Platform};
use crate::process::Process;
use crate::ready::Readiness;

/// How long to wait after an accept that failed for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Bounds of the listener.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// Connections at a time; more wait to be accepted. Default 16.
    pub connections_max: usize,
    /// Time for a request's head to arrive, idle time before it included. Default
    /// 60 s: Prometheus keeps its connection between scrapes.
    pub head_timeout: Duration,
    /// How long a connection may last at all. Default an hour.
    pub connection_timeout: Duration,
    /// The version that metrics name.
    pub version: &'static str,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            connections_max: 16,
            head_timeout: Duration::from_secs(60),
            connection_timeout: Duration::from_secs(3_600),
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

/// What is watched.
pub struct Deps {
    /// What calls use.
    pub meters: Meters,
    /// Functions' logs.
    pub logs: Logs,
    /// Records, for `/ready`.
    pub store: Store,
    /// Calls, for `/ready`.
    pub dispatcher: Arc<Dispatcher>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Whether the platform drains.
    pub draining: watch::Receiver<bool>,
}

/// See the crate.
pub struct Monitor {
    config: Config,
    shared: Arc<Shared>,
}

struct Shared {
    meters: Meters,
    logs: Logs,
    readiness: Readiness,
    started_s: u64,
    version: &'static str,
}

type Answer = Response<Full<Bytes>>;

impl Monitor {
    /// A monitor of a platform that starts now.
    pub fn new(config: Config, deps: Deps) -> Self {
        let Deps { meters, logs, store, dispatcher, clock, draining } = deps;
        let started_s = clock.epoch_micros() / 1_000_000;
        let readiness = Readiness { store, dispatcher, clock, draining, last: Mutex::new(None) };
        Self { config, shared: Arc::new(Shared { meters, logs, readiness, started_s, version: config.version }) }
    }

    /// Answers until `stop` completes; connections are cut then. Dropped half-way
    /// they are cut, too.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let permits = Arc::new(Semaphore::new(self.config.connections_max));
        let (connections, (cut, _)) = (Tasks::new(), watch::channel(()));
        let accept = async {
            loop {
                // The semaphore is never closed.
                let Ok(permit) = permits.clone().acquire_owned().await else { return };
                match listener.accept().await {
                    Ok((stream, _)) => {
                        let (shared, config, mut cut) = (self.shared.clone(), self.config, cut.subscribe());
                        connections.spawn(async move {
                            tokio::select! {
                                () = connection(shared, config, stream) => {}
                                _ = cut.changed() => {}
                            }
                            drop(permit);
                        });
                    }
                    Err(error) => {
                        tracing::debug!(%error, "a connection to the monitor could not be accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                }
            }
        };
        tokio::select! {
            () = accept => {}
            () = stop => {}
        }
        drop(cut);
        connections.drain(Duration::from_secs(1)).await;
    }
}

async fn connection(shared: Arc<Shared>, config: Config, stream: TcpStream) {
    let service = service_fn(|request: Request<Incoming>| {
        let shared = shared.clone();
        async move { Ok::<_, Infallible>(shared.answer(request.method(), request.uri().path()).await) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(config.head_timeout).max_buf_size(16 << 10);
    let serving = builder.serve_connection(TokioIo::new(stream), service);
    // A watcher that left needs no answer.
    let _ = tokio::time::timeout(config.connection_timeout, serving).await;
}

impl Shared {
    async fn answer(&self, method: &Method, path: &str) -> Answer {
        if !matches!(*method, Method::GET | Method::HEAD) {
            let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are allowed\n");
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return answer;
        }
        match path {
            "/metrics" => {
                let mut answer = text(StatusCode::OK, self.metrics());
                answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(metrics::CONTENT_TYPE));
                answer
            }
            // It answers, so it lives.
            "/health" => text(StatusCode::OK, "alive\n"),
            "/ready" => match self.readiness.check().await {
                Ok(()) => text(StatusCode::OK, "ready\n"),
                Err(reason) => text(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n")),
            },
            _ => text(StatusCode::NOT_FOUND, "there are /metrics, /health and /ready\n"),
        }
    }

    fn metrics(&self) -> String {
        let (concurrent, concurrent_max) = self.meters.concurrent();
        let (process, started_s, version) = (Process::read(), self.started_s, self.version);
        let custom_refused = self.meters.custom().refused();
        let dropped = self.logs.dropped();
        let platform = Platform { process, started_s, version, concurrent, concurrent_max, custom_refused, dropped };
        metrics::render(&self.meters.snapshot(), &platform)
    }
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
