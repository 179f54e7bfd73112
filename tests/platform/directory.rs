//! The data directory: what it keeps, and which ones are refused.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use harness::{Platform, creation, tiny};
use serde_json::{Value, json};

use crate::common::platform;

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_keeps_everything() {
    let mut platform = platform().await;
    let mut creation = creation("kept", &platform.sign(&tiny::echo()));
    creation["Tags"] = json!({"team": "tests"});
    creation["Environment"] = json!({"Variables": {"KEY": "value"}});
    platform.create(&creation).await;
    platform.client.json("POST", "/2015-03-31/functions/kept/versions", &json!({})).await.expect(201);
    let url = platform.url("kept", "RESPONSE_STREAM").await;
    let before = everything(&platform).await;

    let secret = platform.client.secret_access_key.clone();
    platform.stop();
    assert!(!platform.data().join("endpoint").exists(), "a stopped platform has no endpoint");
    platform.start_again();
    assert_eq!(platform.client.secret_access_key, secret);
    assert_eq!(everything(&platform).await, before);
    assert_eq!(platform.invoke("kept%3A1", &json!(1)).await.expect(200).text(), "1");
    let again = platform.client.get("/2021-10-31/functions/kept/url").await.expect(200).json();
    let id = |url: &str| url.split('.').next().unwrap().to_owned();
    assert_eq!(id(again["FunctionUrl"].as_str().unwrap()), id(&url.url), "a URL never changes but for the port");
    // Numbers go on where they were.
    let changed = json!({"MemorySize": 256});
    platform.client.json("PUT", "/2015-03-31/functions/kept/configuration", &changed).await.expect(200);
    platform.active("kept").await;
    let published = platform.client.json("POST", "/2015-03-31/functions/kept/versions", &json!({})).await;
    assert_eq!(published.expect(201).json()["Version"], "2");
}

/// All that the API tells, less what depends on the port.
async fn everything(platform: &Platform) -> Vec<Value> {
    let mut told = Vec::new();
    for path in [
        "/2015-03-31/functions?FunctionVersion=ALL",
        "/2015-03-31/functions/kept/configuration",
        "/2015-03-31/functions/kept/policy",
        "/2015-03-31/functions/kept/versions",
        "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Akept",
        "/2021-10-31/functions/kept/url",
        "/lamina/v1/trust",
    ] {
        let mut answer = platform.client.get(path).await.expect(200).json();
        if let Some(url) = answer.get_mut("FunctionUrl") {
            *url = Value::Null;
        }
        told.push(answer);
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_belongs_to_one_server_at_a_time() {
    let platform = platform().await;
    let second = platform.serve_again();
    assert_eq!(second.code, Some(1), "{second:?}");
    assert!(second.stderr.contains("in use"), "{}", second.stderr);
    platform.client.get("/lamina/v1/status").await.expect(200);
    let written = fs::read_to_string(platform.data().join("endpoint")).unwrap();
    assert!(written.starts_with(&platform.endpoint()), "the second server left its own endpoint: {written}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_directory_is_refused_and_not_touched() {
    let mut platform = platform().await;
    platform.deploy("kept", &tiny::echo()).await;
    platform.stop();
    let format = platform.data().join("format");
    let ours = fs::read_to_string(&format).unwrap();
    let number = ours.trim_end().rsplit(' ').next().unwrap();
    let newer = ours.replace(number, "999");
    fs::write(&format, &newer).unwrap();
    let refused = platform.serve_again();
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("999") && refused.stderr.contains("newer"), "{}", refused.stderr);
    assert_eq!(fs::read_to_string(&format).unwrap(), newer);
    fs::write(&format, "nonsense\n").unwrap();
    assert_eq!(platform.serve_again().code, Some(1));
    fs::write(&format, &ours).unwrap();
    platform.start_again();
    assert_eq!(platform.invoke("kept", &json!(1)).await.expect(200).text(), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_for_their_owner_only() {
    let platform = platform().await;
    for name in ["credentials.json", "host.key"] {
        let mode = fs::metadata(platform.data().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let text = fs::read(platform.data().join("credentials.json")).unwrap();
    let credentials: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(credentials["Version"], 1, "the shape of a credential_process");
}

/// Every file below a folder.
pub(crate) fn files(folder: PathBuf) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(path)) } else { found.push(path) }
    }
    found
}

/// Changes one byte in the middle of a file.
pub(crate) fn damage(path: &PathBuf) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    // Artifacts may be read-only; a new file in their place is as good.
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}
