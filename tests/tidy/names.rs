//! Names that the tree may and may not have.

use std::collections::BTreeSet;

use crate::tree::{files, none};

/// What the top level may hold.
const TOP_LEVEL: &[&str] = &[
    ".cargo",
    ".ci",
    ".clippy.toml",
    ".gitignore",
    ".rustfmt.toml",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "components",
    "guest-sdk",
    "host",
    "tests",
    "wit",
];

#[test]
fn the_top_level_holds_what_it_should() {
    let names: BTreeSet<String> =
        files("").iter().map(|file| file.path.split('/').next().unwrap_or_default().to_owned()).collect();
    let findings = names.into_iter().filter(|name| !TOP_LEVEL.contains(&name.as_str()));
    none(findings.map(|name| format!("{name} is at the top level")).collect());
}

/// Folders of a machine, which another machine does not have.
const MACHINE_PATHS: &[&str] =
    &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];

/// Hosts that packages come from. Each machine has its own settings for these.
const HOSTS: &[&str] = &[
    concat!("py", "pi.org"),
    concat!("python", "hosted.org"),
    concat!("np", "mjs."),
    concat!("index.cra", "tes.io"),
    concat!("static.cra", "tes.io"),
    concat!("static.rust", "-lang.org"),
    concat!("deb", ".debian.org"),
    concat!("security", ".debian.org"),
    concat!("docker", ".io"),
    concat!("gh", "cr.io"),
];

/// Whether `text` has `path` in it as a path from the root, not as a part of another.
fn has_path(text: &str, path: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || "_-.}~)".contains(c);
    text.match_indices(path).any(|(at, _)| !text[..at].ends_with(inner))
}

#[test]
fn nothing_names_this_machine_or_a_registrys_host() {
    let mut findings = Vec::new();
    for file in files("") {
        let Some(text) = file.text() else { continue };
        for (number, line) in text.lines().enumerate() {
            let path = MACHINE_PATHS.iter().find(|path| has_path(line, path));
            let host = HOSTS.iter().find(|host| line.contains(**host));
            if let Some(found) = path.or(host) {
                findings.push(format!("{}:{}: {found}", file.path, number + 1));
            }
        }
    }
    none(findings);
}

/// Folders of a module and the module's file have the same name; no `mod.rs`.
#[test]
fn modules_are_named_files() {
    let named = files(".rs").into_iter().map(|file| file.path).filter(|path| path.ends_with("/mod.rs"));
    none(named.collect());
}
