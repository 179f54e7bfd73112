//! Managed runtimes: one component for all functions, and what each is given.

use std::sync::Arc;
use std::time::Duration;

use lamina_runtime::{Config, RunError};
use lamina_types::{Status, World};

use crate::support::{Host, few, open_artifacts};

#[tokio::test]
async fn functions_share_the_component_and_have_their_own_files() {
    let host = Host::new();
    let (one, other) = ("run: say one; echo; env AWS_EXECUTION_ENV; env _HANDLER; memory", "run: say other");
    let function = host.managed(one, "main.run").await;
    assert_eq!(function.world, World::ManagedRuntime);
    let (called, head) = host.run_managed(&function, "{\"a\": 1}").await;
    let answer = String::from_utf8(called.result.unwrap()).unwrap();
    assert_eq!(answer, "one\n{\"a\": 1}\nAWS_Lambda_python3.13\nmain.run\n128\n");
    assert_eq!((head, called.usage.status), (None, Status::Success));
    assert_eq!(host.told(other).await, ["other"]);
    assert_eq!(host.gate.asked(&function.component), 1, "one image serves both");
}

#[tokio::test]
async fn no_state_passes_from_one_call_to_the_next() {
    let host = Host::new();
    for _ in 0..3 {
        assert_eq!(host.told("run: read a; write a 5; read a").await, ["NotFound", "done", "5"]);
    }
}

/// So that it pays for no other's pages. What it is called on is the same.
#[tokio::test]
async fn a_function_that_is_called_often_gets_a_copy_of_its_runtime() {
    let host = Host::new();
    let script = "run: read a; write a 5; read a; from";
    let call = async |times: usize| {
        for _ in 0..times {
            assert_eq!(host.told(script).await[..3], ["NotFound", "done", "5"]);
        }
        assert!(host.runtime.settled(Duration::from_secs(60)).await);
        host.runtime.copies()
    };
    assert_eq!((call(60).await, call(10).await, call(100).await), (0, 1, 1));
    assert_eq!(host.told(script).await[3], "bundle");
    let function = host.managed(script, "main.run").await;
    assert_eq!(host.gate.asked(&function.component), 1);
    host.runtime.recheck();
    assert_eq!((host.runtime.copies(), call(1).await), (0, 0));
    assert_eq!(host.gate.asked(&function.component), 2, "it is asked for again");
}

#[tokio::test]
async fn a_handler_streams_or_answers() {
    let host = Host::new();
    let function = host.managed("run: stream to you", "main.run").await;
    let (called, head) = host.run_managed(&function, "{}").await;
    assert_eq!(called.result.unwrap(), b"to you");
    assert_eq!(head.unwrap().content_type.as_deref(), Some("text/plain"));
    let function = host.managed("run: stream some; fail Late no", "main.run").await;
    let (called, head) = host.run_managed(&function, "{}").await;
    assert!(head.is_some());
    assert_eq!(called.failed_with(), ("Late", "no"));
}

/// As Lambda shows them: the type in the answer, and INIT_REPORT in the log.
#[tokio::test]
async fn what_does_not_load_is_a_failed_init() {
    for (script, handler, kind) in [
        ("run: say a", "other.run", "Runtime.ImportModuleError"),
        ("run: say a\n!", "main.run", "Runtime.UserCodeSyntaxError"),
        ("run: say a", "main.walk", "Runtime.HandlerNotFound"),
        ("run: say a", "main", "Runtime.MalformedHandlerName"),
    ] {
        let host = Host::new();
        let function = host.managed(script, handler).await;
        let (called, head) = host.run_managed(&function, "{}").await;
        assert_eq!((called.failure().error_type.as_str(), head), (kind, None));
        let lines = host.lines();
        let report = lines.last().unwrap();
        assert!(report.starts_with("INIT_REPORT Init Duration: "), "{lines:?}");
        assert!(report.ends_with(&format!(" ms\tPhase: invoke\tStatus: error\tError Type: {kind}")), "{report}");
    }
}

/// The runtime says what its handlers failed with; the host says the rest.
#[tokio::test]
async fn failures_are_in_the_log_once() {
    let host = Host::new();
    let lines = |script: &str| {
        let script = script.to_owned();
        async move {
            let host = Host::new();
            let function = host.managed(&script, "main.run").await;
            host.run_managed(&function, "{}").await;
            host.lines()
        }
    };
    assert_eq!(lines("run: fail E no").await, ["[ERROR] E: no"]);
    assert_eq!(lines("run: print a\\nb; log c\\n  d; print e").await, ["a", "b", "c\n  d"]);
    let trapped = lines("run: trap").await;
    assert!(trapped[0].ends_with("\tRuntime.ExitError"), "{trapped:?}");
    let mut function = host.managed("run: spin", "main.run").await;
    function.timeout = Duration::from_millis(200);
    let (called, _) = host.run_managed(&function, "{}").await;
    assert_eq!(called.failed_with(), ("Sandbox.Timedout", "Task timed out after 0.20 seconds"));
}

#[tokio::test]
async fn a_bundle_is_made_once_kept_and_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Host::on(open_artifacts(dir.path()), few(Config::default()));
    let script = "run: from";
    let host = open();
    let function = host.managed(script, "main.run").await;
    assert_eq!(host.told(script).await, ["files"], "the first call waits for none");
    assert!(host.runtime.settled(Duration::from_secs(60)).await);
    assert_eq!(host.told(script).await, ["bundle"]);
    let bundles = || async { host.artifacts.list_derived("bundles").await.unwrap() };
    let package = function.managed.as_ref().unwrap().package.digest;
    let name = format!("{package}-{}.bundle", function.component);
    assert_eq!(bundles().await, std::slice::from_ref(&name));
    // A later process finds it; what was changed is discarded and made again.
    let again = open();
    assert_eq!(again.told(script).await, ["bundle"]);
    let sealed = host.artifacts.get_derived("bundles", &name).await.unwrap().unwrap();
    let mut damaged = sealed.to_vec();
    damaged[90] ^= 1;
    host.artifacts.put_derived("bundles", &name, damaged.into()).await.unwrap();
    let third = open();
    assert_eq!(third.told(script).await, ["files"]);
    assert!(third.runtime.settled(Duration::from_secs(60)).await);
    assert_eq!(third.told(script).await, ["bundle"]);
    assert_eq!(host.artifacts.get_derived("bundles", &name).await.unwrap().unwrap(), sealed);
}

/// All functions with the same package share it: it must not know one of them.
#[tokio::test]
async fn a_bundle_is_told_nothing_of_a_function() {
    let host = Host::new();
    let script = "run: from # nothing of one";
    let mut function = host.managed(script, "main.derived").await;
    Arc::make_mut(&mut function.environment).insert("SECRET".to_owned(), "x".to_owned());
    host.run_managed(&function, "{}").await;
    assert!(host.runtime.settled(Duration::from_secs(60)).await);
    let (called, _) = host.run_managed(&function, "{}").await;
    assert_eq!(called.result.unwrap(), b"LAMBDA_TASK_ROOT,TZ\n");
}

#[tokio::test]
async fn a_package_without_a_bundle_runs_from_its_files() {
    let host = Host::new();
    let script = "run: from\nno-bundle: say";
    assert_eq!(host.told(script).await, ["files"]);
    assert!(host.runtime.settled(Duration::from_secs(60)).await);
    assert_eq!(host.told(script).await, ["files"]);
}

/// Far past what a function's own component has; its end is still a trap.
#[tokio::test]
async fn an_interpreter_recurses_deeply() {
    let host = Host::new();
    let function = host.managed("run: recurse 50000", "main.run").await;
    let (called, _) = host.run_managed(&function, "{}").await;
    assert!(called.result.is_ok(), "{called:?}");
    let endless = host.managed("run: recurse 100000000", "main.run").await;
    let (called, _) = host.run_managed(&endless, "{}").await;
    assert_eq!(called.failed_with(), ("Runtime.ExitError", "wasm trap: call stack exhausted"));
}

#[tokio::test]
async fn a_managed_runtime_is_called_as_one() {
    let host = Host::new();
    let call = host.prepared(host.managed("run: say a", "main.run").await, b"{}").await;
    let refused = host.runtime.buffered(call).err().unwrap();
    assert!(matches!(refused, RunError::World { world: World::ManagedRuntime, .. }), "{refused}");
    let call = host.prepared(host.function("hello").await, b"{}").await;
    assert!(matches!(host.runtime.managed(call).err(), Some(RunError::World { wanted: "managed-runtime", .. })));
}
