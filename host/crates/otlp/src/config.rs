//! Settings, by the names that every OpenTelemetry program has.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::header::{HeaderName, HeaderValue};
use http::uri::{Authority, Scheme, Uri};
use percent_encoding::percent_decode_str;
use rustls::ClientConfig;

use crate::tls;

/// Headers of a request at most.
const HEADERS_MAX: usize = 32;
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const CERTIFICATE: &str = "OTEL_EXPORTER_OTLP_CERTIFICATE";
const COMPRESSION: &str = "OTEL_EXPORTER_OTLP_COMPRESSION";
const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";
const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";
/// What would send elsewhere or otherwise than is done here: passed over, nobody
/// would know.
const NOT_SUPPORTED: [&str; 4] = [
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    "OTEL_EXPORTER_OTLP_CLIENT_KEY",
    "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
];

/// Where to send what, and how much is kept meanwhile.
#[derive(Debug, Clone)]
pub struct Config {
    /// `http`, or `https`.
    pub scheme: Scheme,
    /// `HOST:PORT`.
    pub authority: Authority,
    /// What precedes `/v1/traces`; empty, or begins with a slash and ends without.
    pub path: String,
    /// Whom to believe over `https`.
    pub tls: Arc<ClientConfig>,
    /// Sent with each request.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Whether bodies are sent as gzip. Default: they are not.
    pub gzip: bool,
    /// `service.name`. Default `lamina`.
    pub service_name: String,
    /// Share of calls that are traced when their caller does not say, 0 to 1. Default 1.
    pub ratio: f64,
    /// From one sending of metrics to the next. Default 60 s.
    pub metrics_period: Duration,
    /// How long spans wait to be sent together. Default 1 s.
    pub spans_period: Duration,
    /// Time for one request. Default 10 s.
    pub timeout: Duration,
    /// Calls that may wait to be sent; past it they are dropped. Default 8,192.
    pub queue_max: usize,
    /// Calls of one request. Default 512.
    pub batch_max: usize,
}

/// Settings that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} is `{value}`: {rule}")]
pub struct Refused {
    /// The variable.
    pub name: &'static str,
    /// What it is, cut at 200 characters.
    pub value: String,
    /// What is allowed.
    pub rule: String,
}

fn refused(name: &'static str, value: &str, rule: impl Into<String>) -> Refused {
    Refused { name, value: value.chars().take(200).collect(), rule: rule.into() }
}

impl Config {
    /// Of the variables that `get` gives, and the file of authorities that `read`
    /// reads; `None` when no endpoint is set, or the SDK is disabled.
    pub fn of(
        get: impl Fn(&str) -> Option<String>,
        read: impl Fn(&Path) -> io::Result<Vec<u8>>,
    ) -> Result<Option<Self>, Refused> {
        if get("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        for name in NOT_SUPPORTED {
            if let Some(value) = get(name) {
                return Err(refused(name, &value, format!("it is not supported: set {ENDPOINT} alone")));
            }
        }
        let Some(endpoint) = get(ENDPOINT) else { return Ok(None) };
        let protocol = get(PROTOCOL).unwrap_or_else(|| "http/protobuf".to_owned());
        if protocol != "http/protobuf" {
            return Err(refused(PROTOCOL, &protocol, "only http/protobuf is spoken"));
        }
        let rule = "give http://HOST:PORT or https://HOST:PORT of a collector";
        let uri: Uri = endpoint.parse().map_err(|_| refused(ENDPOINT, &endpoint, rule))?;
        let scheme = uri.scheme().filter(|scheme| **scheme == Scheme::HTTP || **scheme == Scheme::HTTPS);
        let authority = uri.authority().filter(|authority| uri.query().is_none() && !authority.as_str().contains('@'));
        let (Some(scheme), Some(authority)) = (scheme, authority) else {
            return Err(refused(ENDPOINT, &endpoint, rule));
        };
        let ratio = number(&get, "OTEL_TRACES_SAMPLER_ARG", 1.0, 0.0..=1.0, "give a share from 0 to 1")?;
        let millis = |name, default, most, rule| number(&get, name, default, 100..=most, rule);
        let period = millis("OTEL_METRIC_EXPORT_INTERVAL", 60_000, 86_400_000, "give milliseconds, 100 to 86400000")?;
        let timeout = millis("OTEL_EXPORTER_OTLP_TIMEOUT", 10_000, 60_000, "give milliseconds, 100 to 60000")?;
        Ok(Some(Self {
            tls: Arc::new(believed(scheme, &get, read)?),
            scheme: scheme.clone(),
            authority: authority.clone(),
            path: uri.path().trim_end_matches('/').to_owned(),
            headers: headers(get(HEADERS))?,
            gzip: gzip(get(COMPRESSION))?,
            service_name: get("OTEL_SERVICE_NAME").unwrap_or_else(|| "lamina".to_owned()),
            ratio,
            metrics_period: Duration::from_millis(period),
            spans_period: Duration::from_secs(1),
            timeout: Duration::from_millis(timeout),
            queue_max: 8_192,
            batch_max: 512,
        }))
    }
}

fn number<T: std::str::FromStr + PartialOrd>(
    get: impl Fn(&str) -> Option<String>,
    name: &'static str,
    default: T,
    allowed: std::ops::RangeInclusive<T>,
    rule: &str,
) -> Result<T, Refused> {
    let Some(text) = get(name) else { return Ok(default) };
    text.trim().parse().ok().filter(|number| allowed.contains(number)).ok_or_else(|| refused(name, &text, rule))
}

/// Whom to believe.
fn believed(
    scheme: &Scheme,
    get: impl Fn(&str) -> Option<String>,
    read: impl Fn(&Path) -> io::Result<Vec<u8>>,
) -> Result<ClientConfig, Refused> {
    match get(CERTIFICATE) {
        // What it says is of no use there.
        _ if *scheme == Scheme::HTTP => tls::none().map_err(|reason| refused(ENDPOINT, scheme.as_str(), reason)),
        None => tls::client(None).map_err(|reason| refused(CERTIFICATE, "", reason)),
        Some(file) => {
            let text = read(Path::new(&file)).map_err(|error| refused(CERTIFICATE, &file, error.to_string()))?;
            tls::client(Some(&text)).map_err(|reason| refused(CERTIFICATE, &file, reason))
        }
    }
}

fn gzip(compression: Option<String>) -> Result<bool, Refused> {
    match compression.as_deref() {
        None | Some("none") => Ok(false),
        Some("gzip") => Ok(true),
        Some(other) => Err(refused(COMPRESSION, other, "give gzip or none")),
    }
}

fn headers(text: Option<String>) -> Result<Vec<(HeaderName, HeaderValue)>, Refused> {
    let Some(text) = text else { return Ok(Vec::new()) };
    let pairs = text.split(',').filter(|pair| !pair.trim().is_empty());
    let headers: Option<Vec<_>> = pairs.map(header).collect();
    headers.filter(|headers| headers.len() <= HEADERS_MAX).ok_or_else(|| {
        // Its value may be a secret.
        refused(HEADERS, "...", "give NAME=VALUE, percent-encoded, with commas between; at most 32")
    })
}

/// `NAME=VALUE`, the value percent-encoded, as in W3C Baggage.
fn header(pair: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = pair.split_once('=')?;
    let value: Vec<u8> = percent_decode_str(value.trim()).collect();
    let mut value = HeaderValue::from_bytes(&value).ok()?;
    value.set_sensitive(true);
    Some((name.trim().parse().ok()?, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HTTP: (&str, &str) = (ENDPOINT, "http://127.0.0.1:4318/otel/");

    fn of(variables: &[(&str, &str)]) -> Result<Option<Config>, Refused> {
        let get = |name: &str| {
            let found = variables.iter().find(|(other, _)| *other == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let read = |path: &Path| match path.to_str() {
            Some("empty.pem") => Ok(Vec::new()),
            Some("broken.pem") => Ok(b"-----BEGIN CERTIFICATE-----\nMTIz\n-----END CERTIFICATE-----\n".to_vec()),
            _ => Err(io::ErrorKind::NotFound.into()),
        };
        Config::of(get, read)
    }

    #[test]
    fn settings_are_those_of_opentelemetry() {
        assert!(of(&[]).unwrap().is_none());
        assert!(of(&[HTTP, ("OTEL_SDK_DISABLED", "true")]).unwrap().is_none());
        let more = [
            HTTP,
            (HEADERS, "x-a=1, X-B = two%20words%2C"),
            ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
            (COMPRESSION, "gzip"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "1500"),
        ];
        let config = of(&more).unwrap().unwrap();
        assert_eq!((config.authority.as_str(), config.path.as_str()), ("127.0.0.1:4318", "/otel"));
        assert_eq!((config.headers.len(), config.headers[1].0.as_str(), config.ratio), (2, "x-b", 0.25));
        assert_eq!((config.headers[1].1.as_bytes(), config.gzip), (&b"two words,"[..], true));
        assert_eq!(config.timeout, Duration::from_millis(1_500));
        assert!(!format!("{config:?}").contains("two words"), "a header may be a secret");
        let plain = of(&[HTTP, (COMPRESSION, "none"), (CERTIFICATE, "nowhere.pem")]).unwrap().unwrap();
        assert_eq!((plain.gzip, plain.timeout), (false, Duration::from_secs(10)));
    }

    #[test]
    fn settings_that_cannot_be_are_refused_by_name() {
        let https = (ENDPOINT, "https://h:1");
        for (endpoint, name, value, rule) in [
            (HTTP, ENDPOINT, "ftp://h:1", "https://HOST:PORT"),
            (HTTP, ENDPOINT, "h:1", "https://HOST:PORT"),
            (HTTP, ENDPOINT, "http://h:1/?q", "https://HOST:PORT"),
            (HTTP, ENDPOINT, "http://user:word@h:1", "https://HOST:PORT"),
            (HTTP, PROTOCOL, "grpc", "http/protobuf"),
            (HTTP, HEADERS, "secret", "NAME=VALUE"),
            (HTTP, HEADERS, "a=secret%0a", "NAME=VALUE"),
            (HTTP, "OTEL_TRACES_SAMPLER_ARG", "2", "0 to 1"),
            (HTTP, "OTEL_METRIC_EXPORT_INTERVAL", "0", "100 to"),
            (HTTP, "OTEL_EXPORTER_OTLP_TIMEOUT", "60001", "100 to 60000"),
            (HTTP, COMPRESSION, "zstd", "gzip or none"),
            (HTTP, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://h:2", "not supported"),
            (https, CERTIFICATE, "missing.pem", "not found"),
            (https, CERTIFICATE, "empty.pem", "BEGIN CERTIFICATE"),
            (https, CERTIFICATE, "broken.pem", "of no use"),
        ] {
            let refused = of(&[(name, value), endpoint]).unwrap_err();
            assert_eq!(refused.name, name, "{value}");
            assert!(refused.rule.contains(rule), "{refused}");
            assert!(!refused.to_string().contains("secret"));
        }
    }
}
