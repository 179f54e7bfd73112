//! One HTTP request: which door it came to, and its answer with an id on it.

use std::net::SocketAddr;

use http::request::Parts;
use http::{Method, Request, Version};
use hyper::body::Incoming;
use lamina_deploy::Deployer;
use lamina_kit::Tasks;
use lamina_registry::Registry;
use lamina_types::{Actor, RequestId, Timestamp};
use lamina_wire::Owner;
use lamina_wire::object::Object;
use tokio::sync::watch;

use crate::answer::{self, Answer};
use crate::auth::{self, Principal};
use crate::body::{self, Body, Bounds, Unreadable};
use crate::config::{Config, Deps};
use crate::error::{ApiError, exception};
use crate::router::{self, Operation, Route};
use crate::server::Phase;
use crate::{admin, cloudwatch, function_url, invoke, manage};

/// What every request shares.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) deps: Deps,
    /// What ARNs begin with.
    pub(crate) owner: Owner,
    /// Calls whose clients have left.
    pub(crate) tasks: Tasks,
    pub(crate) phase: watch::Receiver<Phase>,
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
}

impl Peer {
    /// The client's address without its port.
    pub(crate) fn ip(&self) -> String {
        self.address.ip().to_canonical().to_string()
    }
}

/// A request that nothing is known of yet.
pub(crate) struct Arrived {
    pub(crate) peer: Peer,
    pub(crate) parts: Parts,
    pub(crate) body: Incoming,
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

/// What makes it unclear for whom a request is, if anything does: a proxy before us
/// may have understood it otherwise (RFC 9110, 7.2 and 9.3.6; RFC 9112, 3.2).
fn ambiguous(parts: &Parts) -> Option<&'static str> {
    let mut hosts = parts.headers.get_all(http::header::HOST).iter();
    match (hosts.next(), hosts.next(), parts.version) {
        _ if parts.method == Method::CONNECT => Some("CONNECT is not supported: this is no proxy."),
        (_, Some(_), _) => Some("The request has more than one Host header."),
        (None, None, Version::HTTP_11) => Some("The request has no Host header."),
        _ => None,
    }
}

/// Answers one request.
pub(crate) async fn handle(shared: &Shared, peer: Peer, request: Request<Incoming>) -> Answer {
    let id = RequestId::from_random(shared.deps.ids.random16());
    let (parts, body) = request.into_parts();
    let mut answer = match ambiguous(&parts) {
        Some(what) => ApiError::new(exception::INVALID_CONTENT, what).into_answer(&id),
        None => {
            let addressed = function_url::address(host(&parts), parts.uri.path(), shared.config.region.as_str());
            let arrived = Arrived { peer, parts, body, id: id.clone() };
            match addressed {
                Some(addressed) => function_url::call(shared, arrived, addressed).await,
                None if cloudwatch::is_addressed(&arrived.parts) => Box::pin(cloudwatch::answer(shared, arrived)).await,
                // Apart: its future is large, and would be moved about for every URL.
                None => Box::pin(api(shared, arrived)).await.unwrap_or_else(|error| error.into_answer(&id)),
            }
        }
    };
    answer::identify(&mut answer, &id);
    answer
}

/// The API: signature first, then the operation.
async fn api(shared: &Shared, arrived: Arrived) -> Result<Answer, ApiError> {
    let Arrived { parts, body: incoming, id, .. } = arrived;
    let query = parts.uri.query().unwrap_or_default();
    let route = router::route(&parts.method, parts.uri.path(), query);
    let claimed = {
        let catalog = shared.deps.registry.catalog();
        let scope = auth::Scope { region: shared.config.region.as_str(), service: auth::SERVICE };
        auth::claim(&parts, &catalog, scope, shared.now().seconds())?
    };
    let bytes_max = match &route {
        Route::Operation(Operation::Invoke | Operation::InvokeWithResponseStream, _) => shared.config.payload_bytes_max,
        _ => shared.config.request_bytes_max,
    };
    let bounds = Bounds { bytes_max, timeout: shared.config.body_timeout, hash: true };
    let body = body::read(incoming, bounds).await.map_err(|error| unreadable(error, &route, bytes_max))?;
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

fn unreadable(error: Unreadable, route: &Route, bytes_max: usize) -> ApiError {
    match error {
        Unreadable::TooLarge => {
            let operation = match route {
                Route::Operation(Operation::Invoke, _) => "InvokeFunction",
                Route::Operation(operation, _) => operation.name(),
                Route::NotYet(name) => name,
                Route::Unknown => "unknown",
            };
            let text = format!("Request must be smaller than {bytes_max} bytes for the {operation} operation");
            ApiError::new(exception::TOO_LARGE, text)
        }
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
        Operation::ListTags => manage::list_tags::perform(&call),
        Operation::TagResource => manage::tag_resource::perform(call).await,
        Operation::UntagResource => manage::untag_resource::perform(call).await,
        Operation::GetAccountSettings => manage::get_account_settings::perform(&call),
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
mod tests {
    use super::*;

    #[test]
    fn requests_that_could_be_for_somebody_else_are_refused() {
        let check = |method: &str, version: Version, hosts: &[&str], expect: Option<&str>| {
            let mut request = Request::builder().method(method).version(version).uri("/");
            for host in hosts {
                request = request.header(http::header::HOST, *host);
            }
            assert_eq!(ambiguous(&request.body(()).unwrap().into_parts().0), expect, "{method} {version:?} {hosts:?}");
        };
        check("GET", Version::HTTP_11, &["a"], None);
        check("GET", Version::HTTP_10, &[], None);
        check("GET", Version::HTTP_11, &[], Some("The request has no Host header."));
        check("GET", Version::HTTP_11, &["a", "a"], Some("The request has more than one Host header."));
        check("CONNECT", Version::HTTP_11, &["a"], Some("CONNECT is not supported: this is no proxy."));
    }
}
