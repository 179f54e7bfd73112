//! A runtime on a directory of artifacts, functions on it, and calls.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use lamina_artifacts::{Artifacts, PackageFile};
use lamina_disk::{Folder, System};
use lamina_kit::{Clock, RandomIds, SystemClock};
use lamina_runtime::{
    Call, Code, CodeCheck, CodeError, Config, Deps, PackageError, Packages, Refused, RunError, Runtime, StreamHead,
};
use lamina_telemetry::{Logs, LogsConfig, Opening};
use lamina_types::settings::Settings;
use lamina_types::{
    Digest, FunctionError, FunctionRef, Invocation, LogFormat, Managed, MemoryMib, Outcome, Package, RequestId,
    ResolvedFunction, Timestamp, Usage, Version,
};
use serde_json::Value;

pub(crate) const HOST_KEY: [u8; 32] = [7; 32];
pub(crate) const LOG_GROUP: &str = "/aws/lambda/tested";

/// Refuses the digests it was told to.
#[derive(Default)]
pub(crate) struct Gate {
    refused: Mutex<Vec<Digest>>,
    asked: Mutex<Vec<Digest>>,
}

impl Gate {
    pub(crate) fn refuse(&self, digest: Digest) {
        self.refused.lock().unwrap().push(digest);
    }

    /// How often this component was asked about.
    pub(crate) fn asked(&self, digest: &Digest) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| *asked == digest).count()
    }
}

impl CodeCheck for Gate {
    fn check(&self, digest: &Digest, component: &[u8]) -> Result<(), Refused> {
        assert_eq!(Digest::of(component), *digest);
        self.asked.lock().unwrap().push(*digest);
        // Long enough for others to ask meanwhile.
        std::thread::sleep(Duration::from_millis(20));
        match self.refused.lock().unwrap().contains(digest) {
            true => Err(Refused { reason: "its key was revoked".to_owned() }),
            false => Ok(()),
        }
    }
}

/// A runtime and its surroundings. Log lines are a host's own.
pub(crate) struct Host {
    pub(crate) runtime: Runtime,
    pub(crate) artifacts: Artifacts,
    pub(crate) gate: Arc<Gate>,
    pub(crate) logs: Logs,
    pub(crate) clock: Arc<dyn Clock>,
    /// Where instances have their `/tmp`.
    pub(crate) tmp: tempfile::TempDir,
}

/// Packages that the test has unpacked itself.
struct Unpacked;

#[async_trait::async_trait]
impl Packages for Unpacked {
    async fn ready(&self, _package: &Digest) -> Result<(), PackageError> {
        Ok(())
    }
}

/// A directory of this process, in which all its tests compile each guest once.
fn shared_folder() -> &'static Path {
    static FOLDER: OnceLock<(PathBuf, File)> = OnceLock::new();
    let (folder, _) = FOLDER.get_or_init(|| {
        let free = |slot: u32| {
            let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("runtime-it-{slot}"));
            let lock = File::create(folder.with_extension("lock")).unwrap();
            lock.try_lock().ok().map(|()| (folder, lock))
        };
        let (folder, lock) = (0..).find_map(free).unwrap();
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        (folder, lock)
    });
    folder
}

fn shared_artifacts() -> Artifacts {
    static ARTIFACTS: OnceLock<Artifacts> = OnceLock::new();
    ARTIFACTS.get_or_init(|| open_artifacts(shared_folder())).clone()
}

pub(crate) fn open_artifacts(folder: &Path) -> Artifacts {
    let folder = Folder::open(folder, Arc::new(System)).unwrap();
    Artifacts::open(folder, Arc::new(RandomIds), Arc::new(SystemClock::new())).unwrap()
}

impl Host {
    pub(crate) fn new() -> Self {
        Self::with(Config::default())
    }

    /// Tests that run at the same time share the machine: few slots each.
    pub(crate) fn with(config: Config) -> Self {
        Self::on(shared_artifacts(), few(config))
    }

    pub(crate) fn on(artifacts: Artifacts, config: Config) -> Self {
        Self::with_key(artifacts, config, HOST_KEY)
    }

    pub(crate) fn with_key(artifacts: Artifacts, config: Config, key: [u8; 32]) -> Self {
        let (gate, clock) = (Arc::new(Gate::default()), Arc::new(SystemClock::new()));
        let tmp = tempfile::tempdir().unwrap();
        let deps = Deps {
            host_key: key,
            artifacts: artifacts.clone(),
            check: gate.clone(),
            packages: Arc::new(Unpacked),
            tmp: cap_std::fs::Dir::open_ambient_dir(tmp.path(), cap_std::ambient_authority()).unwrap(),
            clock: clock.clone(),
            ids: Arc::new(RandomIds),
        };
        let runtime = Runtime::new(config, deps).unwrap();
        Self { runtime, artifacts, gate, logs: Logs::new(LogsConfig::default()), clock, tmp }
    }

    /// A function with this guest as its code; 3 s and 128 MB as on Lambda.
    pub(crate) async fn function(&self, guest: &str) -> ResolvedFunction {
        self.function_of(&test_guests::component(guest)).await
    }

    pub(crate) async fn function_of(&self, component: &[u8]) -> ResolvedFunction {
        let digest = self.artifacts.put(Bytes::copy_from_slice(component)).await.unwrap();
        ResolvedFunction {
            name: "tested".parse().unwrap(),
            version: Version::Number(7),
            component: digest,
            world: lamina_runtime::inspect(component).unwrap(),
            managed: None,
            memory: MemoryMib(128),
            // Tests share the machine with others: what is about time says so.
            timeout: Duration::from_secs(60),
            environment: Arc::new(BTreeMap::new()),
            log_group: LOG_GROUP.into(),
            log_format: LogFormat::Text,
            settings: Settings::default(),
            region: "eu-central-1".parse().unwrap(),
            account: "123456789012".parse().unwrap(),
            handler: "bootstrap".into(),
            runtime: "provided.al2023".into(),
            snapshot: None,
        }
    }

    /// A function of `guest-managed` with this script as its module `main`.
    pub(crate) async fn managed(&self, script: &str, handler: &str) -> ResolvedFunction {
        let digest = Digest::of(script.as_bytes());
        let content = script.as_bytes().to_vec();
        let file = move || std::iter::once(Ok(PackageFile { name: "main.txt".to_owned(), content: content.clone() }));
        self.artifacts.unpack(&digest, file).unwrap();
        let package = Package { digest, is_zip: true };
        let managed = Managed { package, execution_env: "AWS_Lambda_python3.13".into() };
        ResolvedFunction { managed: Some(managed), handler: handler.into(), ..self.function("guest-managed").await }
    }

    /// Runs a managed function and collects its answer, streamed or not.
    pub(crate) async fn run_managed(&self, function: &ResolvedFunction, event: &str) -> (Called, Option<StreamHead>) {
        let call = self.prepared(function.clone(), event.as_bytes()).await;
        let (drive, start) = self.runtime.managed(call).unwrap();
        let (outcome, body) = tokio::join!(drive, start.body.collect());
        let mut called = Called::of(outcome.unwrap());
        let head = start.head.await.ok();
        if let (Some(_), Ok(body)) = (&head, body) {
            called.result = called.result.map(|_| body.to_bytes().to_vec());
        }
        (called, head)
    }

    /// The lines that a script's commands told.
    pub(crate) async fn told(&self, script: &str) -> Vec<String> {
        let (called, _) = self.run_managed(&self.managed(script, "main.run").await, "{}").await;
        let answer = called.result.unwrap_or_else(|error| panic!("{error:?}"));
        String::from_utf8(answer).unwrap().lines().map(str::to_owned).collect()
    }

    pub(crate) async fn code(&self, function: &ResolvedFunction) -> Result<Code, CodeError> {
        self.runtime.code(function).await
    }

    /// A call that is ready to run.
    pub(crate) async fn prepared(&self, function: ResolvedFunction, event: &[u8]) -> Call {
        let code = self.code(&function).await.unwrap();
        let request_id = RequestId::from_random(lamina_kit::Ids::random16(&RandomIds));
        let log_stream = code.log_stream(function.version);
        let opening = Opening {
            group: &function.log_group,
            stream: log_stream,
            request_id: &request_id,
            version: function.version,
            tail: false,
            observer: None,
            format: function.log_format,
        };
        let log = self.logs.start(opening, self.clock.clone());
        let invocation = Invocation {
            request_id,
            function: FunctionRef { name: function.name.clone(), qualifier: Some("live".parse().unwrap()) },
            payload: event.to_vec(),
            trace_id: "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0".to_owned(),
            span: None,
            client_context: Some("{\"custom\":{}}".to_owned()),
            accepted: Timestamp(self.clock.epoch_micros()),
            tail: false,
        };
        Call { code, function: Arc::new(function), invocation, log, traffic: None, timings: None }
    }

    pub(crate) async fn run(&self, function: &ResolvedFunction, event: Value) -> Called {
        Called::of(self.try_run(function, event).await.unwrap())
    }

    pub(crate) async fn try_run(&self, function: &ResolvedFunction, event: Value) -> Result<Outcome, RunError> {
        let call = self.prepared(function.clone(), event.to_string().as_bytes()).await;
        self.runtime.buffered(call)?.await
    }

    /// Runs an event on `guest-function` with its usual settings.
    pub(crate) async fn call(&self, event: Value) -> Called {
        self.run(&self.function("guest-function").await, event).await
    }

    /// Every line of the log, without START.
    pub(crate) fn lines(&self) -> Vec<String> {
        let events = self.logs.read(LOG_GROUP, 0, 100_000);
        let messages = events.iter().map(|event| event.message.to_string());
        messages.filter(|message| !message.starts_with("START ")).collect()
    }
}

/// With few slots of each kind.
pub(crate) fn few(config: Config) -> Config {
    let (instances_max, runtime_instances_max) = (config.instances_max.min(20), config.runtime_instances_max.min(20));
    Config { instances_max, runtime_instances_max, ..config }
}

/// An outcome, taken apart.
#[derive(Debug)]
pub(crate) struct Called {
    pub(crate) result: Result<Vec<u8>, FunctionError>,
    pub(crate) usage: Usage,
}

impl Called {
    pub(crate) fn of(outcome: Outcome) -> Self {
        Self { result: outcome.result, usage: outcome.usage }
    }

    /// The answer, which is JSON.
    pub(crate) fn answer(&self) -> Value {
        match &self.result {
            Ok(answer) => serde_json::from_slice(answer).unwrap(),
            Err(error) => panic!("the call failed: {error:?}"),
        }
    }

    pub(crate) fn failure(&self) -> &FunctionError {
        self.result.as_ref().unwrap_err()
    }

    /// The failure's type, and its message without the request id.
    pub(crate) fn failed_with(&self) -> (&str, &str) {
        let failure = self.failure();
        let message = match failure.message.strip_prefix("RequestId: ").and_then(|rest| rest.split_once(" Error: ")) {
            Some((id, message)) if id.len() == 36 => message,
            _ => &failure.message,
        };
        (&failure.error_type, message)
    }
}

/// A `function` component around a core module that exports `memory`, `realloc`
/// and `handle`. What `handle` returns points to an empty answer.
pub(crate) fn handler_in_wat(module: &str) -> Vec<u8> {
    let strings = |names: &str| names.split(' ').map(|name| format!("(field \"{name}\" string)")).collect::<String>();
    let context = format!(
        "(record {} (field \"memory-limit-in-mb\" u32) (field \"deadline-ms\" u64) {}
            (field \"client-context\" (option string)) (field \"identity\" (option string)))",
        strings("request-id function-name function-version invoked-function-arn"),
        strings("log-group-name log-stream-name trace-id"),
    );
    let error = "(record (field \"error-type\" string) (field \"message\" string)
        (field \"stack-trace\" (list string)))";
    let function = |context: &str, error: &str| {
        format!("(param \"event\" (list u8)) (param \"context\" {context}) (result (result (list u8) (error {error})))")
    };
    let text = format!(
        r#"(component
            (core module $m {module})
            (core instance $i (instantiate $m))
            (type $context {context})
            (type $error {error})
            (func $handle {outer} (canon lift (core func $i "handle") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
            (component $named
                (type $context0 {context})
                (type $error0 {error})
                (import "context" (type $context (eq $context0)))
                (import "function-error" (type $error (eq $error0)))
                (import "handle" (func $handle {inner}))
                (export $context1 "context" (type $context))
                (export $error1 "function-error" (type $error))
                (export "handle" (func $handle) (func {exported}))
            )
            (instance $handler (instantiate $named
                (with "context" (type $context)) (with "function-error" (type $error))
                (with "handle" (func $handle))))
            (export "lamina:function/handler@0.1.0" (instance $handler))
        )"#,
        outer = function("$context", "$error"),
        inner = function("$context", "$error"),
        exported = function("$context1", "$error1"),
    );
    wat::parse_str(&text).unwrap()
}
