//! Snapshots of versions that ask for them.

use std::sync::Arc;
use std::time::Duration;

use lamina_runtime::{CodeError, Config, NoSnapshot};
use lamina_types::{MemoryMib, ResolvedFunction, Status};
use serde_json::{Value, json};

use crate::support::{Host, few, open_artifacts};

impl Host {
    /// A version of `guest-init` that asks for a snapshot.
    async fn with_init(&self, init: &str) -> ResolvedFunction {
        let mut function = self.function("guest-init").await;
        let environment = Arc::make_mut(&mut function.environment);
        environment.insert("INIT".to_owned(), init.to_owned());
        environment.insert("OWN".to_owned(), "mine".to_owned());
        function.with_snapshot()
    }

    async fn snapshot(&self, function: &ResolvedFunction) -> Result<(), NoSnapshot> {
        self.runtime.snapshot(&Arc::new(function.clone())).await
    }

    async fn refused(&self, function: &ResolvedFunction) -> String {
        match self.snapshot(function).await {
            Err(error @ (NoSnapshot::Refused(_) | NoSnapshot::Own { .. })) => error.to_string(),
            other => panic!("{other:?}"),
        }
    }

    /// All lines, with those that a restore writes shortened.
    fn all_lines(&self) -> Vec<String> {
        let events = self.logs.read(crate::support::LOG_GROUP, 0, 1_000);
        let cut =
            |line: &str| line.split(['\t', ':']).next().unwrap_or_default().trim_end_matches(" RequestId").to_owned();
        events.iter().map(|event| cut(&event.message)).collect()
    }
}

#[tokio::test]
async fn a_restored_instance_begins_after_the_init() {
    let host = Host::new();
    let function = host.with_init("close").await;
    host.snapshot(&function).await.unwrap();
    let mut answers: Vec<Value> = Vec::new();
    for _ in 0..2 {
        let called = host.run(&function, json!({})).await;
        let restore = called.usage.restore.unwrap();
        assert!(restore.duration >= restore.hooks && called.usage.init.is_none(), "{restore:?}");
        answers.push(called.answer());
    }
    let (one, other) = (&answers[0], &answers[1]);
    // Memory is the snapshot's.
    assert_eq!(one["init"], other["init"]);
    assert_eq!(one["init"]["own"], "mine");
    assert_eq!(one["init"]["type"], "snap-start");
    // What a snapshot freezes is the call's own.
    assert_ne!(one["call"]["random"], other["call"]["random"]);
    assert_ne!(one["call"]["random"], one["init"]["random"]);
    for clock in ["epoch", "monotonic"] {
        let times =
            [&one["init"][clock], &one["call"][clock], &other["call"][clock]].map(|time| time.as_u64().unwrap());
        assert!(times[0] < times[1] && times[1] < times[2], "{clock}: {times:?}");
    }
    assert_eq!(one["call"]["own"], "mine");
    assert_eq!((one["init"]["stream"].as_str(), one["call"]["stream"].is_string()), (None, true));
    // Files and streams work on.
    assert_eq!((&one["file"], &other["file"]), (&json!("written"), &json!("written")));
    assert!(host.lines().iter().any(|line| line == "handler prints"));
}

#[tokio::test]
async fn nobody_waits_for_a_snapshot() {
    let host = Host::new();
    let function = host.with_init("hooks").await;
    let called = host.run(&function, json!({})).await;
    assert_eq!((called.usage.restore, called.answer()["hooks"].clone()), (None, json!([])));
    assert!(host.runtime.settled(Duration::from_secs(120)).await, "it is made behind the first call");
    assert_eq!(host.runtime.snapshot_ends().unwrap().try_recv().unwrap().end, Ok(()));
    let called = host.run(&function, json!({})).await;
    assert!(called.usage.restore.is_some());
    let hooks = called.answer()["hooks"].clone();
    assert_eq!(hooks[0], "before");
    assert!(hooks[1].as_str().unwrap().starts_with("after ") && hooks[2].is_null(), "{hooks}");
}

#[tokio::test]
async fn the_log_of_a_restore_is_lambdas() {
    let host = Host::new();
    let function = host.with_init("hooks").await;
    host.snapshot(&function).await.unwrap();
    host.run(&function, json!({})).await;
    let lines = host.all_lines();
    let expect =
        ["RESTORE_START Runtime Version", "hook prints", "RESTORE_REPORT Restore Duration", "START", "handler prints"];
    assert_eq!(lines, expect);
}

#[tokio::test]
async fn what_cannot_be_captured_runs_without() {
    let host = Host::new();
    for (init, reason) in [
        ("open", "its init left a file open, which a snapshot cannot hold"),
        ("wait", "its init left a handle open, which a snapshot cannot hold"),
        ("file", "its init left files in /tmp, which a snapshot cannot hold"),
        ("before", "it did not get ready for a snapshot: Hook.No: as told"),
        ("fail", "its init failed: Init.No: as told"),
        ("panic", "its init ended in an error: wasm trap: wasm `unreachable` instruction executed"),
    ] {
        let function = host.with_init(init).await;
        assert_eq!(host.refused(&function).await, reason, "{init}");
        let called = host.run(&function, json!({})).await;
        assert_eq!(called.usage.restore, None);
        match init {
            "fail" => assert_eq!(called.failed_with(), ("Init.No", "as told")),
            "panic" => assert_eq!(called.failed_with().0, "Runtime.Panic"),
            _ => assert_eq!(called.answer()["file"], "written", "{init}"),
        }
    }
    // A hook may close it.
    let function = host.with_init("close").await;
    host.snapshot(&function).await.unwrap();
    assert!(host.run(&function, json!({})).await.usage.restore.is_some());
    // Nothing to keep.
    let function = host.function("guest-function").await.with_snapshot();
    assert!(host.refused(&function).await.contains("lamina:function/lifecycle"));
    assert!(host.run(&function, json!({"do": "echo"})).await.result.is_ok());
}

#[tokio::test]
async fn a_hook_that_fails_after_a_restore_fails_the_call() {
    let host = Host::new();
    let function = host.with_init("after").await;
    host.snapshot(&function).await.unwrap();
    let called = host.run(&function, json!({})).await;
    assert_eq!((called.failed_with(), called.usage.status), (("Hook.No", "as told"), Status::Failure));
    let mut lines = host.all_lines();
    // Where the error was made.
    lines.retain(|line| !line.starts_with("  at "));
    assert_eq!(lines, ["RESTORE_START Runtime Version", "[ERROR] Hook.No", "RESTORE_REPORT Restore Duration", "START"]);
}

/// A stream looks like one that every instance asks for anew.
#[tokio::test]
async fn a_snapshot_that_lacks_a_handle_is_given_up() {
    let host = Host::new();
    let function = host.with_init("stream").await;
    let mut ends = host.runtime.snapshot_ends().unwrap();
    assert!(host.runtime.snapshot_ends().is_none(), "one hears of them");
    host.snapshot(&function).await.unwrap();
    assert!(ends.try_recv().is_err(), "who asked for it has the answer");
    let called = host.run(&function, json!({})).await;
    assert_eq!(called.failed_with().0, "Runtime.ExitError");
    let end = ends.try_recv().unwrap();
    assert_eq!((&end.name, end.version), (&function.name, function.version));
    assert!(end.end.unwrap_err().contains("a file or a stream that its init had opened"));
    let called = host.run(&function, json!({})).await;
    assert!(called.usage.restore.is_none() && called.answer()["file"] == "written");
    assert!(host.refused(&function).await.contains("a file or a stream that its init had opened"));
    // Nor does a later process find it.
    assert!(host.runtime.settled(Duration::from_secs(60)).await);
    assert_eq!(Host::new().run(&function, json!({})).await.usage.restore, None);
}

#[tokio::test]
async fn a_snapshot_stays_and_is_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Host::on(open_artifacts(dir.path()), few(Config::default()));
    let host = open();
    let function = host.with_init("").await;
    host.snapshot(&function).await.unwrap();
    let names = host.artifacts.list_derived("snapshots").await.unwrap();
    let [name] = &names[..] else { panic!("{names:?}") };
    assert!(name.starts_with(&function.component.to_string()) && name.ends_with(".snapshot"), "{name}");
    assert_eq!(host.runtime.snapshot_name(&function).as_ref(), Some(name));
    let sealed = host.artifacts.get_derived("snapshots", name).await.unwrap().unwrap();
    assert!(!sealed.windows(4).any(|window| window == b"mine"), "the environment is not to be read");
    // A later process restores from it at once.
    let again = open();
    let called = again.run(&function, json!({})).await;
    assert!(called.usage.restore.is_some() && called.answer()["init"]["own"] == "mine");
    // What was changed is discarded and made again.
    let mut damaged = sealed.to_vec();
    damaged[5_000] ^= 1;
    host.artifacts.put_derived("snapshots", name, damaged.into()).await.unwrap();
    let third = open();
    assert_eq!(third.run(&function, json!({})).await.usage.restore, None);
    assert!(third.runtime.settled(Duration::from_secs(120)).await);
    assert!(third.run(&function, json!({})).await.usage.restore.is_some());
    // Another version of the same code has its own.
    let mut other = function.clone();
    Arc::make_mut(&mut other.environment).insert("OWN".to_owned(), "other".to_owned());
    let other = other.with_snapshot();
    assert_eq!(third.run(&other, json!({})).await.answer()["call"]["own"], "other");
    third.snapshot(&other).await.unwrap();
    assert_eq!(third.run(&other, json!({})).await.answer()["init"]["own"], "other");
}

/// A snapshot runs no longer than its component may.
#[tokio::test]
async fn a_snapshot_is_trusted_as_its_component_is() {
    let host = Host::new();
    let function = host.with_init("compute 1").await;
    host.snapshot(&function).await.unwrap();
    assert!(host.run(&function, json!({})).await.usage.restore.is_some());
    host.gate.refuse(function.component);
    host.runtime.recheck();
    let refused = host.code(&function).await.err().unwrap();
    assert!(matches!(refused, CodeError::Refused { .. }), "{refused}");
    assert!(matches!(host.snapshot(&function).await, Err(NoSnapshot::Failed(_))));
    // Forgotten code is loaded again, from the disk.
    let host = Host::new();
    host.runtime.snapshot(&Arc::new(function.clone())).await.unwrap();
    let asked = host.gate.asked(&function.component);
    host.runtime.forget(&function.component);
    assert!(host.run(&function, json!({})).await.usage.restore.is_some());
    assert_eq!(host.gate.asked(&function.component), asked + 1);
}

#[tokio::test]
async fn snapshots_have_a_bound_in_memory() {
    let host = Host::with(Config { snapshots_bytes_max: 1, ..Config::default() });
    let function = host.with_init("").await;
    let reason = host.refused(&function).await;
    assert!(reason.ends_with(" bytes; for a snapshot 1 are allowed"), "{reason}");
    assert_eq!(host.run(&function, json!({})).await.usage.restore, None, "there is no room for it");
    // One that another host made, or this one with another bound.
    let dir = tempfile::tempdir().unwrap();
    let open = |config| Host::on(open_artifacts(dir.path()), few(config));
    let function = open(Config::default()).with_init("").await;
    open(Config::default()).snapshot(&function).await.unwrap();
    let small = open(Config { snapshots_bytes_max: 1, ..Config::default() });
    assert_eq!(small.run(&function, json!({})).await.usage.restore, None);
}

#[tokio::test]
async fn an_instance_that_holds_too_much_is_not_captured() {
    let host = Host::new();
    let mut function = host.with_init("hold 513").await;
    function.memory = MemoryMib(1_024);
    let reason = host.refused(&function).await;
    assert!(reason.starts_with("its instance holds ") && reason.ends_with(" 536870912 are allowed"), "{reason}");
    assert!(host.run(&function, json!({})).await.result.is_ok());
}

/// The interpreter's memory, with the handler loaded and from the bundle.
#[tokio::test]
async fn a_managed_runtime_is_snapshotted_with_its_handler() {
    let host = Host::new();
    let function =
        host.managed("run: say loaded; from; read a; write a 5; env _HANDLER", "main.run").await.with_snapshot();
    host.snapshot(&function).await.unwrap();
    for _ in 0..2 {
        let (called, _) = host.run_managed(&function, "{}").await;
        assert!(called.usage.restore.is_some());
        let answer = String::from_utf8(called.result.unwrap()).unwrap();
        assert_eq!(answer, "loaded\nbundle\nNotFound\ndone\nmain.run\n");
    }
    // The second of the same runtime finds it instrumented.
    let other = host.managed("run: say other", "main.run").await.with_snapshot();
    host.snapshot(&other).await.unwrap();
    let (called, _) = host.run_managed(&other, "{}").await;
    assert!(called.usage.restore.is_some());
    assert_eq!(called.result.unwrap(), b"other\n");
    let broken = host.managed("run: say a\n!", "main.run").await.with_snapshot();
    let reason = host.refused(&broken).await;
    assert_eq!(reason, "its init failed: Runtime.UserCodeSyntaxError: Syntax error in module");
}
