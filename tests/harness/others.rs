//! Handlers and libraries that others wrote (`tests/guests-managed/others`), each in a
//! folder with its packages, as its author has it before a deploy.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::python::{self, SETUP_MAX};
use crate::{cache, process};

const FOLDER: &str = "tests/guests-managed/others";
/// What pip is to fetch for: Lambda's machines, whatever this one is.
const PIP: [&str; 15] = [
    "-m",
    "pip",
    "install",
    "--quiet",
    "--disable-pip-version-check",
    "--require-hashes",
    "--no-deps",
    "--only-binary=:all:",
    "--implementation=cp",
    "--python-version=3.13",
    "--platform=manylinux2014_x86_64",
    "--platform=manylinux_2_28_x86_64",
    "--requirement=requirements.txt",
    "--target",
    ".",
];

/// The list, see its README.
pub fn list() -> Vec<Value> {
    let text = fs::read_to_string(crate::root().join(FOLDER).join("list.json")).expect("the list");
    serde_json::from_str(&text).expect("the list is JSON")
}

/// A copy of the folder of an entry, with its packages installed. The first call
/// fetches them; the folder is not to be changed.
pub fn folder(entry: &Value) -> PathBuf {
    let text = |member: &str| entry[member].as_str();
    let (name, folder) = (text("name").expect("a name"), text("folder").or(text("name")).unwrap_or_default());
    let source = crate::root().join(FOLDER).join(folder);
    let mut parts = vec![entry["copied"].to_string().into_bytes()];
    for file in files(&source) {
        parts.push(file.file_name().expect("a name").as_encoded_bytes().to_vec());
        parts.push(fs::read(&file).expect("a file that can be read"));
    }
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    cache::once(&format!("others-{name}-{}", cache::fingerprint(&parts)), |made| {
        eprintln!("fetching {name} and what it needs to {}", made.display());
        for file in files(&source) {
            fs::copy(&file, made.join(file.file_name().expect("a name"))).expect("a copy");
        }
        install(made);
        for (from, to) in entry["copied"].as_object().into_iter().flatten() {
            fs::copy(made.join(from), made.join(to.as_str().expect("a path"))).expect("a file of the package");
        }
    })
}

/// The files of an entry's own folder, which has none below it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

fn install(folder: &Path) {
    if folder.join("package-lock.json").exists() {
        let npm = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
        fetched(Command::new("npm").args(npm).current_dir(folder));
    }
    if folder.join("requirements.txt").exists() {
        let interpreter = python::environment("pip", "").join("bin/python");
        fetched(Command::new(interpreter).args(PIP).current_dir(folder));
    }
}

fn fetched(command: &mut Command) {
    let ended = process::run(command, SETUP_MAX);
    assert_eq!(
        ended.code,
        Some(0),
        "{command:?} failed; the first run of these tests needs the network:\n{}",
        ended.stderr
    );
}
