//! `/tmp`: private, bounded, gone with the instance.

use std::time::Duration;

use lamina_runtime::Config;
use serde_json::json;

use crate::support::Host;

fn bounded(bytes: u64, names: u64) -> Host {
    Host::with(Config { tmp_bytes_max: bytes, tmp_names_max: names, ..Config::default() })
}

/// The directories of instances that are there.
fn there(host: &Host) -> usize {
    std::fs::read_dir(host.tmp.path()).unwrap().filter(|entry| entry.as_ref().unwrap().file_name() != "empty").count()
}

#[tokio::test]
async fn it_is_made_when_it_is_written_and_gone_afterwards() {
    let host = Host::new();
    assert_eq!(host.told("run: say a").await, ["a"]);
    assert_eq!(
        host.told("run: list .; read a; remove a; rename a b").await,
        ["[]", "NotFound", "NotFound", "NotFound"]
    );
    let script = "run: write a 10; folder f; write f/b 20; list .; list f; read f/b; rename f/b c; read c; remove c; \
                  remove-folder f; list .";
    let expect = ["done", "done", "done", "[a,f]", "[b]", "20", "done", "20", "done", "done", "[a]"];
    assert_eq!(host.told(script).await, expect);
    for _ in 0..200 {
        if there(&host) == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{} directories are left", there(&host));
}

#[tokio::test]
async fn looking_costs_no_directory() {
    let host = Host::new();
    let call = host.prepared(host.managed("run: read a; spin", "main.run").await, b"{}").await;
    let (drive, _start) = host.runtime.managed(call).unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(500), drive).await.is_err());
    assert_eq!(there(&host), 0);
}

#[tokio::test]
async fn bytes_are_bounded() {
    let host = bounded(1_000, 100);
    for (script, expect) in [
        ("run: write a 1000; write b 1; read a", &["done", "full", "1000"][..]),
        ("run: write a 600; write a 600; write b 400; append a 1", &["done", "done", "done", "full"]),
        ("run: append a 600; append a 401; remove a; write b 1000", &["done", "full", "done", "done"]),
        ("run: resize a 1000; resize b 1; resize a 0; resize b 1000", &["done", "full", "done", "done"]),
        ("run: write a 1; past-end a 999; past-end a 1000", &["done", "done", "full"]),
        ("run: nameless a 600; nameless b 600; write c 1000", &["done", "done", "done"]),
        ("run: write a 600; write b 400; rename a b; write c 400", &["done", "done", "done", "done"]),
        ("run: write a 600; link a b; remove a; write c 600", &["done", "done", "done", "full"]),
        ("run: write a 600; hold a 401; write c 1000", &["done", "full", "done"]),
        ("run: cut a 400; write b 201; write b 200", &["done", "full", "done"]),
    ] {
        assert_eq!(host.told(script).await, expect, "{script}");
    }
}

#[tokio::test]
async fn names_are_bounded() {
    let host = bounded(1 << 20, 10);
    for (script, expect) in [
        ("run: many a 20; folder f", &["10", "full"][..]),
        ("run: many a 10; remove a3; write b 1; link b c", &["10", "done", "done", "full"]),
        ("run: many a 9; folder f; remove-folder f; write b 1", &["9", "done", "done", "done"]),
        ("run: many a 10; rename a1 a2; write b 1", &["10", "done", "done"]),
    ] {
        assert_eq!(host.told(script).await, expect, "{script}");
    }
}

/// A file that is made through a link has a name like others. Two are there before: what
/// the call wrote, and the link.
#[tokio::test]
async fn a_name_behind_a_link_counts() {
    for (names, expect) in [(2, [true, false, false, false]), (3, [true, true, true, false]), (4, [true; 4])] {
        let host = bounded(1 << 20, names);
        let called = host.run(&host.function("guest-init").await, json!({"do": "dangling"})).await;
        assert_eq!(called.answer(), json!(expect), "{names}");
    }
}

/// What a component of a function's own has, too.
#[tokio::test]
async fn nothing_of_the_host_is_reached_by_it() {
    let host = Host::new();
    let script =
        "run: write ../../escape 1; read ../../../etc/passwd; folder ../out; link ../x y; write a 1; rename a ../b";
    let told = host.told(script).await;
    assert_eq!(told.iter().filter(|outcome| *outcome == "done").count(), 1, "{told:?}");
}
