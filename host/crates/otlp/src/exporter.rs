//! Sending: spans together every second, metrics every minute.

use std::error::Error as _;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::TokioExecutor;
use lamina_kit::Clock;
use lamina_meter::Meters;
use tokio::sync::mpsc;

use crate::config::Config;
use crate::metrics::Times;
use crate::spans::CallSpan;
use crate::tracer::{SPANS, Tracer};
use crate::{metrics, spans};

/// How often a request is tried, and the wait between.
const TRIES: u32 = 2;
const RETRY_PAUSE: Duration = Duration::from_millis(500);
/// How long calls gather before they are looked at.
const GATHER: Duration = Duration::from_millis(50);
/// What is read of an answer.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// How long the last spans may take when the platform ends.
const FLUSH_MAX: Duration = Duration::from_secs(5);

/// Sends what a [`Tracer`] takes, and what the meters count.
pub struct Exporter {
    config: Config,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    queue: mpsc::Receiver<CallSpan>,
    dropped: Arc<AtomicU64>,
    meters: Meters,
    clock: Arc<dyn Clock>,
    start: u64,
    /// Whether the last request failed: said once.
    failed: bool,
}

impl Exporter {
    /// An exporter and the tracer that feeds it.
    pub fn new(config: Config, meters: Meters, clock: Arc<dyn Clock>) -> (Self, Tracer) {
        let (sender, queue) = mpsc::channel(config.queue_max.max(1));
        let dropped: Arc<AtomicU64> = Arc::default();
        let tracer = Tracer::new(sender, dropped.clone(), config.ratio);
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(config.timeout));
        connector.enforce_http(false);
        let tls = HttpsConnectorBuilder::new().with_tls_config(config.tls.as_ref().clone());
        let connector = tls.https_or_http().enable_http1().wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        let start = clock.epoch_micros().saturating_mul(1_000);
        (Self { config, client, queue, dropped, meters, clock, start, failed: false }, tracer)
    }

    /// Sends until `stop` completes, and then what is left, for some seconds at most.
    /// Dropped half-way, what waits is lost.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        let mut metrics_due = self.clock.monotonic() + self.config.metrics_period;
        let mut spans_due: Option<Duration> = None;
        let mut waiting: Vec<CallSpan> = Vec::new();
        loop {
            let due = spans_due.map_or(metrics_due, |due| due.min(metrics_due));
            let wait = due.saturating_sub(self.clock.monotonic());
            let room = self.config.batch_max.saturating_sub(waiting.len()).max(1);
            tokio::select! {
                () = &mut stop => break,
                () = tokio::time::sleep(wait) => {
                    let now = self.clock.monotonic();
                    if spans_due.take_if(|due| *due <= now).is_some() {
                        self.send_spans(&mut waiting).await;
                    }
                    if metrics_due <= now {
                        self.send_metrics().await;
                        metrics_due = self.clock.monotonic() + self.config.metrics_period;
                    }
                }
                taken = self.queue.recv_many(&mut waiting, room) => {
                    if taken == 0 {
                        break;
                    }
                    let now = self.clock.monotonic();
                    if waiting.len() >= self.config.batch_max {
                        spans_due = None;
                        self.send_spans(&mut waiting).await;
                    } else {
                        spans_due = spans_due.or(Some(now + self.config.spans_period));
                        // Not woken for each of those that come soon after.
                        tokio::time::sleep(GATHER.min(self.config.spans_period)).await;
                    }
                }
            }
        }
        let last = async {
            loop {
                while waiting.len() < self.config.batch_max
                    && let Ok(call) = self.queue.try_recv()
                {
                    waiting.push(call);
                }
                if waiting.is_empty() {
                    break;
                }
                self.send_spans(&mut waiting).await;
            }
            self.send_metrics().await;
        };
        let _ = tokio::time::timeout(FLUSH_MAX, last).await;
    }

    async fn send_spans(&mut self, waiting: &mut Vec<CallSpan>) {
        if waiting.is_empty() {
            return;
        }
        let calls = std::mem::take(waiting);
        let body = spans::request(&self.config.service_name, &calls);
        if !self.send("/v1/traces", body).await {
            self.dropped.fetch_add(SPANS.saturating_mul(calls.len() as u64), Ordering::Relaxed);
        }
    }

    async fn send_metrics(&mut self) {
        let times = Times { start: self.start, now: self.clock.epoch_micros().saturating_mul(1_000) };
        let dropped = self.dropped.load(Ordering::Relaxed);
        let body = metrics::request(&self.config.service_name, &self.meters.snapshot(), dropped, times);
        self.send("/v1/metrics", body).await;
    }

    /// Sends a request, and once more when that may help; answers whether it arrived.
    async fn send(&mut self, path: &str, body: Vec<u8>) -> bool {
        let body = if self.config.gzip { zipped(body) } else { body };
        let body = Bytes::from(body);
        let mut sent = Err(NotSent { reason: String::new(), again: true });
        for attempt in 0..TRIES {
            if attempt > 0 {
                tokio::time::sleep(RETRY_PAUSE).await;
            }
            let exchange = tokio::time::timeout(self.config.timeout, self.exchange(path, body.clone())).await;
            sent = exchange.unwrap_or_else(|_| Err(NotSent { reason: "no answer in time".to_owned(), again: true }));
            if !sent.as_ref().is_err_and(|error| error.again) {
                break;
            }
        }
        let failed = sent.is_err();
        if std::mem::replace(&mut self.failed, failed) != failed {
            let collector = &self.config.authority;
            match &sent {
                Ok(()) => tracing::info!(%collector, "traces and metrics arrive again"),
                Err(NotSent { reason, .. }) => {
                    tracing::warn!(%collector, error = reason, "traces or metrics could not be sent; they are dropped");
                }
            }
        }
        !failed
    }

    async fn exchange(&self, path: &str, body: Bytes) -> Result<(), NotSent> {
        let Config { scheme, authority, path: before, .. } = &self.config;
        let uri = format!("{scheme}://{authority}{before}{path}");
        let request = Request::builder().method(Method::POST).uri(uri).body(Full::new(body));
        let mut request = request.map_err(|error| NotSent { reason: error.to_string(), again: false })?;
        if self.config.gzip {
            request.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        for (name, value) in &self.config.headers {
            request.headers_mut().insert(name.clone(), value.clone());
        }
        let response = self.client.request(request).await.map_err(|error| NotSent::broken(&error))?;
        let status = response.status();
        // Read, so that the connection can be used again.
        let _ = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        if status.is_success() { Ok(()) } else { Err(NotSent::refused(status)) }
    }
}

/// Why a request did not arrive.
struct NotSent {
    reason: String,
    /// Whether it may arrive when it is sent again.
    again: bool,
}

impl NotSent {
    /// The collector's own refusal; the specification of OTLP says which may be tried
    /// again.
    fn refused(status: StatusCode) -> Self {
        let again = matches!(status.as_u16(), 429 | 502 | 503 | 504);
        Self { reason: format!("status {status}"), again }
    }

    /// With its causes: that a certificate is not believed is one.
    fn broken(error: &ClientError) -> Self {
        let mut reason = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            reason.push_str(": ");
            reason.push_str(&error.to_string());
            cause = error.source();
        }
        Self { reason, again: true }
    }
}

/// As gzip; quickly, as it is sent at once.
fn zipped(body: Vec<u8>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    // Nothing fails that writes into memory.
    let zipped = encoder.write_all(&body).and_then(|()| encoder.finish());
    zipped.unwrap_or_default()
}
