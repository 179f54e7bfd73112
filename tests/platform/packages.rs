//! Packages as their authors sign them and the platform takes them: one table of cases
//! through `lamina sign`, `lamina verify` and two servers.

use std::fs;
use std::path::PathBuf;

use harness::{Options, Platform};
use lamina_signing::PublicKey;
use serde_json::{Value, json};

use crate::common::PROGRAM;
use made::{Case, made};

// The crate that reads packages has the same table, and the maker of what is in it.
#[path = "../../host/crates/package/tests/it/build.rs"]
#[allow(dead_code, reason = "the crate's other tests use the rest")]
mod build;
#[path = "../../host/crates/package/tests/it/made.rs"]
mod made;

const CASES: &str = include_str!("../../host/crates/package/tests/cases.json");
const FUNCTIONS: &str = "/2015-03-31/functions";
/// The keys of the cases; the platforms trust `a` and `c`.
const KEYS: [&str; 3] = ["a", "b", "c"];

/// The command line in a folder with a pair of each key.
struct Author<'a>(&'a Platform);

impl Author<'_> {
    fn path(&self, name: &str) -> PathBuf {
        self.0.home().join(name)
    }

    fn public(&self, key: &str) -> PublicKey {
        PublicKey::from_pem(&fs::read_to_string(self.path(&format!("{key}.key.pub"))).unwrap()).unwrap()
    }

    /// Signs a file with `lamina sign`, which may do so beside it.
    fn sign(&self, bytes: &[u8], key: &str) -> Vec<u8> {
        fs::write(self.path("unsigned"), bytes).unwrap();
        self.0.cli_alone(&["sign", "unsigned", "--key", &format!("{key}.key")]).ok();
        fs::read(self.path("unsigned")).unwrap()
    }

    fn detach(&self, zip: &[u8], earlier: Option<&[u8]>, key: &str) -> Vec<u8> {
        let beside = self.path("unsigned.sig");
        fs::write(self.path("unsigned"), zip).unwrap();
        if let Some(earlier) = earlier {
            fs::write(&beside, earlier).unwrap();
        }
        self.0.cli_alone(&["sign", "unsigned", "--detached", "--key", &format!("{key}.key")]).ok();
        assert_eq!(fs::read(self.path("unsigned")).unwrap(), zip, "--detached leaves the zip alone");
        let signature = fs::read(&beside).unwrap();
        fs::remove_file(beside).unwrap();
        signature
    }
}

/// What `lamina verify` makes of a case, and `lamina sign` of a zip that cannot be read.
fn check_command_line(author: &Author<'_>, case: &Value, made: &Case) {
    let what = &case["What"];
    fs::write(author.path("case.zip"), &made.zip).unwrap();
    let _ = fs::remove_file(author.path("case.zip.sig"));
    if let Some(signature) = &made.detached {
        fs::write(author.path("case.zip.sig"), signature).unwrap();
    }
    let keys = ["--key", "a.key.pub", "--key", "c.key.pub"];
    let verify = author.0.cli_alone(&[&["verify", "case.zip", "--output", "json"], &keys[..]].concat());
    let told = verify.json();
    let is_good = case["Verdict"] == "Verified";
    assert_eq!((verify.code, &told["Verified"]), (Some(i32::from(!is_good)), &json!(is_good)), "{what}: {told}");
    if is_good {
        return;
    }
    assert_eq!(told["Code"], case["Verdict"], "{what}: {told}");
    let says = case["Says"].as_str().unwrap();
    assert!(told["Reason"].as_str().unwrap().contains(says), "{what}: {told}");
    let plain = author.0.cli_alone(&[&["verify", "case.zip"], &keys[..]].concat()).exited(1);
    assert!(plain.stderr.contains(says), "{what}: {}", plain.stderr);
    if case["Verdict"] == "Zip" {
        // Nothing is signed that nobody would take.
        let sign = author.0.cli_alone(&["sign", "case.zip", "--key", "a.key"]).exited(1);
        assert!(sign.stderr.contains(says), "{what}: {}", sign.stderr);
        assert_eq!(fs::read(author.path("case.zip")).unwrap(), made.zip, "{what}");
    }
}

/// What a server makes of a case. `policy` names the member that says so.
async fn check_server(platform: &Platform, policy: &str, case: &Value, made: &Case) {
    let what = &case["What"];
    let (end, is_component) = (case[policy].as_str().unwrap(), case["Files"].is_string());
    let (runtime, handler) = match is_component {
        true => ("provided.al2023", "bootstrap.wasm"),
        false => ("python3.13", "lambda_function.lambda_handler"),
    };
    let says = [&case[format!("{policy}Says")], &case["ServerSays"], &case["Says"]];
    let says = says.into_iter().find_map(Value::as_str).unwrap_or_default();
    if let Some(signature) = &made.detached {
        // Uploads are one file: `lamina deploy` puts the signature into it.
        fs::write(platform.home().join("case.zip"), &made.zip).unwrap();
        fs::write(platform.home().join("case.zip.sig"), signature).unwrap();
        let ended = platform.cli(&["deploy", "case", "case.zip", "--runtime", runtime, "--handler", handler]);
        if end == "admitted" {
            ended.ok();
        } else {
            let ended = ended.exited(1);
            assert!(ended.stderr.contains(end) && ended.stderr.contains(says), "{what}: {}", ended.stderr);
        }
    } else {
        let mut creation = harness::creation("case", &made.zip);
        (creation["Runtime"], creation["Handler"]) = (json!(runtime), json!(handler));
        let reply = platform.client.json("POST", FUNCTIONS, &creation).await;
        if end == "admitted" {
            assert_eq!(reply.status, 201, "{what}: {}", reply.text());
            platform.active("case").await;
        } else {
            assert_eq!(reply.status, 400, "{what}: {}", reply.text());
            let object = reply.json();
            // Some of Lambda's exceptions have one name for it, some the other.
            let message = object["message"].as_str().or(object["Message"].as_str()).unwrap();
            assert_eq!(reply.error(), end, "{what}: {message}");
            assert!(message.contains(says), "{what}: {message}");
        }
    }
    if end == "admitted" {
        platform.client.call("DELETE", &format!("{FUNCTIONS}/case"), "").await.expect(204);
    } else {
        platform.client.get(&format!("{FUNCTIONS}/case")).await.expect(404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn authors_and_the_platform_agree_on_every_package() {
    let enforce = Platform::untrusting(Options::new(PROGRAM));
    let warn = Platform::untrusting(Options::new(PROGRAM).signing("warn"));
    let author = Author(&enforce);
    for key in KEYS {
        enforce.cli_alone(&["keys", "new", &format!("{key}.key")]).ok();
        if key != "b" {
            enforce.trust(&author.public(key)).await;
            warn.trust(&author.public(key)).await;
        }
    }
    let cases: Vec<Value> = serde_json::from_str(CASES).unwrap();
    let component = harness::tiny::echo();
    for case in &cases {
        let sign = |bytes: &[u8], key: &str| author.sign(bytes, key);
        let detach = |zip: &[u8], earlier: Option<&[u8]>, key: &str| author.detach(zip, earlier, key);
        let made = made(case, &component, sign, detach);
        check_command_line(&author, case, &made);
        check_server(&enforce, "Enforce", case, &made).await;
        check_server(&warn, "Warn", case, &made).await;
    }
    // What is refused is told, once for each upload, with its reason.
    let log = enforce.cli(&["audit", "show", "--output", "json"]).ok().stdout;
    assert!(log.contains("CodeRefused") && log.contains("leads out of the package"), "{log}");
}
