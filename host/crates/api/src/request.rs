//! One HTTP request: which door it came to, and its answer with an id on it.

use std::net::SocketAddr;
use std::sync::Arc;

use http::request::Parts;
use http::uri::Scheme;
use http::{HeaderValue, Method, Request, StatusCode, Version};
use hyper::body::Incoming;
use lamina_deploy::Deployer;
use lamina_kit::Tasks;
use lamina_registry::Registry;
use lamina_types::{Actor, RequestId, Timestamp};
use lamina_wire::Owner;
use lamina_wire::object::Object;
use tokio::sync::{Semaphore, watch};

use crate::answer::{self, Answer};
use crate::auth::{self, Claimed, Principal, Scope};
use crate::body::{self, Body, Bounds, Pace, Room, Unreadable};
use crate::config::{Config, Deps};
use crate::error::{ApiError, exception};
use crate::logs::search::Searcher;
use crate::router::{self, Operation, Route};
use crate::server::Phase;
use crate::tls::Spoken;
use crate::{admin, cloudwatch, function_url, invoke, logs, manage};

/// What every request shares.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) deps: Deps,
    /// What ARNs begin with.
    pub(crate) owner: Owner,
    /// Calls whose clients have left.
    pub(crate) tasks: Tasks,
    /// For bodies on their way.
    pub(crate) room: Room,
    pub(crate) phase: watch::Receiver<Phase>,
    /// Searches of the logs.
    pub(crate) searcher: Searcher,
    /// Live tails that may run.
    pub(crate) tails: Arc<Semaphore>,
}

impl Shared {
    /// The time, as the platform's clock has it.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp(self.deps.clock.epoch_micros())
    }

    /// Completes when the server begins to drain: what only waits should stop.
    pub(crate) async fn draining(&self) {
        // Also when the server is gone.
        let _ = self.phase.clone().wait_for(|phase| *phase != Phase::Serving).await;
    }
}

/// Both ends of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    /// The client's address.
    pub(crate) address: SocketAddr,
    /// Our port.
    pub(crate) port: u16,
    /// What was agreed on, where the connection is of TLS.
    pub(crate) spoken: Option<Spoken>,
}

impl Peer {
    /// The client's address without its port.
    pub(crate) fn ip(&self) -> String {
        self.address.ip().to_canonical().to_string()
    }
}

/// A request that nothing is known of yet.
pub(crate) struct Arrived {
    pub(crate) head: Box<Head>,
    pub(crate) body: Incoming,
}

/// What precedes a request's body, in a box: it is handed on from one future to the
/// next, and each has room for what it was given and for what it gives.
pub(crate) struct Head {
    pub(crate) peer: Peer,
    pub(crate) parts: Parts,
    pub(crate) id: RequestId,
}

/// A request to the API, believed and read.
pub(crate) struct Call<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) principal: Principal,
    pub(crate) parts: Parts,
    /// The path's variable segments, decoded.
    pub(crate) segments: Vec<String>,
    pub(crate) body: Body,
    pub(crate) id: RequestId,
}

impl<'a> Call<'a> {
    /// What ARNs begin with.
    pub(crate) fn owner(&self) -> &'a Owner {
        &self.shared.owner
    }

    /// In whose name its changes are made.
    pub(crate) fn actor(&self) -> Actor {
        Actor { principal: self.principal.access_key_id.clone(), request: Some(self.id.clone()) }
    }

    /// The records, changed in the caller's name.
    pub(crate) fn registry(&self) -> Registry {
        self.shared.deps.registry.acting(self.actor())
    }

    /// The deployer, in the caller's name.
    pub(crate) fn deployer(&self) -> Deployer {
        self.shared.deps.deployer.acting(self.actor())
    }

    /// A variable segment; the router has counted them.
    pub(crate) fn segment(&self, at: usize) -> &str {
        self.segments.get(at).map_or("", String::as_str)
    }

    /// The query string.
    pub(crate) fn query(&self) -> lamina_wire::query::Query {
        lamina_wire::query::Query::parse(self.parts.uri.query().unwrap_or_default())
    }

    /// The Host header.
    pub(crate) fn host(&self) -> &str {
        host(&self.parts).unwrap_or("localhost")
    }
}

/// The host that a request is for.
pub(crate) fn host(parts: &Parts) -> Option<&str> {
    let header = parts.headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
    header.or_else(|| parts.uri.authority().map(http::uri::Authority::as_str))
}

/// What makes it unclear for whom a request is or where it ends, if anything does: a
/// proxy before us may have understood it otherwise (RFC 9110, 7.2 and 9.3.6; RFC
/// 9112, 3.2 and 6.1).
fn ambiguous(parts: &Parts) -> Option<&'static str> {
    if parts.method == Method::CONNECT {
        return Some("CONNECT is not supported: this is no proxy.");
    }
    let mut hosts = parts.headers.get_all(http::header::HOST).iter();
    let host = match (hosts.next(), hosts.next(), parts.version) {
        (_, Some(_), _) => return Some("The request has more than one Host header."),
        (None, None, Version::HTTP_11) => return Some("The request has no Host header."),
        (None, None, Version::HTTP_2) if parts.uri.authority().is_none() => {
            return Some("The request has no Host header.");
        }
        (host, None, _) => host.map(HeaderValue::as_bytes),
    };
    if host.is_some_and(|host| !is_host(host)) {
        return Some("The request's Host header is neither a name nor an address, with or without a port.");
    }
    let uri = &parts.uri;
    let is_http = uri.scheme().is_none_or(|scheme| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS);
    if !is_http || !uri.path().starts_with('/') {
        return Some("The request's target is neither a path nor an http URL.");
    }
    let named = uri.authority().map(|authority| authority.as_str().as_bytes());
    if let (Some(host), Some(named)) = (host, named)
        && !host.eq_ignore_ascii_case(named)
    {
        return Some("The request's target and its Host header name different hosts.");
    }
    let mut codings = parts.headers.get_all(http::header::TRANSFER_ENCODING).iter();
    let chunked = |coding: &HeaderValue| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
    match (codings.next(), codings.next()) {
        (Some(coding), None) if chunked(coding) => None,
        (None, _) => None,
        _ => Some("The request's Transfer-Encoding may be `chunked` alone."),
    }
}

/// Whether this can stand before a path in a URL: a name or an address, and perhaps
/// a port. Empty is allowed: it names nobody.
fn is_host(host: &[u8]) -> bool {
    let (name, port) = match host.iter().rposition(|b| *b == b':') {
        Some(at) if !host.ends_with(b"]") => {
            (host.get(..at).unwrap_or_default(), host.get(at + 1..).unwrap_or_default())
        }
        _ => (host, &[][..]),
    };
    let bracketed = name.strip_prefix(b"[").and_then(|name| name.strip_suffix(b"]"));
    let is_name = match bracketed {
        Some(address) => {
            !address.is_empty() && address.iter().all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.'))
        }
        None => name.iter().all(|b| b.is_ascii_alphanumeric() || b"-._~!$&'()*+;=".contains(b)),
    };
    is_name && port.iter().all(u8::is_ascii_digit)
}

/// Answers one request.
pub(crate) async fn handle(shared: &Shared, peer: Peer, request: Request<Incoming>) -> Answer {
    let id = RequestId::from_random(shared.deps.ids.random16());
    let (parts, body) = request.into_parts();
    let is_http1 = parts.version < Version::HTTP_2;
    let ambiguous = ambiguous(&parts);
    let mut answer = match ambiguous {
        Some(what) => ApiError::new(exception::INVALID_CONTENT, what).into_answer(&id),
        None => {
            let addressed = function_url::address(host(&parts), parts.uri.path(), shared.config.region.as_str());
            let arrived = Arrived { head: Box::new(Head { peer, parts, id: id.clone() }), body };
            match addressed {
                Some(addressed) => function_url::call(shared, arrived, addressed).await,
                None if cloudwatch::is_addressed(&arrived.head.parts) => {
                    Box::pin(cloudwatch::answer(shared, arrived)).await
                }
                // Apart: its future is large, and would be moved about for every URL.
                None => match logs::operation(&arrived.head.parts) {
                    Some(operation) => {
                        let answered = Box::pin(logged(shared, arrived, &operation)).await;
                        answered.unwrap_or_else(|error| logs::refused(error, &id))
                    }
                    None => Box::pin(api(shared, arrived)).await.unwrap_or_else(|error| error.into_answer(&id)),
                },
            }
        }
    };
    // What follows may be a part of this request: for whoever passed it on, or because
    // its body was not read to its end.
    let unread = matches!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT)
        && answer.headers().contains_key(answer::ERROR_TYPE);
    if is_http1 && (ambiguous.is_some() || unread) {
        answer.headers_mut().insert(http::header::CONNECTION, HeaderValue::from_static("close"));
    }
    answer::identify(&mut answer, &id);
    answer
}

/// CloudWatch Logs' API: signature first, then the operation.
async fn logged(shared: &Shared, arrived: Arrived, operation: &str) -> Result<Answer, ApiError> {
    let Arrived { head, body: incoming } = arrived;
    let Head { parts, id, .. } = *head;
    let claimed = claim(shared, &parts, logs::SERVICE)?;
    let bytes_max = shared.config.payload_bytes_max;
    let bounds = Bounds { bytes_max, pace: Pace::whole(&shared.config.limits), room: Some(&shared.room), hash: true };
    let body = body::read(incoming, bounds).await.map_err(|error| unreadable(error, operation, bytes_max))?;
    let principal = claimed.verify(&parts, &body)?;
    let asked = logs::Asked { shared, principal: &principal, body: &body.bytes, id: &id };
    logs::perform(operation, asked).await
}

fn claim(shared: &Shared, parts: &Parts, service: &str) -> Result<Claimed, ApiError> {
    let scope = Scope { region: shared.config.region.as_str(), service };
    Ok(auth::claim(parts, &shared.deps.registry.catalog(), scope, shared.now().seconds())?)
}

/// The API: signature first, then the operation.
async fn api(shared: &Shared, arrived: Arrived) -> Result<Answer, ApiError> {
    let Arrived { head, body: incoming } = arrived;
    let Head { parts, id, .. } = *head;
    let query = parts.uri.query().unwrap_or_default();
    let route = router::route(&parts.method, parts.uri.path(), query);
    let claimed = claim(shared, &parts, auth::SERVICE)?;
    let bytes_max = match &route {
        Route::Operation(Operation::Invoke | Operation::InvokeWithResponseStream, _) => shared.config.payload_bytes_max,
        _ => shared.config.request_bytes_max,
    };
    let bounds = Bounds { bytes_max, pace: Pace::whole(&shared.config.limits), room: Some(&shared.room), hash: true };
    let body = body::read(incoming, bounds).await.map_err(|error| unreadable(error, named(&route), bytes_max))?;
    let principal = claimed.verify(&parts, &body)?;
    match route {
        Route::Operation(operation, segments) => {
            auth::permit(&principal, operation.action())?;
            if !operation.has_body() {
                Object::parse(&body.bytes)?.finish(operation.name())?;
            }
            perform(operation, Call { shared, principal, parts, segments, body, id }).await
        }
        Route::NotYet(name) => Err(ApiError::new(exception::INVALID_PARAMETER, format!("{name} is not supported yet"))),
        Route::Unknown => Err(ApiError::new(exception::UNKNOWN, "Unknown operation")),
    }
}

/// What an answer about a body calls its operation.
fn named(route: &Route) -> &'static str {
    match route {
        Route::Operation(Operation::Invoke, _) => "InvokeFunction",
        Route::Operation(operation, _) => operation.name(),
        Route::NotYet(name) => name,
        Route::Unknown => "unknown",
    }
}

fn unreadable(error: Unreadable, operation: &str, bytes_max: usize) -> ApiError {
    match error {
        Unreadable::TooLarge => {
            let text = format!("Request must be smaller than {bytes_max} bytes for the {operation} operation");
            ApiError::new(exception::TOO_LARGE, text)
        }
        Unreadable::NoRoom => ApiError::throttled("CallerRateLimitExceeded").with_log(error.to_string()),
        Unreadable::TooSlow => ApiError::new(exception::TIMEOUT, "The request's body did not arrive in time."),
        Unreadable::Broken(reason) => {
            ApiError::new(exception::INVALID_CONTENT, "The request's body broke off.").with_log(reason)
        }
    }
}

/// One place to see every operation.
async fn perform(operation: Operation, call: Call<'_>) -> Result<Answer, ApiError> {
    match operation {
        Operation::Invoke => invoke::perform(call).await,
        Operation::InvokeWithResponseStream => invoke::streamed::perform(call).await,
        Operation::CreateFunction => manage::create_function::perform(call).await,
        Operation::GetFunction => manage::get_function::perform(&call).await,
        Operation::GetFunctionConfiguration => manage::get_function_configuration::perform(&call).await,
        Operation::UpdateFunctionCode => manage::update_function_code::perform(call).await,
        Operation::UpdateFunctionConfiguration => manage::update_function_configuration::perform(call).await,
        Operation::DeleteFunction => manage::delete_function::perform(call).await,
        Operation::ListFunctions => manage::list_functions::perform(&call).await,
        Operation::PublishVersion => manage::publish_version::perform(call).await,
        Operation::ListVersionsByFunction => manage::list_versions_by_function::perform(&call).await,
        Operation::CreateFunctionUrlConfig => manage::create_function_url_config::perform(call).await,
        Operation::GetFunctionUrlConfig => manage::get_function_url_config::perform(&call),
        Operation::UpdateFunctionUrlConfig => manage::update_function_url_config::perform(call).await,
        Operation::DeleteFunctionUrlConfig => manage::delete_function_url_config::perform(call).await,
        Operation::AddPermission => manage::add_permission::perform(call).await,
        Operation::GetPolicy => manage::get_policy::perform(&call),
        Operation::RemovePermission => manage::remove_permission::perform(call).await,
        Operation::GetRuntimeManagementConfig => manage::runtime_management::get(&call),
        Operation::PutRuntimeManagementConfig => manage::runtime_management::put(call).await,
        Operation::ListTags => manage::list_tags::perform(&call),
        Operation::TagResource => manage::tag_resource::perform(call).await,
        Operation::UntagResource => manage::untag_resource::perform(call).await,
        Operation::GetAccountSettings => manage::get_account_settings::perform(&call),
        Operation::ListRuntimes => admin::runtimes::list(&call),
        Operation::InstallRuntime => admin::runtimes::install(call).await,
        Operation::MakeRuntimeCurrent => admin::runtimes::make_current(call).await,
        Operation::RemoveRuntime => admin::runtimes::remove(call).await,
        Operation::ListTrust => admin::trust::list(&call),
        Operation::AddTrust => admin::trust::add(call).await,
        Operation::RevokeTrust => admin::trust::revoke(call).await,
        Operation::GetLogs => admin::logs::perform(call).await,
        Operation::GetCode => admin::code::perform(call).await,
        Operation::GetStatus => admin::status::perform(&call),
        Operation::GetAudit => admin::audit::perform(call).await,
        Operation::Backup => admin::backup::perform(call).await,
        Operation::GetStats => admin::stats::perform(call).await,
        Operation::GetUsage => admin::usage::perform(call).await,
        Operation::GetMeters => admin::meters::perform(&call),
        Operation::RotateSecrets => admin::secrets::perform(call).await,
    }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests {
    use super::*;

    fn check(target: &str, version: Version, headers: &[(&str, &str)], expect: Option<&str>) {
        let (method, target) = target.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).version(version).uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let found = ambiguous(&request.body(()).unwrap().into_parts().0);
        let fits = match (found, expect) {
            (Some(found), Some(expect)) => found.contains(expect),
            (found, expect) => found == expect,
        };
        assert!(fits, "{method} {target} {version:?} {headers:?}: {found:?}");
    }

    #[test]
    fn requests_that_could_be_for_somebody_else_are_refused() {
        let one = [("host", "a")];
        check("GET /", Version::HTTP_11, &one, None);
        check("GET /", Version::HTTP_10, &[], None);
        check("GET http://a/", Version::HTTP_2, &[], None);
        check("GET /", Version::HTTP_2, &[], Some("no Host header"));
        check("GET http://A/", Version::HTTP_11, &one, None);
        check("GET https://a", Version::HTTP_11, &one, None);
        check("GET /", Version::HTTP_11, &[], Some("no Host header"));
        check("GET /", Version::HTTP_11, &[("host", "a"), ("host", "a")], Some("more than one Host"));
        check("CONNECT a:1", Version::HTTP_11, &one, Some("CONNECT is not supported"));
        check("GET http://b/", Version::HTTP_11, &one, Some("different hosts"));
        for target in ["OPTIONS *", "GET a", "GET a:1", "GET ftp://a/"] {
            check(target, Version::HTTP_11, &one, Some("neither a path"));
        }
    }

    #[test]
    fn requests_that_could_end_elsewhere_are_refused() {
        let coding = "transfer-encoding";
        check("POST /", Version::HTTP_11, &[("host", "a"), (coding, "Chunked")], None);
        check("POST /", Version::HTTP_11, &[("host", "a"), (coding, "gzip, chunked")], Some("`chunked` alone"));
        check(
            "POST /",
            Version::HTTP_11,
            &[("host", "a"), (coding, "x"), (coding, "chunked")],
            Some("`chunked` alone"),
        );
    }

    #[test]
    fn hosts() {
        for host in ["", "a", "A.b-c_d", "a:1", "a:", "127.0.0.1:80", "[::1]", "[::1]:80", "a.:1"] {
            assert!(is_host(host.as_bytes()), "{host}");
        }
        for host in [
            "a b", "a/b", "a@b", "a?b", "a#b", "a\\b", "a,b", "\"a\"", "a:b", "a:1:2", "[::1", "::1]", "[]", "[a]b",
            "%zz", "\u{e4}",
        ] {
            assert!(!is_host(host.as_bytes()), "{host}");
        }
    }
}
