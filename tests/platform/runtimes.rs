//! Managed runtimes, from outside.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use harness::{Options, Platform};
use serde_json::json;

use crate::boto3;
use crate::common::{PROGRAM, platform};

/// The same component with a custom section more is another version.
fn versions() -> [Vec<u8>; 2] {
    let first = test_guests::component("guest-managed");
    let second = [&first[..], b"\0\x05\x01v\0\0\0"].concat();
    [first, second]
}

/// Installs the test's own runtime for a language.
pub(crate) async fn install(platform: &Platform, language: &str) {
    let component = STANDARD.encode(platform.sign(&test_guests::component("guest-managed")));
    let body = json!({"Component": component, "Language": language, "Description": "tested"});
    platform.client.json("POST", "/lamina/v1/runtimes", &body).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn boto3_deploys_zips_and_chooses_runtime_versions() {
    let platform = Platform::start(Options::new(PROGRAM).signing("warn")).await;
    let [first, second] = versions();
    boto3::run(&platform, "runtimes.py", &[("first.wasm", &first), ("second.wasm", &second)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bare_zip_is_taken_unless_signatures_are_enforced() {
    for policy in ["off", "warn", "enforce"] {
        let platform = Platform::start(Options::new(PROGRAM).signing(policy)).await;
        install(&platform, "python").await;
        boto3::run(&platform, "bare.py", &[("policy", policy.as_bytes())]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_installs_chooses_and_removes_runtimes() {
    let platform = platform().await;
    let folder = platform.home().join("runtimes");
    std::fs::create_dir(&folder).unwrap();
    let key = folder.join("runtimes.key");
    platform.cli_alone(&["keys", "new", key.to_str().unwrap()]).ok();
    let place = ["--runtimes", folder.to_str().unwrap()];
    let nothing = platform.cli(&[&["runtime", "install"][..], &place].concat());
    assert!(nothing.exited(1).stderr.contains("no runtime is built"));
    let mut digests = Vec::new();
    for component in versions() {
        let file = folder.join("python.wasm");
        std::fs::write(&file, component).unwrap();
        platform.cli_alone(&["sign", file.to_str().unwrap(), "--key", key.to_str().unwrap()]).ok();
        std::fs::write(folder.join("python.json"), r#"{"Language": "python", "Description": "d", "Versions": {}}"#)
            .unwrap();
        let said = platform.cli(&[&["runtime", "install", "--output", "json"][..], &place].concat()).ok().json();
        digests.push(said["Runtimes"][0]["Digest"].as_str().unwrap().to_owned());
    }
    let listed = || {
        let said = platform.cli(&["runtime", "list", "--output", "json"]).ok().json();
        said["Runtimes"].as_array().unwrap().clone()
    };
    let current = || {
        let listed = listed();
        let current = listed.iter().find(|one| one["Current"] == true).unwrap();
        current["Digest"].as_str().unwrap().to_owned()
    };
    assert_eq!((listed().len(), current()), (2, digests[1].clone()));
    platform.cli(&["runtime", "update", &digests[0]]).ok();
    assert_eq!(current(), digests[0]);
    let kept = platform.cli(&["runtime", "remove", &digests[0]]);
    assert!(kept.exited(1).stderr.contains("is current"));
    platform.cli(&["runtime", "remove", &digests[1]]).ok();
    assert_eq!(listed().len(), 1);
}

/// An interpreter is no function, and a function no interpreter.
#[tokio::test(flavor = "multi_thread")]
async fn a_managed_runtime_is_admitted_as_one_only() {
    let platform = platform().await;
    let runtime = platform.home().join("runtime.wasm");
    std::fs::write(&runtime, platform.sign(&versions()[0])).unwrap();
    let refused = platform.cli(&["deploy", "f", runtime.to_str().unwrap()]);
    assert!(refused.exited(1).stderr.contains("is a managed runtime, which is no function"));
    let strict = Platform::start(Options::new(PROGRAM).signing("warn").with(&["--strict-runtimes"])).await;
    let script = "import boto3, sys\n\
        client = boto3.client('lambda')\n\
        try:\n    client.create_function(FunctionName='j', Runtime='java21', Role='arn:aws:iam::000000000000:role/r', \
        Handler='h', Code={'ZipFile': b'PK'})\n\
        except client.exceptions.InvalidParameterValueException as error:\n    assert '--strict-runtimes' in str(error), error\n\
        else:\n    sys.exit('java21 was taken')\n";
    let file = strict.home().join("strict.py");
    std::fs::write(&file, script).unwrap();
    harness::python::boto3(&strict, file.to_str().unwrap(), &[]);
}
