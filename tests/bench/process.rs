//! The processes under load, and the CPU time they take.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::Value;

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

    fn itself(what: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        let program = std::env::current_exe()?;
        let mut child =
            Command::new(program).arg(what).args(arguments).stdout(Stdio::piped()).stdin(Stdio::null()).spawn()?;
        let output = child.stdout.take().context("the baseline has no output")?;
        let mut address = String::new();
        BufReader::new(output).read_line(&mut address)?;
        Ok(Self { child, address: address.trim().to_owned() })
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

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    /// Runs the command line against it.
    pub(crate) fn lamina(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let output = Command::new(lamina())
            .args(arguments)
            .args(["--output", "json"])
            .env("LAMINA_DATA", self.path("data"))
            .output()?;
        if !output.status.success() {
            bail!("lamina {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        // Some commands have nothing to say.
        Ok(serde_json::from_slice(&output.stdout).unwrap_or(Value::Null))
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
        let deployed = self.lamina(&arguments)?;
        let url = deployed["FunctionUrl"].as_str().context("the deployment has no FunctionUrl")?;
        let host = url.split("//").nth(1).unwrap_or_default();
        Ok(host.split('.').next().unwrap_or_default().to_owned())
    }
}

fn lamina() -> PathBuf {
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
