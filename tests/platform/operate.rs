//! Operating a directory: the audit log, secrets, backups, and looking for damage,
//! as an operator does it on the command line.

use std::fs;
use std::path::Path;

use harness::{Options, Platform, creation, tiny};
use serde_json::{Value, json};

use crate::common::{PROGRAM, platform};
use crate::directory::{damage, files};
use crate::upgrade::until;

const SECRET: &str = "xyzzy-secret-of-a-function";

fn answer(platform: &Platform, arguments: &[&str]) -> Value {
    let done = platform.cli(&[&["--output", "json"], arguments].concat());
    assert_eq!(done.code, Some(0), "{arguments:?}: {done:?}");
    serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {}", done.stdout))
}

async fn with_a_secret(platform: &Platform, name: &str) {
    let mut creation = creation(name, &platform.sign(&tiny::constant("7")));
    creation["Environment"] = json!({"Variables": {"KEY": SECRET}});
    platform.create(&creation).await;
}

fn holds_the_secret(data: &Path) -> bool {
    let holds = |path: &Path| {
        let bytes = fs::read(path).unwrap_or_default();
        bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes())
    };
    files(data.to_owned()).iter().any(|path| holds(path))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_tells_who_did_what_and_an_edit_of_it_is_found() {
    let mut platform = platform().await;
    with_a_secret(&platform, "audited").await;
    platform.client.get("/2015-03-31/functions/audited").await.expect(200);
    platform.client.json("POST", "/2015-03-31/functions", &creation("bad", b"nonsense")).await.expect(400);
    let shown = platform.cli(&["--output", "json", "audit", "show"]);
    let entries: Vec<Value> = shown.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |action: &str| entries.iter().find(|entry| entry["action"] == action);
    for action in ["CredentialAdded", "TrustAdded", "CodeAdmitted", "SecretsRead", "CodeRefused"] {
        let entry = of(action).unwrap_or_else(|| panic!("{action} is not in {}", shown.stdout));
        let expect = if action == "CredentialAdded" { "platform" } else { &platform.client.access_key_id };
        assert_eq!(entry["principal"], expect, "{action}");
        assert_eq!(entry["request"].is_string(), action != "CredentialAdded", "{action}");
    }
    assert!(!shown.stdout.contains(SECRET));
    let head = answer(&platform, &["audit", "verify"])["Head"].as_str().unwrap().to_owned();
    platform.trust(&harness_key()).await;
    answer(&platform, &["audit", "verify", "--expect", &head]);
    let exported = platform.home().join("audit.jsonl");
    answer(&platform, &["audit", "export", &exported.display().to_string()]);
    assert!(fs::read_to_string(&exported).unwrap().lines().count() > entries.len());

    platform.stop();
    let log = platform.data().join("audit/00000000000000000001.log");
    let whole = fs::read_to_string(&log).unwrap();
    fs::write(&log, whole.replacen("TrustAdded", "TrustAddef", 1)).unwrap();
    let looked = platform.cli(&["fsck"]);
    assert!(looked.code == Some(1) && looked.stdout.contains("audit"), "{looked:?}");
    fs::write(&log, whole).unwrap();
    assert_eq!(platform.cli(&["fsck"]).code, Some(0));
}

fn harness_key() -> lamina_signing::PublicKey {
    lamina_signing::SecretKey::from_random(&[9; 32]).public()
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_sealed_at_rest_and_the_key_can_be_changed() {
    let mut platform = platform().await;
    with_a_secret(&platform, "sealed").await;
    assert!(!holds_the_secret(&platform.data()));
    let before = fs::read_to_string(platform.data().join("secrets.key")).unwrap();
    answer(&platform, &["secrets", "rotate"]);
    let keys = fs::read_to_string(platform.data().join("secrets.key")).unwrap();
    assert!(keys.ends_with(&before) && keys.len() > before.len(), "the older key still opens");
    until("everything is sealed again", || platform.stderr().contains("sealed again")).await;
    platform.stop();
    // The new key alone opens everything now.
    let first = keys.lines().next().unwrap();
    fs::write(platform.data().join("secrets.key"), format!("{first}\n")).unwrap();
    platform.start_again();
    let read = platform.client.get("/2015-03-31/functions/sealed/configuration").await.expect(200).json();
    assert_eq!(read["Environment"]["Variables"]["KEY"], SECRET);
    assert!(!holds_the_secret(&platform.data()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operators_key_is_not_kept_and_another_one_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, byte: u8| {
        use base64::Engine as _;
        let path = folder.path().join(name);
        fs::write(&path, base64::engine::general_purpose::STANDARD.encode([byte; 32]) + "\n").unwrap();
        path.display().to_string()
    };
    let (right, wrong) = (file("right", 1), file("wrong", 2));
    let options = Options::new(PROGRAM).with(&["--secrets-key-file", &right]);
    let mut platform = Platform::start(options).await;
    with_a_secret(&platform, "sealed").await;
    assert!(!platform.data().join("secrets.key").exists());
    let refused = platform.cli(&["secrets", "rotate"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("operator"), "{refused:?}");
    platform.stop();
    let refused = platform.serve_with(&["--secrets-key-file", &wrong]);
    assert!(refused.code == Some(1) && refused.stderr.contains("not among those given"), "{refused:?}");
    let refused = platform.serve_with(&["--secrets-key-file", &platform.data().join("format").display().to_string()]);
    assert!(refused.code == Some(1) && refused.stderr.contains("base64"), "{refused:?}");
    platform.start_again();
    assert_eq!(platform.invoke("sealed", &json!(null)).await.expect(200).text(), "7");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_brings_a_platform_back_and_a_changed_one_is_refused() {
    let mut platform = platform().await;
    with_a_secret(&platform, "first").await;
    let name = |name: &str| platform.home().join(name).display().to_string();
    let (whole, later, restored) = (name("whole.backup"), name("later.backup"), name("restored"));
    let made = answer(&platform, &["backup", &whole]);
    assert!(made["Artifacts"].as_u64() > Some(0) && made["Since"] == 0, "{made}");
    platform.deploy("second", &tiny::constant("2")).await;
    let increment = answer(&platform, &["backup", &later, "--since", &whole]);
    assert_eq!((&increment["Since"], &increment["Artifacts"]), (&made["Sequence"], &json!(1)));
    let stats = answer(&platform, &["stats"]);
    assert!(stats["Tables"]["function"]["Records"] == 2, "{stats}");

    let mut bytes = fs::read(&whole).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let changed = name("changed.backup");
    fs::write(&changed, bytes).unwrap();
    let refused = platform.cli_alone(&["restore", &changed, "--data", &restored]);
    assert!(refused.code == Some(1) && !Path::new(&restored).exists(), "{refused:?}");

    let done = platform.cli_alone(&["restore", &whole, &later, "--data", &restored]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(platform.cli_alone(&["fsck", "--data", &restored]).code, Some(0));
    platform.kill();
    fs::remove_dir_all(platform.data()).unwrap();
    fs::rename(&restored, platform.data()).unwrap();
    platform.start_again();
    assert_eq!(platform.invoke("first", &json!(null)).await.expect(200).text(), "7");
    assert_eq!(platform.invoke("second", &json!(null)).await.expect(200).text(), "2");
}

/// The advice that is given helps.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_damaged_code_says_which_and_leaves_no_file() {
    use base64::Engine as _;
    let platform = platform().await;
    platform.deploy("sound", &tiny::constant("1")).await;
    let code = platform.sign(&test_guests::component("guest-function"));
    platform.create(&creation("hurt", &code)).await;
    let shown = platform.client.get("/2015-03-31/functions/hurt/configuration").await.expect(200).json();
    let digest = base64::engine::general_purpose::STANDARD.decode(shown["CodeSha256"].as_str().unwrap()).unwrap();
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    damage(&platform.data().join("artifacts/sha256").join(&digest[..2]).join(&digest[2..]));
    let file = platform.home().join("hurt.backup");
    let words = ["backup", file.to_str().unwrap()];
    let refused = platform.cli(&words).exited(1).stderr;
    for text in ["could not make the backup", &digest, "the code of hurt:$LATEST, is damaged", "deploy that code again"]
    {
        assert!(refused.contains(text), "`{text}`: {refused}");
    }
    let left: Vec<_> = files(platform.home().to_owned()).into_iter().filter(|path| is_backup(path)).collect();
    assert_eq!(left, Vec::<std::path::PathBuf>::new());
    assert!(platform.stderr().contains("a backup broke off"), "{}", platform.stderr());
    let again = json!({"ZipFile": base64::engine::general_purpose::STANDARD.encode(&code)});
    platform.client.json("PUT", "/2015-03-31/functions/hurt/code", &again).await.expect(200);
    platform.active("hurt").await;
    answer(&platform, &words);
    assert!(file.exists());
}

fn is_backup(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().contains("hurt.backup"))
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_is_named_and_what_can_be_mended_is() {
    let mut platform = platform().await;
    platform.deploy("kept", &tiny::constant("7")).await;
    let busy = platform.cli(&["fsck"]);
    assert!(busy.code != Some(0) && busy.stderr.contains("in use"), "{busy:?}");
    platform.stop();
    assert_eq!(platform.cli(&["fsck"]).code, Some(0));
    // The index can be made again.
    fs::write(platform.data().join("sled/db"), b"not an index").unwrap();
    let looked = platform.cli(&["fsck"]);
    assert!(looked.code == Some(1) && looked.stdout.contains("sled"), "{looked:?}");
    let mended = platform.cli(&["fsck", "--repair"]);
    assert_eq!(mended.code, Some(0), "{mended:?}");
    platform.start_again();
    assert_eq!(platform.invoke("kept", &json!(null)).await.expect(200).text(), "7");
    platform.stop();
    // The journal cannot.
    let journal = files(platform.data().join("journal"));
    let first = journal.iter().min().unwrap();
    damage(first);
    let refused = platform.serve_again();
    assert!(refused.code == Some(1) && refused.stderr.contains("damaged at byte"), "{refused:?}");
    let looked = platform.cli(&["fsck", "--repair"]);
    assert!(looked.code == Some(1) && looked.stdout.contains("journal/"), "{looked:?}");
}
