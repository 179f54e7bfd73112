//! Rules for documents: what they promise is there.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::Duration;

use harness::process;

use crate::tree::{files, none, root};

#[test]
fn documents_have_no_trailing_space() {
    let mut findings = Vec::new();
    for file in files(".md") {
        for (number, line) in file.source().lines().enumerate() {
            if line.ends_with([' ', '\t']) {
                findings.push(format!("{}:{}", file.path, number + 1));
            }
        }
    }
    none(findings);
}

/// The names of all functions in the tree's Rust sources.
fn functions() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in files(".rs") {
        for rest in file.source().split("fn ").skip(1) {
            names.insert(rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect());
        }
    }
    names
}

/// A row of the promises is `| promise | `crate`: `test` |`, or says `pending`.
#[test]
fn every_promise_names_its_test() {
    let text = std::fs::read_to_string(root().join("host/SPECIFICATION.md")).expect("host/SPECIFICATION.md");
    let functions = functions();
    let mut findings = Vec::new();
    let mut promises = 0;
    for line in text.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let proof = cells.last().copied().unwrap_or_default();
        if proof == "test" || proof.chars().all(|c| c == '-') {
            continue;
        }
        promises += 1;
        let named: Vec<&str> = proof.split('`').skip(1).step_by(2).collect();
        // A crate's or a file's name comes before its tests.
        let mut tests = named.iter().filter(|name| name.contains('_')).peekable();
        if tests.peek().is_none() && !proof.starts_with("pending") {
            findings.push(format!("no test, and not pending: {line}"));
        }
        for test in tests.filter(|test| !functions.contains(**test)) {
            findings.push(format!("there is no test `{test}`: {line}"));
        }
    }
    assert!(promises >= 5, "the promises were not found");
    none(findings);
}

/// Names of environment variables that begin with our prefix, and where they are used.
fn variables() -> BTreeMap<String, String> {
    const PREFIX: &str = concat!("LAMINA", "_");
    let mut found = BTreeMap::new();
    for file in files(".rs") {
        for rest in file.source().split(PREFIX).skip(1) {
            let name: String = rest.chars().take_while(|c| c.is_ascii_uppercase() || *c == '_').collect();
            if !name.is_empty() {
                found.entry(format!("{PREFIX}{name}")).or_insert_with(|| file.path.clone());
            }
        }
    }
    found
}

#[test]
fn every_environment_variable_is_documented() {
    let mut documents = std::fs::read_to_string(root().join("README.md")).expect("README.md");
    let home = tempfile::tempdir().expect("a folder");
    for arguments in [["--help"].as_slice(), &["serve", "--help"], &["deploy", "--help"], &["sign", "--help"]] {
        let mut command: Command = process::command(env!("CARGO_BIN_EXE_lamina-tested"), home.path());
        documents.push_str(&process::run(command.args(arguments), Duration::from_secs(60)).ok().stdout);
    }
    let words: BTreeSet<&str> = documents.split(|c: char| !(c.is_ascii_uppercase() || c == '_')).collect();
    let findings = variables().into_iter().filter(|(name, _)| !words.contains(name.as_str()));
    none(findings.map(|(name, path)| format!("{name} ({path}) is neither in README.md nor in --help")).collect());
}
