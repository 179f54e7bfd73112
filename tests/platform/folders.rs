//! `lamina deploy NAME ./folder`: what of it is packed, what runs it, and how its
//! TypeScript arrives. The test's own runtime stands in for the interpreters.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use harness::{Finished, Platform};
use serde_json::{Value, json};

use crate::common::platform;
use crate::runtimes::install;

/// Writes files below a new folder of the platform's home.
fn folder(platform: &Platform, name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = platform.home().join(name);
    for (name, text) in files {
        let file = folder.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    folder
}

/// Writes the key that the platform trusts.
fn key(platform: &Platform, file: &Path) {
    fs::write(file, platform.key().to_pem().unwrap().as_str()).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
}

fn deploy(platform: &Platform, name: &str, folder: &Path, more: &[&str]) -> Finished {
    platform.cli(&[&["deploy", name, folder.to_str().unwrap()], more].concat())
}

async fn configuration(platform: &Platform, name: &str) -> Value {
    platform.client.get(&format!("/2015-03-31/functions/{name}/configuration")).await.expect(200).json()
}

/// The names and modes in the function's package.
async fn packed(platform: &Platform, name: &str) -> Vec<(String, u32)> {
    let answer = platform.client.get(&format!("/2015-03-31/functions/{name}")).await.expect(200).json();
    let location = answer["Code"]["Location"].as_str().unwrap();
    let path = location.split_once("://").unwrap().1.split_once('/').unwrap().1;
    let request = harness::http::request("GET", &format!("/{path}"), "");
    let zip = harness::http::send(&platform.client.authority, request).await.expect(200).body;
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(zip)).unwrap();
    let count = archive.len();
    let entry = |at| {
        let entry = archive.by_index(at).unwrap();
        (entry.name().unwrap().into_owned(), entry.unix_mode().unwrap() & 0o777)
    };
    (0..count).map(entry).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_packed_signed_and_run() {
    let platform = platform().await;
    install(&platform, "javascript").await;
    let source = "interface Event { name: string }\nenum Kind { A = 3 }\n\
                  export const handler = async (event: Event): Promise<number> => Kind.A as number;\n";
    let files = [
        ("index.ts", source),
        ("index.txt", "handler: say from a folder"),
        ("lib/util.mts", "export const x: number = 1;"),
        ("lib/bad.ts", "let a: = 1;"),
        ("node_modules/dep/index.js", "exports.x = 1;"),
        ("run.sh", "#!/bin/sh\n"),
        // What no function needs, and what its author leaves out.
        (".git/config", "x"),
        ("node_modules/.cache/x", "x"),
        ("__pycache__/a.pyc", "x"),
        (".laminaignore", "# notes\n*.md\nsecret/\n/dist/*.map\n"),
        ("README.md", "x"),
        ("lib/more.md", "x"),
        ("secret/token", "x"),
        ("dist/a.map", "x"),
        ("lib/dist/a.map", "x"),
    ];
    let folder = folder(&platform, "typed", &files);
    fs::set_permissions(folder.join("run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    // The key that lies in the folder by mistake does not travel.
    let key_file = folder.join("author.key");
    key(&platform, &key_file);
    let with_key = ["--key", key_file.to_str().unwrap()];
    let refused = deploy(&platform, "typed", &folder, &[]).exited(1);
    assert!(refused.stderr.contains("CodeVerificationFailedException"), "{}", refused.stderr);
    fs::write(folder.join(".laminaignore"), "# notes\n*.md\nsecret/\n/dist/*.map\n").unwrap();
    let said = deploy(&platform, "typed", &folder, &with_key).ok();
    assert!(format!("{}{}", said.stdout, said.stderr).contains("packed 7 files"), "{said:?}");

    let own = configuration(&platform, "typed").await;
    assert_eq!((&own["Runtime"], &own["Handler"]), (&json!("nodejs22.x"), &json!("index.handler")));
    let names = packed(&platform, "typed").await;
    let expect = [
        ("index.ts", 0o644),
        ("index.txt", 0o644),
        ("lib/bad.ts", 0o644),
        ("lib/dist/a.map", 0o644),
        ("lib/util.mts", 0o644),
        ("node_modules/dep/index.js", 0o644),
        ("run.sh", 0o755),
        ("META-INF/lamina.sig", 0o644),
    ];
    let expect: Vec<(String, u32)> = expect.iter().map(|(name, mode)| ((*name).to_owned(), *mode)).collect();
    assert_eq!(names, expect);
    assert_eq!(platform.invoke("typed", &json!({})).await.expect(200).text(), "from a folder\n");
    erased(&platform.data().join("artifacts/packages"));

    // The same files are the same package; another is another.
    let again = deploy(&platform, "typed", &folder, &with_key).ok();
    assert_eq!(configuration(&platform, "typed").await["CodeSha256"], own["CodeSha256"], "{again:?}");
    fs::write(folder.join("index.txt"), "handler: say something else").unwrap();
    deploy(&platform, "typed", &folder, &with_key).ok();
    assert_eq!(platform.invoke("typed", &json!({})).await.expect(200).text(), "something else\n");
}

/// The one package that is unpacked has JavaScript beside its TypeScript.
fn erased(packages: &Path) {
    let folders: Vec<PathBuf> = fs::read_dir(packages).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [folder] = folders.as_slice() else { panic!("{folders:?}") };
    let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let code = text("index.js");
    assert!(code.contains("export const handler = async (event)") && !code.contains("Promise"), "{code}");
    assert!(code.contains("Kind") && code.ends_with("//# sourceMappingURL=index.js.map\n"), "{code}");
    assert!(text("index.js.map").contains("\"sources\":[\"index.ts\"]"));
    assert!(text("lib/util.mjs").starts_with("export const x = 1;"));
    assert!(text("lib/bad.js").starts_with("throw new SyntaxError(\"lib/bad.ts: 1:8: "), "{}", text("lib/bad.js"));
    assert!(!folder.join("META-INF").exists(), "the signature is not unpacked");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_a_folder_is_guessed_or_said() {
    let platform = platform().await;
    install(&platform, "python").await;
    let key_file = platform.home().join("author.key");
    key(&platform, &key_file);
    let with_key = ["--key", key_file.to_str().unwrap()];
    let python = [
        ("app.py", "def lambda_handler(event, context):\n    return event\n"),
        ("app.txt", "lambda_handler: say guessed\nother: say said"),
    ];
    let python = folder(&platform, "python", &python);
    deploy(&platform, "guessed", &python, &with_key).ok();
    let own = configuration(&platform, "guessed").await;
    assert_eq!((&own["Runtime"], &own["Handler"]), (&json!("python3.13"), &json!("app.lambda_handler")));
    assert_eq!(platform.invoke("guessed", &json!({})).await.expect(200).text(), "guessed\n");
    let said = [&with_key[..], &["--runtime", "python3.9", "--handler", "app.other"]].concat();
    deploy(&platform, "guessed", &python, &said).ok();
    let own = configuration(&platform, "guessed").await;
    assert_eq!((&own["Runtime"], &own["Handler"]), (&json!("python3.9"), &json!("app.other")));
    assert_eq!(platform.invoke("guessed", &json!({})).await.expect(200).text(), "said\n");

    let check = |name: &str, files: &[(&str, &str)], code: i32, says: &str| {
        let folder = folder(&platform, name, files);
        let ended = deploy(&platform, name, &folder, &with_key).exited(code);
        assert!(ended.stderr.contains(says), "{name}: {}", ended.stderr);
    };
    check("unknown", &[("readme.txt", "x")], 2, "there is no module of a usual name");
    check(
        "both",
        &[("index.mjs", "x"), ("app.py", "x")],
        2,
        "it could be nodejs22.x with index.handler, or python3.13",
    );
    check("empty", &[(".laminaignore", "# nothing\n")], 1, "the package holds no file");
    let bad = [("app.py", ""), (".laminaignore", "*.md\n!keep.md\n")];
    check("pattern", &bad, 2, "line 2 of .laminaignore, `!keep.md`: nothing can be taken back in");
    check("backslash", &[("app.py", ""), ("a\\b", "")], 1, "the entry `a\\b` of the zip has a backslash in its name");
    // Links are followed, but not out of the folder.
    let links = folder(&platform, "links", &[("app.py", ""), ("lib/one.py", "")]);
    symlink("one.py", links.join("lib/two.py")).unwrap();
    deploy(&platform, "links", &links, &with_key).ok();
    let names: Vec<String> = packed(&platform, "links").await.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["app.py", "lib/one.py", "lib/two.py", "META-INF/lamina.sig"]);
    symlink("/etc/passwd", links.join("users")).unwrap();
    let ended = deploy(&platform, "links", &links, &with_key).exited(1);
    assert!(ended.stderr.contains("it is a link that leads out of the folder"), "{}", ended.stderr);
}
