//! The processes under load, and the CPU time they take.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

/// Time for a version's snapshot to be made.
const SNAPSHOT_MAX: Duration = Duration::from_secs(180);

/// A server on its own; ended when dropped.
pub(crate) struct Server {
    child: Child,
    /// `HOST:PORT`.
    pub(crate) address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Bare hyper, as this program's own second self; see [`crate::baseline::serve`]
    /// for the arguments.
    pub(crate) fn baseline(arguments: &[&str]) -> anyhow::Result<Self> {
        Self::itself("--baseline", arguments)
    }

    /// Bare hyper that streams.
    pub(crate) fn streaming_baseline() -> anyhow::Result<Self> {
        Self::itself("--stream-baseline", &[])
    }

    /// A program that prints `HOST:PORT` when it listens.
    pub(crate) fn saying_its_address(command: &mut Command) -> anyhow::Result<Self> {
        let mut child = command.stdout(Stdio::piped()).stdin(Stdio::null()).spawn()?;
        let output = child.stdout.take().context("the server has no output")?;
        let mut address = String::new();
        BufReader::new(output).read_line(&mut address)?;
        Ok(Self { child, address: address.trim().to_owned() })
    }

    /// A program that listens there.
    pub(crate) fn at(command: &mut Command, address: String) -> anyhow::Result<Self> {
        let child = command.stdout(Stdio::null()).stdin(Stdio::null()).spawn()?;
        let server = Self { child, address };
        for _ in 0..600 {
            if TcpStream::connect(&server.address).is_ok() {
                return Ok(server);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("nobody listens at {}", server.address)
    }

    fn itself(what: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        let program = std::env::current_exe()?;
        Self::saying_its_address(Command::new(program).arg(what).args(arguments))
    }

    /// Bytes of memory that are its own now.
    pub(crate) fn memory(&self) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let kib = line.and_then(|line| line.split_whitespace().next()).context("the kernel says no RssAnon")?;
        Ok(kib.parse::<u64>()? << 10)
    }

    /// CPU time of all threads so far.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let mut nanos = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            // A thread may end while we look.
            let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
            nanos += text.split(' ').next().unwrap_or_default().parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanos))
    }
}

/// A platform on an empty directory, with one trusted key, as a user has it.
pub(crate) struct Platform {
    /// The server.
    pub(crate) server: Server,
    dir: tempfile::TempDir,
}

impl Platform {
    /// Starts it, with more arguments of `serve`, and makes the key.
    pub(crate) fn start(arguments: &[&str]) -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()?;
        let data = dir.path().join("data");
        let mut command = Command::new(lamina());
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&data).args(arguments);
        command.env("LAMINA_LOG", "error").stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.spawn().context("starting the platform")?;
        let mut server = Server { child, address: String::new() };
        server.address = endpoint(&mut server.child, &data)?;
        let platform = Self { server, dir };
        let key = platform.path("key.pem");
        platform.lamina(&["keys", "new", &key])?;
        platform.lamina(&["trust", "add", &format!("{key}.pub")])?;
        Ok(platform)
    }

    /// Deploys a folder of source files with a public URL, signed; answers the URL's id.
    pub(crate) fn deploy_folder(&self, name: &str, folder: &Path, options: &[&str]) -> anyhow::Result<String> {
        let (folder, key) = (folder.display().to_string(), self.path("key.pem"));
        let arguments = [&["deploy", name, &folder, "--key", &key, "--url"], options].concat();
        url_id(&self.lamina(&arguments)?)
    }

    /// What the function's URL answers.
    pub(crate) fn get(&self, id: &str) -> anyhow::Result<String> {
        self.getting(id)?.answer()
    }

    /// Asks the function's URL.
    pub(crate) fn getting(&self, id: &str) -> anyhow::Result<Asked> {
        let mut stream = TcpStream::connect(&self.server.address)?;
        write!(stream, "GET /_url/{id}/ HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.server.address)?;
        Ok(Asked(stream))
    }

    /// Invokes a function through the API; answers its payload.
    pub(crate) fn call(&self, name: &str, event: &str) -> anyhow::Result<String> {
        Ok(self.lamina(&["invoke", name, "--payload", event])?["Payload"].to_string())
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    /// Runs the command line against it.
    pub(crate) fn lamina(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        // Some commands have nothing to say.
        Ok(serde_json::from_str(&self.lamina_text(arguments)?).unwrap_or(Value::Null))
    }

    fn lamina_text(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = Command::new(lamina())
            .args(arguments)
            .args(["--output", "json"])
            .env("LAMINA_DATA", self.path("data"))
            .output()?;
        if !output.status.success() {
            bail!("lamina {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// The log lines of a function that match the pattern.
    pub(crate) fn log(&self, name: &str, pattern: &str) -> anyhow::Result<Vec<String>> {
        let text = self.lamina_text(&["logs", name, "--filter", pattern])?;
        let message = |line: &str| {
            let line: Value = serde_json::from_str(line)?;
            Ok(line["Message"].as_str().unwrap_or_default().to_owned())
        };
        text.lines().map(message).collect()
    }

    /// UpdateFunctionConfiguration.
    pub(crate) fn configure(&self, name: &str, settings: &Value) -> anyhow::Result<()> {
        let path = format!("/2015-03-31/functions/{name}/configuration");
        self.api("PUT", &path, settings)?;
        // Until then calls run with what was before.
        let began = Instant::now();
        while self.api("GET", &path, &Value::Null)?["LastUpdateStatus"] == "InProgress" {
            anyhow::ensure!(began.elapsed() < SNAPSHOT_MAX, "{name} is still being updated");
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// Publishes a version that has its snapshot; answers its number.
    pub(crate) fn snap_started(&self, name: &str) -> anyhow::Result<String> {
        self.configure(name, &json!({ "SnapStart": { "ApplyOn": "PublishedVersions" } }))?;
        let published = self.api("POST", &format!("/2015-03-31/functions/{name}/versions"), &json!({}))?;
        let version = published["Version"].as_str().unwrap_or_default();
        let path = format!("/2015-03-31/functions/{name}/configuration?Qualifier={version}");
        let began = Instant::now();
        loop {
            let configuration = self.api("GET", &path, &Value::Null)?;
            match (configuration["State"].as_str(), configuration.pointer("/SnapStart/OptimizationStatus")) {
                (Some("Active"), Some(status)) if status == "On" => break,
                (Some("Pending"), _) if began.elapsed() < SNAPSHOT_MAX => std::thread::sleep(Duration::from_millis(50)),
                _ => bail!("{name} has no snapshot: {configuration}"),
            }
        }
        Ok(version.to_owned())
    }

    /// Invokes a version again and again for this long, each call after the last one's
    /// answer; answers how many there were.
    pub(crate) fn calls(&self, name: &str, version: &str, event: &Value, time: Duration) -> anyhow::Result<usize> {
        let path = format!("/2015-03-31/functions/{name}/invocations?Qualifier={version}");
        let client = self.client()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let (began, mut calls) = (Instant::now(), 0);
            while began.elapsed() < time {
                let reply = client.json("POST", &path, event).await;
                if reply.status != 200 || reply.headers.contains_key("x-amz-function-error") {
                    bail!("{name}: {} {}", reply.status, reply.text());
                }
                calls += 1;
            }
            Ok(calls)
        })
    }

    fn client(&self) -> anyhow::Result<harness::Client> {
        let credentials: Value = serde_json::from_str(&fs::read_to_string(self.path("data/credentials.json"))?)?;
        let text = |name: &str| credentials[name].as_str().unwrap_or_default().to_owned();
        Ok(harness::Client {
            authority: self.server.address.clone(),
            region: "us-east-1".to_owned(),
            service: "lambda".to_owned(),
            access_key_id: text("AccessKeyId"),
            secret_access_key: text("SecretAccessKey"),
            time: None,
        })
    }

    /// A call of the API, which must succeed.
    fn api(&self, method: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
        let client = self.client()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let reply = runtime.block_on(async {
            match body.is_null() {
                true => client.get(path).await,
                false => client.json(method, path, body).await,
            }
        });
        if !(200..300).contains(&reply.status) {
            bail!("{method} {path}: {} {}", reply.status, reply.text());
        }
        Ok(reply.json())
    }

    /// How many packages have their bundle.
    pub(crate) fn bundles(&self) -> usize {
        fs::read_dir(self.path("data/artifacts/derived/bundles")).map_or(0, Iterator::count)
    }

    /// Deploys a component with a public URL; answers the URL's id.
    pub(crate) fn deploy(&self, name: &str, component: &[u8]) -> anyhow::Result<String> {
        self.deploy_with(name, component, &[])
    }

    /// The same with more options of `lamina deploy`.
    pub(crate) fn deploy_with(&self, name: &str, component: &[u8], options: &[&str]) -> anyhow::Result<String> {
        let file = self.path(&format!("{name}.wasm"));
        fs::write(&file, component)?;
        let key = self.path("key.pem");
        let arguments = [&["deploy", name, &file, "--key", &key, "--url"], options].concat();
        url_id(&self.lamina(&arguments)?)
    }
}

/// The id in the URL of what `lamina deploy` says.
fn url_id(deployed: &Value) -> anyhow::Result<String> {
    let url = deployed["FunctionUrl"].as_str().context("the deployment has no FunctionUrl")?;
    let host = url.split("//").nth(1).unwrap_or_default();
    Ok(host.split('.').next().unwrap_or_default().to_owned())
}

/// A request that is under way.
pub(crate) struct Asked(TcpStream);

impl Asked {
    /// Waits for the whole answer, which must be 200.
    pub(crate) fn answer(mut self) -> anyhow::Result<String> {
        let mut text = String::new();
        self.0.read_to_string(&mut text)?;
        match text.split_once("\r\n\r\n") {
            Some((head, body)) if head.starts_with("HTTP/1.1 200 ") => Ok(body.to_owned()),
            _ => bail!("not answered with 200: {text}"),
        }
    }
}

pub(crate) fn lamina() -> PathBuf {
    env!("CARGO_BIN_EXE_lamina-tested").into()
}

fn endpoint(child: &mut Child, data: &Path) -> anyhow::Result<String> {
    for _ in 0..600 {
        if let Ok(text) = fs::read_to_string(data.join("endpoint"))
            && let Some(address) = text.lines().next().and_then(|url| url.split_once("://"))
        {
            return Ok(address.1.to_owned());
        }
        if let Some(status) = child.try_wait()? {
            bail!("the platform ended: {status}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    bail!("the platform did not start within 30 s")
}
