//! Functions of a platform under test, by the REST API.

use std::time::{Duration, Instant};

use ::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::http::{self, Open, Reply};
use crate::platform::Platform;

/// Time for a component to be compiled, on a machine that is busy.
const READY_MAX: Duration = Duration::from_secs(180);
/// Time for a line to be in the log.
const LOG_MAX: Duration = Duration::from_secs(30);

/// The tail of the log that an answer carries.
pub fn tail(reply: &Reply) -> String {
    let tail = STANDARD.decode(reply.header("x-amz-log-result")).expect("the tail is base64");
    String::from_utf8_lossy(&tail).into_owned()
}

/// CreateFunction's body, to be changed by the test that wants more.
pub fn creation(name: &str, code: &[u8]) -> Value {
    json!({
        "FunctionName": name,
        "Runtime": "provided.al2023",
        "Handler": "bootstrap.wasm",
        "Role": "arn:aws:iam::000000000000:role/test",
        "Code": { "ZipFile": STANDARD.encode(code) },
    })
}

/// One event of a function's log.
#[derive(Debug, Clone)]
pub struct Logged {
    /// The log stream.
    pub stream: String,
    /// The line.
    pub message: String,
}

/// A function's URL.
#[derive(Debug, Clone)]
pub struct Url {
    /// As the API gave it.
    pub url: String,
    /// The first label of its host name.
    pub id: String,
    authority: String,
}

impl Url {
    /// Sends a request by path.
    pub async fn send(&self, method: &str, path: &str, body: impl Into<Bytes>) -> Reply {
        self.request(http::request(method, path, body)).await
    }

    /// Sends a GET by path.
    pub async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, "").await
    }

    /// Sends a request with headers of its own, by path.
    pub async fn request(&self, request: Request<Bytes>) -> Reply {
        http::send(&self.authority, self.addressed(request)).await
    }

    /// The same, with the body not read yet.
    pub async fn open(&self, request: Request<Bytes>) -> Open {
        http::open(&self.authority, self.addressed(request)).await
    }

    /// Sends a request by the Host header.
    pub async fn by_host(&self, mut request: Request<Bytes>) -> Reply {
        let host = self.url.trim_start_matches("http://").trim_end_matches('/');
        request.headers_mut().insert("host", host.parse().expect("a host is a header's value"));
        http::send(&self.authority, request).await
    }

    /// Where clients that cannot resolve the host name find it.
    pub fn by_path(&self, path: &str) -> String {
        format!("http://{}/_url/{}{path}", self.authority, self.id)
    }

    /// Announces a body of `length` bytes by path, and sends none.
    pub async fn announce(&self, path: &str, length: usize) -> Reply {
        http::announce(&self.authority, self.addressed(http::request("POST", path, "")), length).await
    }

    fn addressed(&self, mut request: Request<Bytes>) -> Request<Bytes> {
        let path = format!("/_url/{}{}", self.id, request.uri());
        *request.uri_mut() = path.parse().expect("a path");
        request
    }
}

impl Platform {
    /// Creates a function and waits until it is active.
    pub async fn create(&self, creation: &Value) {
        self.client.json("POST", "/2015-03-31/functions", creation).await.expect(201);
        self.active(creation["FunctionName"].as_str().expect("a name")).await;
    }

    /// Signs the component and creates a function of it.
    pub async fn deploy(&self, name: &str, component: &[u8]) {
        self.create(&creation(name, &self.sign(component))).await;
    }

    /// Waits until nothing is being done to the function; answers its configuration.
    pub async fn active(&self, name: &str) -> Value {
        let begun = Instant::now();
        loop {
            let path = format!("/2015-03-31/functions/{name}/configuration");
            let configuration = self.client.get(&path).await.expect(200).json();
            let (state, update) = (&configuration["State"], &configuration["LastUpdateStatus"]);
            if state == "Active" && update != "InProgress" {
                return configuration;
            }
            assert_ne!(state, "Failed", "{configuration}");
            assert!(begun.elapsed() < READY_MAX, "not active after {READY_MAX:?}: {configuration}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Invokes a function.
    pub async fn invoke(&self, name: &str, event: &Value) -> Reply {
        self.client.json("POST", &format!("/2015-03-31/functions/{name}/invocations"), event).await
    }

    /// Invokes a function and asks for the tail of its log, which comes decoded.
    pub async fn invoke_tail(&self, name: &str, event: &Value) -> (Reply, String) {
        let path = format!("/2015-03-31/functions/{name}/invocations");
        let mut request = http::request("POST", &path, event.to_string());
        request.headers_mut().insert("x-amz-log-type", "Tail".parse().expect("a word"));
        let reply = self.client.send(request).await;
        let tail = tail(&reply);
        (reply, tail)
    }

    /// Gives the function a URL that everybody may call.
    pub async fn url(&self, name: &str, mode: &str) -> Url {
        let url = self.private_url(name, mode).await;
        self.publish_url(name).await;
        url
    }

    /// Gives the function a URL that nobody may call yet.
    pub async fn private_url(&self, name: &str, mode: &str) -> Url {
        let body = json!({ "AuthType": "NONE", "InvokeMode": mode });
        let path = format!("/2021-10-31/functions/{name}/url");
        let answer = self.client.json("POST", &path, &body).await.expect(201).json();
        let url = answer["FunctionUrl"].as_str().expect("a URL").to_owned();
        let id = url.trim_start_matches("http://").split('.').next().unwrap_or_default().to_owned();
        Url { url, id, authority: self.client.authority.clone() }
    }

    /// Lets everybody call the function's URL: both statements that Lambda wants.
    pub async fn publish_url(&self, name: &str) {
        let path = format!("/2015-03-31/functions/{name}/policy");
        for body in [
            json!({ "StatementId": "url", "Action": "lambda:InvokeFunctionUrl", "Principal": "*", "FunctionUrlAuthType": "NONE" }),
            json!({ "StatementId": "call", "Action": "lambda:InvokeFunction", "Principal": "*", "InvokedViaFunctionUrl": true }),
        ] {
            self.client.json("POST", &path, &body).await.expect(201);
        }
    }

    /// Everything in the function's log.
    pub async fn logs(&self, name: &str) -> Vec<Logged> {
        let path = format!("/lamina/v1/logs/%2Faws%2Flambda%2F{name}?Limit=10000");
        let answer = self.client.get(&path).await.expect(200).json();
        let text = |event: &Value, member: &str| event[member].as_str().expect("text").to_owned();
        let events = answer["Events"].as_array().expect("a list");
        events.iter().map(|event| Logged { stream: text(event, "Stream"), message: text(event, "Message") }).collect()
    }

    /// Waits until the function's log has a line with `text` in it; answers all lines.
    pub async fn logged(&self, name: &str, text: &str) -> Vec<String> {
        let begun = Instant::now();
        loop {
            let lines: Vec<String> = self.logs(name).await.into_iter().map(|event| event.message).collect();
            if lines.iter().any(|line| line.contains(text)) {
                return lines;
            }
            assert!(begun.elapsed() < LOG_MAX, "`{text}` is not in the log after {LOG_MAX:?}: {lines:#?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
