//! A client of the REST API that signs as AWS's own do, with AWS's own code.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::Request;
use serde_json::Value;

use crate::http::{Reply, request, send};

/// Where a platform is, and who calls it.
#[derive(Debug, Clone)]
pub struct Client {
    /// `HOST:PORT`.
    pub authority: String,
    /// The region in signatures.
    pub region: String,
    /// The service in signatures: `lambda`.
    pub service: String,
    /// The access key's id.
    pub access_key_id: String,
    /// The access key's secret.
    pub secret_access_key: String,
    /// The time in signatures, when it is not now.
    pub time: Option<SystemTime>,
}

impl Client {
    /// Signs and sends a request with this body.
    pub async fn call(&self, method: &str, path: &str, body: impl Into<Bytes>) -> Reply {
        self.send(request(method, path, body)).await
    }

    /// Signs and sends a request with a JSON body.
    pub async fn json(&self, method: &str, path: &str, body: &Value) -> Reply {
        self.call(method, path, body.to_string()).await
    }

    /// Signs and sends a GET.
    pub async fn get(&self, path: &str) -> Reply {
        self.call("GET", path, "").await
    }

    /// Signs a request, every header it has included, and sends it.
    pub async fn send(&self, request: Request<Bytes>) -> Reply {
        send(&self.authority, self.signed(request)).await
    }

    /// The request with a signature on it.
    pub fn signed(&self, mut request: Request<Bytes>) -> Request<Bytes> {
        request.headers_mut().insert("host", self.authority.parse().expect("an authority is a header's value"));
        let credentials = Credentials::new(&self.access_key_id, &self.secret_access_key, None, None, "tests");
        let identity = credentials.into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(&self.service)
            .time(self.time.unwrap_or_else(SystemTime::now))
            .settings(SigningSettings::default())
            .build()
            .expect("nothing is missing")
            .into();
        let uri = format!("http://{}{}", self.authority, request.uri());
        let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().expect("text")));
        let body = SignableBody::Bytes(request.body());
        let signable =
            SignableRequest::new(request.method().as_str(), uri, headers, body).expect("a request that can be signed");
        let (instructions, _) = sign(signable, &params).expect("a signature").into_parts();
        instructions.apply_to_request_http1x(&mut request);
        request
    }
}
