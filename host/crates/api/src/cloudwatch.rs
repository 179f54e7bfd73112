//! CloudWatch's metrics, for those who ask the same endpoint: ListMetrics,
//! GetMetricStatistics and GetMetricData, in the three protocols that clients speak
//! (CBOR, JSON and query).
//!
//! A request is CloudWatch's when it is signed for `monitoring`. Metrics are those
//! of the namespace AWS/Lambda: by the minute from memory, by the hour from the
//! ledger.

mod operations;
mod protocol;
mod series;

use http::request::Parts;
use lamina_types::RequestId;
use lamina_wire::monitoring::{GetMetricData, GetMetricStatistics, ListMetrics, Refused};
use lamina_wire::tree::Tree;

use self::protocol::{Asked, Protocol};
use crate::answer::Answer;
use crate::auth::{self, Scope};
use crate::body::{self, Bounds, Pace, Unreadable};
use crate::request::{Arrived, Shared};

/// The signing name.
const SERVICE: &str = "monitoring";
/// 500 queries, with room.
const REQUEST_BYTES_MAX: usize = 1 << 20;

/// Why there is no answer: the model's name, the query protocol's code, and a text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Failure {
    status: u16,
    name: &'static str,
    code: &'static str,
    text: String,
}

impl Failure {
    fn new(status: u16, (name, code): (&'static str, &'static str), text: impl Into<String>) -> Self {
        Self { status, name, code, text: text.into() }
    }

    fn malformed(text: impl Into<String>) -> Self {
        Self::new(400, ("SerializationException", "MalformedInput"), text)
    }

    fn internal(log: &str) -> Self {
        tracing::error!("metrics could not be answered: {log}");
        Self::new(500, ("InternalServiceFault", "InternalServiceError"), "The service encountered an internal error.")
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        let names = match &refused {
            Refused::Value(_) => ("InvalidParameterValueException", "InvalidParameterValue"),
            Refused::Missing(_) => ("MissingRequiredParameterException", "MissingParameter"),
            Refused::Combination(_) => ("InvalidParameterCombinationException", "InvalidParameterCombination"),
        };
        Self::new(400, names, refused.to_string())
    }
}

impl From<auth::sigv4::AuthError> for Failure {
    fn from(error: auth::sigv4::AuthError) -> Self {
        use auth::sigv4::AuthError;
        let names = match &error {
            AuthError::Missing => ("MissingAuthenticationTokenException", "MissingAuthenticationToken"),
            AuthError::Incomplete(_) => ("IncompleteSignatureException", "IncompleteSignature"),
            AuthError::Mismatch | AuthError::Scope(_) => ("InvalidSignatureException", "SignatureDoesNotMatch"),
            AuthError::UnknownKey => ("UnrecognizedClientException", "InvalidClientTokenId"),
        };
        Self::new(403, names, error.to_string())
    }
}

/// Whether a request is for CloudWatch.
pub(crate) fn is_addressed(parts: &Parts) -> bool {
    let header = parts.headers.get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    header.is_some_and(|text| text.contains("/monitoring/aws4_request"))
}

/// Answers a request, or says why not in its own protocol.
pub(crate) async fn answer(shared: &Shared, arrived: Arrived) -> Answer {
    let protocol = Protocol::of(&arrived.head.parts);
    let id = arrived.head.id.clone();
    match perform(shared, arrived, protocol).await {
        Ok((operation, tree)) => protocol.answer(&operation, &tree, &id),
        Err(failure) => protocol.failure(&failure, &id),
    }
}

async fn perform(shared: &Shared, arrived: Arrived, protocol: Protocol) -> Result<(String, Tree), Failure> {
    let Arrived { head, body: incoming } = arrived;
    let parts = head.parts;
    let claimed = {
        let catalog = shared.deps.registry.catalog();
        let scope = Scope { region: shared.config.region.as_str(), service: SERVICE };
        auth::claim(&parts, &catalog, scope, shared.now().seconds())?
    };
    let bounds = Bounds {
        bytes_max: REQUEST_BYTES_MAX,
        pace: Pace::whole(&shared.config.limits),
        room: Some(&shared.room),
        hash: true,
    };
    let body = body::read(incoming, bounds).await.map_err(|error| match error {
        Unreadable::TooLarge => Failure::new(
            413,
            ("RequestEntityTooLargeException", "RequestEntityTooLarge"),
            format!("Request must be smaller than {REQUEST_BYTES_MAX} bytes"),
        ),
        Unreadable::TooSlow => {
            Failure::new(408, ("RequestTimeoutException", "RequestTimeout"), "The body did not arrive in time.")
        }
        Unreadable::NoRoom => Failure::new(
            429,
            ("ThrottlingException", "Throttling"),
            "Too many bytes of requests are on their way; try again.",
        ),
        Unreadable::Broken(_) => Failure::malformed("The request's body broke off."),
    })?;
    let principal = claimed.verify(&parts, &body)?;
    let Asked { operation, value } = protocol.read(&parts, &body.bytes).map_err(Failure::malformed)?;
    let deny = |_| Failure::new(403, ("AccessDeniedException", "AccessDenied"), "Access is denied.");
    let tree = match operation.as_str() {
        "ListMetrics" => {
            auth::permit(&principal, "cloudwatch:ListMetrics").map_err(deny)?;
            operations::list(shared, ListMetrics::read(value)?).await?
        }
        "GetMetricStatistics" => {
            auth::permit(&principal, "cloudwatch:GetMetricStatistics").map_err(deny)?;
            operations::statistics(shared, GetMetricStatistics::read(value)?).await?
        }
        "GetMetricData" => {
            auth::permit(&principal, "cloudwatch:GetMetricData").map_err(deny)?;
            operations::data(shared, GetMetricData::read(value)?).await?
        }
        other => {
            let other: String = other.chars().take(100).collect();
            let text =
                format!("{other} is not supported: there are ListMetrics, GetMetricStatistics and GetMetricData");
            return Err(Failure::new(400, ("UnknownOperationException", "InvalidAction"), text));
        }
    };
    Ok((operation, tree))
}

/// What a text of the query protocol's envelope needs.
fn envelope(xml: &mut String, name: &str, id: &RequestId, content: impl FnOnce(&mut String)) {
    use lamina_wire::tree::element;
    xml.push_str("<?xml version=\"1.0\"?>\n<");
    xml.push_str(name);
    xml.push_str(" xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\">");
    content(xml);
    match name {
        "ErrorResponse" => element(xml, "RequestId", |xml| xml.push_str(id.as_str())),
        _ => element(xml, "ResponseMetadata", |xml| element(xml, "RequestId", |xml| xml.push_str(id.as_str()))),
    }
    xml.push_str("</");
    xml.push_str(name);
    xml.push('>');
}
