//! A `wasi:http` component made by other people's tools: a `fetch` server in
//! JavaScript, built with jco's componentize.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::cache;
use crate::componentize;
use crate::process;

const TOOLS: [(&str, &str); 4] = [
    ("package.json", include_str!("js/package.json")),
    ("package-lock.json", include_str!("js/package-lock.json")),
    (".npmrc", include_str!("js/.npmrc")),
    ("build.mjs", include_str!("js/build.mjs")),
];
const SOURCE: &str = include_str!("js/server.js");
const WORLD: &str = include_str!("js/world.wit");
/// The WASI release that our WIT is of, and the one that the tool's engine wants:
/// the same interfaces under another number.
const RELEASES: (&str, &str) = ("0.2.12", "0.2.10");
const SETUP_MAX: Duration = Duration::from_secs(600);

/// The component. Its server answers `/echo` with the body and status 201, throws
/// at `/fail`, and streams three words elsewhere.
pub fn server() -> Vec<u8> {
    let wit = wit_deps();
    let mut parts: Vec<&[u8]> = TOOLS.iter().map(|(_, text)| text.as_bytes()).collect();
    let tools = format!("jco-{}", cache::fingerprint(&parts));
    parts.extend([SOURCE.as_bytes(), WORLD.as_bytes()]);
    parts.extend(wit.iter().map(|(_, text)| text.as_bytes()));
    let made = cache::once(&format!("jco-server-{}", cache::fingerprint(&parts)), |folder| {
        build(folder, &cache::once(&tools, install), &wit);
    });
    fs::read(made.join("server.wasm")).expect("the component that was built")
}

fn wit_deps() -> Vec<(String, String)> {
    let files = componentize::wit_deps().into_iter();
    files.map(|(name, text)| (name, text.replace(RELEASES.0, RELEASES.1))).collect()
}

fn install(folder: &Path) {
    eprintln!("setting up jco in {}", folder.display());
    for (name, text) in TOOLS {
        fs::write(folder.join(name), text).expect("a file in the new folder");
    }
    // Without install scripts: they would fetch from elsewhere, and are not needed.
    let npm = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
    let installed = process::run(Command::new("npm").args(npm).current_dir(folder), SETUP_MAX);
    assert_eq!(
        installed.code,
        Some(0),
        "jco could not be installed; the first run of these tests needs the network:\n{}",
        installed.stderr
    );
}

fn build(folder: &Path, tools: &Path, wit: &[(String, String)]) {
    eprintln!("building a component with jco in {}", folder.display());
    fs::create_dir_all(folder.join("wit/deps")).expect("a folder in the new one");
    fs::write(folder.join("wit/world.wit"), WORLD).expect("a file in the new folder");
    for (name, text) in wit {
        fs::write(folder.join("wit/deps").join(name), text).expect("a file in the new folder");
    }
    fs::write(folder.join("server.js"), SOURCE).expect("a file in the new folder");
    let mut command = Command::new("node");
    command.arg(tools.join("build.mjs")).arg(folder.join("server.js")).arg(folder.join("wit"));
    command.arg("server").arg(folder.join("server.wasm"));
    process::run(&mut command, SETUP_MAX).ok();
}
