//! SnapStart, from outside: what the API says of a version, how its calls are restored,
//! and what ends that.

use std::time::{Duration, Instant};

use harness::Platform;
use harness::functions::creation;
use serde_json::{Value, json};

use crate::common::platform;

/// Until a version has its snapshot, or has none.
const SNAPSHOT_MAX: Duration = Duration::from_secs(180);

/// Until a deployed interpreter has its snapshot: a compiler without optimizations takes
/// a minute.
const INTERPRETER_MAX: Duration = Duration::from_secs(400);

/// Until what no record needs is gone, after a start.
const COLLECTION_MAX: Duration = Duration::from_secs(60);

/// A function of `guest-init` whose versions ask for snapshots.
async fn created(platform: &Platform, name: &str, init: &str) {
    let code = platform.sign(&test_guests::component("guest-init"));
    let mut creation = creation(name, &code);
    creation["SnapStart"] = json!({ "ApplyOn": "PublishedVersions" });
    creation["Environment"] = json!({ "Variables": { "INIT": init, "OWN": "mine" } });
    platform.create(&creation).await;
}

async fn publish(platform: &Platform, name: &str) -> Value {
    let path = format!("/2015-03-31/functions/{name}/versions");
    platform.client.json("POST", &path, &json!({})).await.expect(201).json()
}

/// The configuration of a version once it is Active.
async fn snapshotted(platform: &Platform, name: &str, version: &str) -> Value {
    let begun = Instant::now();
    loop {
        let path = format!("/2015-03-31/functions/{name}/configuration?Qualifier={version}");
        let configuration = platform.client.get(&path).await.expect(200).json();
        if configuration["State"] == "Active" {
            return configuration;
        }
        assert_eq!(configuration["State"], "Pending", "{configuration}");
        assert!(begun.elapsed() < SNAPSHOT_MAX, "not active after {SNAPSHOT_MAX:?}: {configuration}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Calls a version; its answer, and the tail of its log.
async fn call(platform: &Platform, name: &str, version: &str) -> (Value, String) {
    let path = format!("/2015-03-31/functions/{name}/invocations?Qualifier={version}");
    let mut request = harness::http::request("POST", &path, "{}");
    request.headers_mut().insert("x-amz-log-type", "Tail".parse().unwrap());
    let reply = platform.client.send(request).await.expect(200);
    let tail = harness::functions::tail(&reply);
    (reply.json(), tail)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_with_snap_start_is_restored() {
    let mut platform = platform().await;
    created(&platform, "f", "hooks").await;
    let latest = platform.active("f").await;
    assert_eq!(latest["SnapStart"], json!({ "ApplyOn": "PublishedVersions", "OptimizationStatus": "Off" }));
    let published = publish(&platform, "f").await;
    assert_eq!((&published["Version"], &published["State"]), (&json!("1"), &json!("Pending")));
    // Nobody waits for it.
    assert_eq!(call(&platform, "f", "1").await.0["call"]["own"], "mine");
    let version = snapshotted(&platform, "f", "1").await;
    assert_eq!(version["SnapStart"], json!({ "ApplyOn": "PublishedVersions", "OptimizationStatus": "On" }));
    assert_eq!((&version["LastUpdateStatus"], &version["StateReason"]), (&json!("Successful"), &Value::Null));
    for again in [false, true] {
        if again {
            platform.stop();
            platform.start_again();
        }
        let (one, tail) = call(&platform, "f", "1").await;
        let (other, _) = call(&platform, "f", "1").await;
        for line in [
            "RESTORE_START Runtime Version: ",
            "hook prints",
            "RESTORE_REPORT Restore Duration: ",
            "Billed Restore Duration: ",
        ] {
            assert!(tail.contains(line), "{line}: {tail}");
        }
        assert_eq!(one["init"], other["init"]);
        assert_ne!(one["call"]["random"], other["call"]["random"]);
        assert_eq!(one["hooks"][0], "before");
    }
    let (answer, tail) = call(&platform, "f", "$LATEST").await;
    assert!(!tail.contains("Restore") && answer["hooks"] == json!([]), "{tail}");
    // A version made without says None.
    let path = "/2015-03-31/functions/f/configuration";
    let none = json!({ "SnapStart": { "ApplyOn": "None" } });
    platform.client.json("PUT", path, &none).await.expect(200);
    platform.active("f").await;
    let second = publish(&platform, "f").await;
    assert_eq!((&second["State"], &second["SnapStart"]["ApplyOn"]), (&json!("Active"), &json!("None")));
    // A collection keeps a version's snapshot, and removes it when the version is gone.
    collected(&mut platform, 1).await;
    platform.client.call("DELETE", "/2015-03-31/functions/f?Qualifier=1", "").await.expect(204);
    collected(&mut platform, 0).await;
}

/// So many snapshots are left on the disk by the collection of a start, which removes a
/// stray one, too.
async fn collected(platform: &mut Platform, left: usize) {
    let folder = platform.data().join("artifacts/derived/snapshots");
    let stray = folder.join("stray.snapshot");
    platform.stop();
    std::fs::write(&stray, "").unwrap();
    platform.start_again();
    let begun = Instant::now();
    while stray.exists() || std::fs::read_dir(&folder).unwrap().count() != left {
        assert!(begun.elapsed() < COLLECTION_MAX, "{left} are to be left: {:?}", std::fs::read_dir(&folder));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_without_a_snapshot_says_why() {
    let platform = platform().await;
    created(&platform, "f", "open").await;
    publish(&platform, "f").await;
    let version = snapshotted(&platform, "f", "1").await;
    assert_eq!(version["SnapStart"]["OptimizationStatus"], "Off");
    let reason = version["StateReason"].as_str().unwrap();
    assert!(reason.contains("its init left a file open"), "{reason}");
    let (answer, tail) = call(&platform, "f", "1").await;
    assert!(answer["file"] == "written" && !tail.contains("Restore"), "{tail}");
}

/// A call uses a stream that the init had opened, which only shows then.
#[tokio::test(flavor = "multi_thread")]
async fn a_version_whose_snapshot_is_given_up_says_why() {
    let platform = platform().await;
    created(&platform, "f", "stream").await;
    publish(&platform, "f").await;
    let version = snapshotted(&platform, "f", "1").await;
    assert_eq!(version["SnapStart"]["OptimizationStatus"], "On");
    let failed = call(&platform, "f", "1").await.0;
    assert_eq!(failed["errorType"], "Runtime.ExitError");
    // It is written down behind the call.
    let begun = Instant::now();
    let version = loop {
        let version = snapshotted(&platform, "f", "1").await;
        if version["SnapStart"]["OptimizationStatus"] == "Off" || begun.elapsed() > SNAPSHOT_MAX {
            break version;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let reason = version["StateReason"].as_str().unwrap_or_else(|| panic!("{version}"));
    assert!(reason.contains("a file or a stream that its init had opened"), "{reason}");
    let (answer, tail) = call(&platform, "f", "1").await;
    assert!(answer["file"] == "written" && !tail.contains("Restore"), "{tail}");
}

/// A key that is revoked stops snapshots as it stops code.
#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_stops_a_snapshot() {
    let platform = platform().await;
    created(&platform, "f", "").await;
    publish(&platform, "f").await;
    snapshotted(&platform, "f", "1").await;
    assert!(call(&platform, "f", "1").await.1.contains("Restore Duration"));
    let revoke = format!("/lamina/v1/trust/{}", platform.key().public().id());
    platform.client.call("DELETE", &revoke, "").await.expect(204);
    let path = "/2015-03-31/functions/f/invocations?Qualifier=1";
    let refused = platform.client.json("POST", path, &json!({})).await;
    refused.refused(400, "CodeVerificationFailedException", "");
}

#[tokio::test(flavor = "multi_thread")]
async fn deploy_publishes_with_a_snapshot() {
    let platform = platform().await;
    let file = platform.home().join("init.wasm");
    std::fs::write(&file, platform.sign(&test_guests::component("guest-init"))).unwrap();
    let deploy = ["deploy", "f", file.to_str().unwrap(), "--snap-start", "--publish"];
    let said = platform.cli(&[&deploy[..], &["--output", "json"]].concat()).ok().json();
    assert_eq!(said["SnapStart"]["OptimizationStatus"], "On", "{said}");
    let said = platform.cli(&["deploy", "f", file.to_str().unwrap(), "--no-snap-start", "--publish"]).ok();
    assert!(!said.stdout.contains("snapshot"), "{}", said.stdout);
}

/// What an instance must have of its own, in each language's words, and its hooks.
const PYTHON: &str = "\
import json, os, random, secrets, time, uuid
from snapshot_restore_py import register_after_restore, register_before_snapshot

ran = []
loaded = [time.time(), os.environ['OWN']]
register_before_snapshot(ran.append, 'before')
register_after_restore(ran.append, 'after')


def lambda_handler(event, context):
    own = [random.random(), random.SystemRandom().random(), secrets.token_hex(8), str(uuid.uuid4()), os.urandom(8).hex()]
    return {'own': own, 'ran': ran, 'loaded': loaded, 'later': time.time() >= loaded[0], 'env': os.environ['OWN']}
";
const JAVASCRIPT: &str = "\
const { randomBytes, randomUUID } = require('crypto');
const ran = [];
const loaded = [Date.now(), process.env.OWN];
awslambda.snapStart.beforeSnapshot(() => { ran.push('before'); });
awslambda.snapStart.afterRestore(async () => { ran.push('after'); });
exports.handler = async () => {
  const own = [Math.random(), crypto.randomUUID(), randomUUID(), randomBytes(8).toString('hex'),
    crypto.getRandomValues(new Uint8Array(8)).join()];
  return { own, ran, loaded, later: Date.now() >= loaded[0] && performance.now() < 10000, env: process.env.OWN };
};
";

/// Deploys a handler, and publishes it with its snapshot.
fn restorable(platform: &Platform, name: &str, file: &str, text: &str) {
    let folder = platform.home().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(file), text).unwrap();
    let key = platform.home().join("key.pem");
    std::fs::write(&key, platform.key().to_pem().unwrap().as_str()).unwrap();
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let (folder, key) = (folder.to_str().unwrap(), key.to_str().unwrap());
    let deploy = ["deploy", name, folder, "--key", key, "--env", "OWN=mine", "--snap-start", "--publish"];
    let said = platform.cli_within(&[&deploy[..], &["--output", "json"]].concat(), INTERPRETER_MAX).ok().json();
    assert_eq!(said["SnapStart"]["OptimizationStatus"], "On", "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_interpreters_are_restored_with_the_handler() {
    let platform = platform().await;
    platform.install_runtimes();
    for (name, file, text) in [("p", "lambda_function.py", PYTHON), ("j", "index.js", JAVASCRIPT)] {
        restorable(&platform, name, file, text);
        let (first, tail) = call(&platform, name, "1").await;
        let (second, _) = call(&platform, name, "1").await;
        assert!(tail.contains("RESTORE_START") && tail.contains("\tRestore Duration: "), "{tail}");
        for answer in [&first, &second] {
            assert_eq!(answer["ran"], json!(["before", "after"]), "{name}: {answer}");
            assert_eq!((&answer["later"], &answer["env"]), (&json!(true), &json!("mine")), "{name}: {answer}");
        }
        assert_eq!(first["loaded"], second["loaded"], "both begin at the one snapshot");
        for (one, other) in first["own"].as_array().unwrap().iter().zip(second["own"].as_array().unwrap()) {
            assert_ne!(one, other, "{name}: {first}");
        }
        // Without a snapshot the module is loaded by each instance.
        let (plain, tail) = call(&platform, name, "$LATEST").await;
        assert_ne!(plain["loaded"][0], first["loaded"][0]);
        assert!(plain["ran"] == json!([]) && !tail.contains("RESTORE_START"), "{plain}\n{tail}");
    }
}

/// Its init drew a number, and changed the environment.
const TOUCHED: &str = "\
import os
from random import random

random()
os.environ['NEW'] = os.environ.pop('OWN')


def lambda_handler(event, context):
    return {'random': random(), 'own': os.environ['OWN'], 'new': os.environ.get('NEW')}
";

#[tokio::test(flavor = "multi_thread")]
async fn what_an_init_touched_is_new_after_a_restore() {
    let platform = platform().await;
    platform.install_runtimes();
    restorable(&platform, "t", "lambda_function.py", TOUCHED);
    let (first, tail) = call(&platform, "t", "1").await;
    let (second, _) = call(&platform, "t", "1").await;
    assert!(tail.contains("RESTORE_START"), "{tail}");
    assert_ne!(first["random"], second["random"]);
    assert_eq!((&first["own"], &first["new"]), (&json!("mine"), &Value::Null));
}
