//! Settings, by the names that every OpenTelemetry program has.

use std::time::Duration;

use http::header::{HeaderName, HeaderValue};
use http::uri::{Authority, Uri};

/// Headers of a request at most.
const HEADERS_MAX: usize = 32;

/// Where to send what, and how much is kept meanwhile.
#[derive(Debug, Clone)]
pub struct Config {
    /// `HOST:PORT`.
    pub authority: Authority,
    /// What precedes `/v1/traces`; empty, or begins with a slash and ends without.
    pub path: String,
    /// Sent with each request.
    pub headers: Vec<(HeaderName, HeaderValue)>,
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
    pub rule: &'static str,
}

impl Config {
    /// Of the variables that `get` gives; `None` when no endpoint is set, or the SDK
    /// is disabled.
    pub fn of(get: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, Refused> {
        const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
        let Some(endpoint) = get(ENDPOINT) else { return Ok(None) };
        if get("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let refused = |name, value: &str, rule| Refused { name, value: value.chars().take(200).collect(), rule };
        let protocol = get("OTEL_EXPORTER_OTLP_PROTOCOL").unwrap_or_else(|| "http/protobuf".to_owned());
        if protocol != "http/protobuf" {
            return Err(refused("OTEL_EXPORTER_OTLP_PROTOCOL", &protocol, "only http/protobuf is spoken"));
        }
        let rule = "give http://HOST:PORT of a collector; TLS is not spoken";
        let uri: Uri = endpoint.parse().map_err(|_| refused(ENDPOINT, &endpoint, rule))?;
        let authority = uri.authority().filter(|_| uri.scheme_str() == Some("http") && uri.query().is_none());
        let authority = authority.cloned().ok_or_else(|| refused(ENDPOINT, &endpoint, rule))?;
        let headers = match get("OTEL_EXPORTER_OTLP_HEADERS") {
            None => Vec::new(),
            Some(text) => headers(&text).ok_or_else(|| {
                // Its value may be a secret.
                refused("OTEL_EXPORTER_OTLP_HEADERS", "...", "give NAME=VALUE, with commas between; at most 32")
            })?,
        };
        let ratio = match get("OTEL_TRACES_SAMPLER_ARG") {
            None => 1.0,
            Some(text) => {
                let ratio = text.parse::<f64>().ok().filter(|ratio| (0.0..=1.0).contains(ratio));
                ratio.ok_or_else(|| refused("OTEL_TRACES_SAMPLER_ARG", &text, "give a share from 0 to 1"))?
            }
        };
        let metrics_period = match get("OTEL_METRIC_EXPORT_INTERVAL") {
            None => Duration::from_secs(60),
            Some(text) => {
                let millis = text.parse().ok().filter(|millis| (100..=86_400_000).contains(millis));
                let rule = "give milliseconds from 100 to 86400000";
                Duration::from_millis(millis.ok_or_else(|| refused("OTEL_METRIC_EXPORT_INTERVAL", &text, rule))?)
            }
        };
        Ok(Some(Self {
            authority,
            path: uri.path().trim_end_matches('/').to_owned(),
            headers,
            service_name: get("OTEL_SERVICE_NAME").unwrap_or_else(|| "lamina".to_owned()),
            ratio,
            metrics_period,
            spans_period: Duration::from_secs(1),
            timeout: Duration::from_secs(10),
            queue_max: 8_192,
            batch_max: 512,
        }))
    }
}

fn headers(text: &str) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let pairs = text.split(',').filter(|pair| !pair.trim().is_empty());
    let headers: Option<Vec<_>> = pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=')?;
            Some((name.trim().parse().ok()?, value.trim().parse().ok()?))
        })
        .collect();
    headers.filter(|headers| headers.len() <= HEADERS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Option<Config>, Refused> {
        Config::of(|name| {
            let found = variables.iter().find(|(other, _)| *other == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn settings_are_those_of_opentelemetry() {
        assert!(of(&[]).unwrap().is_none());
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318/otel/");
        assert!(of(&[endpoint, ("OTEL_SDK_DISABLED", "true")]).unwrap().is_none());
        let more = [endpoint, ("OTEL_EXPORTER_OTLP_HEADERS", "x-a=1, X-B = 2"), ("OTEL_TRACES_SAMPLER_ARG", "0.25")];
        let config = of(&more).unwrap().unwrap();
        assert_eq!((config.authority.as_str(), config.path.as_str()), ("127.0.0.1:4318", "/otel"));
        assert_eq!((config.headers.len(), config.headers[1].0.as_str(), config.ratio), (2, "x-b", 0.25));
    }

    #[test]
    fn settings_that_cannot_be_are_refused_by_name() {
        for (name, value) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://h:1"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "h:1"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h:1/?q"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "secret"),
            ("OTEL_TRACES_SAMPLER_ARG", "2"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "0"),
        ] {
            let refused = of(&[(name, value), ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h:1")]).unwrap_err();
            assert_eq!(refused.name, name);
            assert!(!refused.to_string().contains("secret"));
        }
    }
}
