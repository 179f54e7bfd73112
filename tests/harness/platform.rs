//! A platform as a process of its own, on a data directory of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use lamina_signing::{PublicKey, SecretKey};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::options::Options;
use crate::process::{self, Finished, Lines};
use crate::sigv4::Client;

/// Time for a server to listen, on a machine that is busy compiling.
const START_MAX: Duration = Duration::from_secs(60);
/// Time for one command.
const COMMAND_MAX: Duration = Duration::from_secs(120);

/// A running server. It is killed, and its directory removed, when dropped.
#[derive(Debug)]
pub struct Platform {
    /// A client with the first credential; valid until the next start.
    pub client: Client,
    /// `http`, or `https`: then `client` cannot be used, which speaks no TLS.
    scheme: String,
    options: Options,
    folder: TempDir,
    key: SecretKey,
    child: Option<Child>,
    stderr: Lines,
}

impl Platform {
    /// Starts on an empty directory. Unless signatures are off, the platform trusts
    /// one key, the one that [`Platform::sign`] signs with.
    pub async fn start(options: Options) -> Self {
        let platform = Self::untrusting(options);
        if platform.options.signing != "off" {
            platform.trust(&platform.key.public()).await;
        }
        platform
    }

    /// Starts on an empty directory, trusting nobody.
    pub fn untrusting(options: Options) -> Self {
        Self::on(options, |_| {})
    }

    /// Starts on the directory that `prepare` makes at the path it is given.
    pub fn on(options: Options, prepare: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::Builder::new().prefix("lamina-test-").tempdir().expect("a temporary folder");
        let key = SecretKey::from_random(&[7; 32]);
        let client = Client {
            authority: String::new(),
            region: String::new(),
            service: "lambda".into(),
            access_key_id: String::new(),
            secret_access_key: String::new(),
            time: None,
        };
        let mut platform =
            Self { client, scheme: String::new(), options, folder, key, child: None, stderr: Lines::default() };
        prepare(&platform.data());
        platform.start_again();
        platform
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A folder for a test's own files; also HOME of every command.
    pub fn home(&self) -> &Path {
        self.folder.path()
    }

    /// What the server has written to standard error since its first start.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// The endpoint's URL.
    pub fn endpoint(&self) -> String {
        format!("{}://{}", self.scheme, self.client.authority)
    }

    /// The file with the authority of the platform's certificate, where that speaks
    /// TLS with one of [`crate::certificates`].
    pub fn authorities(&self) -> Option<PathBuf> {
        (self.scheme == "https").then(|| self.options.authorities.clone()).flatten()
    }

    /// The key that the platform trusts.
    pub fn key(&self) -> &SecretKey {
        &self.key
    }

    /// The component, signed with the trusted key.
    pub fn sign(&self, component: &[u8]) -> Vec<u8> {
        lamina_signing::sign(component, &self.key).expect("a component that can be signed")
    }

    /// Trusts a key.
    pub async fn trust(&self, key: &PublicKey) {
        let body = json!({ "PublicKey": key.to_pem().expect("a key"), "Name": "tests" });
        self.client.json("POST", "/lamina/v1/trust", &body).await.expect(201);
    }

    /// Starts a server on the same directory; the one before must have ended.
    pub fn start_again(&mut self) {
        assert!(self.child.is_none(), "the platform still runs");
        let data = self.data();
        // One that was killed could not remove it.
        let _ = fs::remove_file(data.join("endpoint"));
        let mut command = self.serve();
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        self.stderr.follow(child.stderr.take().expect("a pipe"));
        let begun = Instant::now();
        let endpoint = loop {
            if let Some(status) = child.try_wait().expect("a child can be waited for") {
                panic!("the server ended with {status}:\n{}", self.stderr());
            }
            match fs::read_to_string(data.join("endpoint")) {
                Ok(text) if text.lines().count() >= 2 && text.ends_with('\n') => break text,
                _ if begun.elapsed() > START_MAX => {
                    let _ = child.kill();
                    panic!("the server does not listen after {START_MAX:?}:\n{}", self.stderr());
                }
                _ => std::thread::sleep(Duration::from_millis(10)),
            }
        };
        self.child = Some(child);
        self.connect(&endpoint);
    }

    fn connect(&mut self, endpoint: &str) {
        let mut lines = endpoint.lines();
        let url = lines.next().unwrap_or_default();
        let (scheme, authority) = url.split_once("://").unwrap_or_else(|| panic!("`{url}` is no endpoint"));
        self.scheme = scheme.to_owned();
        let text = fs::read(self.data().join("credentials.json")).expect("credentials are made before it listens");
        let credentials: Value = serde_json::from_slice(&text).expect("credentials are JSON");
        let member = |name: &str| credentials[name].as_str().unwrap_or_else(|| panic!("no {name}")).to_owned();
        self.client = Client {
            authority: authority.to_owned(),
            region: lines.next().unwrap_or_default().to_owned(),
            access_key_id: member("AccessKeyId"),
            secret_access_key: member("SecretAccessKey"),
            ..self.client.clone()
        };
    }

    /// The command of a server on this directory.
    fn serve(&self) -> Command {
        let mut command = process::command(&self.options.program, self.home());
        command.arg("serve").arg("--data").arg(self.data()).args(["--listen", "127.0.0.1:0"]);
        command.args(["--signing", self.options.signing]).args(&self.options.arguments);
        command.envs(self.options.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    /// Runs a second server on this directory to its end, which must come.
    pub fn serve_again(&self) -> Finished {
        process::run(&mut self.serve(), START_MAX)
    }

    /// Runs a server with these arguments besides on this directory to its end, which
    /// must come. They count before the ones it was started with.
    pub fn serve_with(&self, arguments: &[&str]) -> Finished {
        let mut command = process::command(&self.options.program, self.home());
        command.arg("serve").arg("--data").arg(self.data()).args(["--listen", "127.0.0.1:0"]).args(arguments);
        command.stdin(Stdio::null());
        process::run(&mut command, START_MAX)
    }

    /// Bytes of memory that the server's process holds now.
    pub fn memory_bytes(&self) -> u64 {
        let id = self.child.as_ref().expect("a running server").id();
        let status = fs::read_to_string(format!("/proc/{id}/status")).expect("a process's status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its resident memory");
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kib << 10
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        process::terminate(self.child.as_ref().expect("a running server"));
    }

    /// Waits for the server's own end.
    pub fn ended(&mut self, limit: Duration) -> ExitStatus {
        let child = self.child.as_mut().expect("a running server");
        match process::ended(child, limit) {
            Some(status) => {
                self.child = None;
                status
            }
            None => panic!("the server did not end in {limit:?}:\n{}", self.stderr.text()),
        }
    }

    /// Ends the server as an operator does: SIGTERM, and everything drained.
    pub fn stop(&mut self) {
        self.terminate();
        let status = self.ended(START_MAX);
        assert!(status.success(), "the server ended with {status}:\n{}", self.stderr());
    }

    /// Ends the server as a power switch does.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// The command line that this platform runs.
    pub fn program(&self) -> &Path {
        &self.options.program
    }

    /// Runs the command line against this platform, which it finds by `--data`.
    #[track_caller]
    pub fn cli(&self, arguments: &[&str]) -> Finished {
        self.cli_within(arguments, COMMAND_MAX)
    }

    /// The same, for a command that may take longer than others.
    #[track_caller]
    pub fn cli_within(&self, arguments: &[&str], limit: Duration) -> Finished {
        let mut command = process::command(&self.options.program, self.home());
        command.args(arguments).arg("--data").arg(self.data()).current_dir(self.home());
        process::run(&mut command, limit)
    }

    /// Runs the command line without saying where a platform is.
    #[track_caller]
    pub fn cli_alone(&self, arguments: &[&str]) -> Finished {
        let mut command = process::command(&self.options.program, self.home());
        process::run(command.args(arguments).current_dir(self.home()), COMMAND_MAX)
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- the server's standard error:\n{}\n---", self.stderr());
        }
    }
}
