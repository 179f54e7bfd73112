//! What the dispatcher counts of calls that do not run.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "tests")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lamina_artifacts::Artifacts;
use lamina_audit::Log;
use lamina_disk::{Folder, System};
use lamina_invoke::{Config, Deps, Dispatcher, InvokeError, Throttle};
use lamina_kit::{Clock, Ids, RandomIds, SystemClock};
use lamina_kv::{Keyring, Keys, Store};
use lamina_meter::{Counters, Meters};
use lamina_registry::{NewFunction, Registry};
use lamina_runtime::{CodeCheck, PackageError, Packages, Refused, Runtime};
use lamina_telemetry::{Logs, LogsConfig};
use lamina_types::records::{Code, CodeKind, Configuration};
use lamina_types::{Digest, FunctionRef, Invocation, MemoryMib, RequestId, Timestamp, World};
use serde_json::{Value, json};

struct AnyCode;

impl CodeCheck for AnyCode {
    fn check(&self, _: &Digest, _: &[u8]) -> Result<(), Refused> {
        Ok(())
    }
}

struct NoPackages;

#[async_trait::async_trait]
impl Packages for NoPackages {
    async fn ready(&self, package: &Digest) -> Result<(), PackageError> {
        Err(PackageError::Refused(package.to_string()))
    }
}

struct Bench {
    dispatcher: Arc<Dispatcher>,
    meters: Meters,
    logs: Logs,
    clock: Arc<SystemClock>,
    _dir: tempfile::TempDir,
}

fn registry(dir: &Path, clock: &Arc<SystemClock>) -> Registry {
    let folder = Folder::open(dir, Arc::new(System)).unwrap();
    let keys = Keys { journal: [1; 32], secrets: Keyring::new([2; 32], vec![]) };
    let (store, _) = Store::open(&folder, dir, keys, lamina_kv::Config::default()).unwrap();
    let log = Log::open(folder.folder("audit").unwrap(), &[3; 32]).unwrap();
    let config = lamina_registry::Config::new("us-east-1".parse().unwrap(), "000000000000".parse().unwrap());
    Registry::open(store, Arc::new(log), config, clock.clone(), Arc::new(RandomIds)).unwrap()
}

impl Bench {
    /// A dispatcher of so many calls and instances, with a function `f`.
    async fn new(concurrency_max: u32, instances_max: u32, component: Option<&[u8]>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(SystemClock::new());
        let registry = registry(&dir.path().join("records"), &clock);
        let folder = Folder::open(&dir.path().join("artifacts"), Arc::new(System)).unwrap();
        let artifacts = Artifacts::open(folder, Arc::new(RandomIds), clock.clone()).unwrap();
        let component = match component {
            Some(bytes) => artifacts.put(bytes.to_vec().into()).await.unwrap(),
            None => Digest::of(b"gone"),
        };
        let configuration = Configuration {
            runtime: "provided.al2023".into(),
            role: "arn:aws:iam::000000000000:role/r".into(),
            handler: "h".into(),
            description: String::new(),
            timeout_s: 60,
            memory: MemoryMib(128),
            environment: None,
            architecture: "x86_64".into(),
            log_group: None,
            log_format: lamina_types::LogFormat::Text,
            snap_start: false,
        };
        let world = World::Function;
        let kind = CodeKind::Component { component, world };
        let code = Code { package: component, package_bytes: 1, kind, signers: vec![] };
        let (name, tags) = ("f".parse().unwrap(), BTreeMap::new());
        let new = NewFunction { name, configuration, code, tags, publish: false };
        let change = registry.create_function(new).await.unwrap();
        registry.complete(&change.view.name, &change.revision, Ok(())).await.unwrap();
        let settings = lamina_runtime::Config { instances_max, ..lamina_runtime::Config::default() };
        let check = Arc::new(AnyCode);
        let tmp = dir.path().join("tmp");
        std::fs::create_dir(&tmp).unwrap();
        let deps = lamina_runtime::Deps {
            host_key: [4; 32],
            artifacts,
            check,
            packages: Arc::new(NoPackages),
            tmp: Folder::open(&tmp, Arc::new(System)).unwrap().dir().try_clone().unwrap(),
            clock: clock.clone(),
            ids: Arc::new(RandomIds),
        };
        let runtime = Runtime::new(settings, deps).unwrap();
        let meters = Meters::new(lamina_meter::Config::default());
        let logs = Logs::new(LogsConfig::default());
        let deps = Deps {
            registry: Arc::new(registry),
            runtime,
            logs: logs.clone(),
            meters: meters.clone(),
            observer: None,
            tracer: None,
            clock: clock.clone(),
        };
        let dispatcher = Arc::new(Dispatcher::new(Config { concurrency_max, ..Config::DEFAULT }, deps));
        Self { dispatcher, meters, logs, clock, _dir: dir }
    }

    fn invocation(&self, event: &Value) -> Invocation {
        Invocation {
            request_id: RequestId::from_random(RandomIds.random16()),
            function: FunctionRef { name: "f".parse().unwrap(), qualifier: None },
            payload: event.to_string().into_bytes(),
            trace_id: "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0".to_owned(),
            span: None,
            client_context: None,
            accepted: Timestamp(self.clock.epoch_micros()),
            tail: false,
        }
    }

    async fn call(&self, event: &Value) -> Result<(), InvokeError> {
        self.dispatcher.buffered(self.invocation(event)).await.map(|_| ())
    }

    fn lines(&self) -> Vec<String> {
        self.logs.read("/aws/lambda/f", 0, 100).into_iter().map(|event| event.message.into()).collect()
    }

    fn counted(&self) -> Counters {
        let snapshots = self.meters.snapshot();
        assert_eq!(snapshots.len(), 1, "{snapshots:?}");
        snapshots[0].total
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_past_the_accounts_limit_is_a_throttle_and_no_invocation() {
    let bench = Bench::new(0, 1, None).await;
    for _ in 0..3 {
        let refused = bench.call(&json!(1)).await.unwrap_err();
        assert!(matches!(refused, InvokeError::Throttled(Throttle::Account)), "{refused}");
    }
    assert_eq!(bench.counted(), Counters { throttles: 3, ..Counters::default() });
    assert_eq!(bench.meters.concurrent(), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_code_is_gone_did_not_run() {
    let bench = Bench::new(10, 1, None).await;
    assert!(bench.lines().is_empty(), "{:?}", bench.lines());
    assert!(!matches!(bench.call(&json!(1)).await, Ok(()) | Err(InvokeError::Throttled(_))));
    assert_eq!(bench.counted(), Counters { not_run: 1, ..Counters::default() });
    assert_eq!(bench.meters.concurrent().0, 0);
    // Its log says what Lambda's says of an init that failed; there is no call to start.
    let lines = bench.lines();
    let [start, why, report] = lines.as_slice() else { panic!("{lines:#?}") };
    assert!(start.starts_with("INIT_START Runtime Version: provided:al2023.v"), "{start}");
    assert!(why.starts_with("[ERROR] Runtime.CodeRefused: "), "{why}");
    let ends = "\tPhase: init\tStatus: error\tError Type: Runtime.CodeRefused";
    assert!(report.starts_with("INIT_REPORT Init Duration: ") && report.ends_with(ends), "{report}");
    // Calls that fail so share one stream.
    assert!(bench.call(&json!(1)).await.is_err());
    let streams: std::collections::BTreeSet<_> =
        bench.logs.read("/aws/lambda/f", 0, 100).into_iter().map(|event| event.stream).collect();
    assert!(streams.len() == 1 && streams.iter().all(|stream| stream.contains("/[$LATEST]")), "{streams:?}");
}

/// INIT_START stands before the START of the call that waited for its code, and of no
/// other; a failed call's answer is counted as any other.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_loads_its_code_says_so() {
    let bench = Bench::new(10, 1, Some(&test_guests::component("guest-function"))).await;
    let echoed = bench.dispatcher.buffered(bench.invocation(&json!({"do": "echo", "value": "it"}))).await.unwrap();
    let echoed = echoed.outcome.result.unwrap().len();
    let served = bench.dispatcher.buffered(bench.invocation(&json!({"do": "fail", "message": "no"}))).await.unwrap();
    let failure = serde_json::to_vec(&served.outcome.result.unwrap_err()).unwrap();
    let lines = bench.lines();
    let begins = ["INIT_START ", "START ", "END ", "REPORT ", "START ", "[ERROR] ", "  at ", "END ", "REPORT "];
    assert!(lines.iter().map(String::as_str).zip(begins).all(|(line, begin)| line.starts_with(begin)), "{lines:#?}");
    assert_eq!(lines.len(), begins.len(), "{lines:#?}");
    assert!(lines[3].contains("\tInit Duration: ") && !lines[8].contains("Init Duration"), "{lines:#?}");
    assert_eq!(bench.counted().bytes_out, (echoed + failure.len()) as u64, "{echoed}");
    let events = bench.logs.read("/aws/lambda/f", 0, 100);
    assert!(events[0].time <= events[1].time && events[0].stream == events[1].stream, "{events:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_finds_no_instance_is_a_throttle() {
    let bench = Bench::new(10, 1, Some(&test_guests::component("guest-function"))).await;
    bench.call(&json!({"do": "echo"})).await.unwrap();
    let long = bench.invocation(&json!({"do": "print", "lines": 1, "pause_ms": 5_000}));
    let dispatcher = bench.dispatcher.clone();
    let running = tokio::spawn(async move { dispatcher.buffered(long).await.map(|_| ()) });
    let begun = Instant::now();
    // It has its instance when it has written its line.
    while !bench.logs.read("/aws/lambda/f", 0, 100).iter().any(|event| event.message.starts_with("line 1")) {
        assert!(begun.elapsed() < Duration::from_secs(60), "the other call does not run");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let refused = bench.call(&json!({"do": "echo"})).await.unwrap_err();
    assert!(matches!(refused, InvokeError::Throttled(Throttle::Instances)), "{refused}");
    // As on Lambda it leaves no line.
    let started = bench.lines().iter().filter(|line| line.starts_with("START ")).count();
    assert!(started == 2 && bench.lines().iter().all(|line| !line.contains("did not run")), "{:#?}", bench.lines());
    running.await.unwrap().unwrap();
    let counted = bench.counted();
    assert_eq!((counted.invocations, counted.throttles, counted.not_run), (2, 1, 0));
    assert_eq!(bench.meters.concurrent(), (0, 2));
}
