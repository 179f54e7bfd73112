//! Who may depend on whom: the table of `host/ARCHITECTURE.md` against the manifests.

use std::collections::BTreeMap;

use crate::manifest::manifests;
use crate::tree::{none, root};

/// A row of the table.
#[derive(Debug)]
struct Row {
    layer: u32,
    /// What it may use beyond layer 0; `None` is everything.
    uses: Option<Vec<String>>,
}

/// The table's rows by crate. A row begins `| LAYER | `CRATE` (uses `A`, `B`) |`.
fn table() -> BTreeMap<String, Row> {
    let text = std::fs::read_to_string(root().join("host/ARCHITECTURE.md")).expect("host/ARCHITECTURE.md");
    let mut rows = BTreeMap::new();
    let section = text.split("\n## ").find(|section| section.starts_with("Layers\n"));
    for line in section.expect("a section `Layers`").lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let (Some(layer), Some(cell)) = (cells.get(1).and_then(|cell| cell.parse().ok()), cells.get(2)) else {
            continue;
        };
        let mut names = cell.split('`').skip(1).step_by(2).map(str::to_owned);
        let name = names.next().unwrap_or_else(|| panic!("no crate in this row: {line}"));
        let uses = (name != "host").then(|| names.collect());
        assert!(rows.insert(name, Row { layer, uses }).is_none(), "two rows for one crate: {line}");
    }
    assert!(rows.len() > 10, "the table of layers was not found: {rows:?}");
    rows
}

#[test]
fn crates_keep_to_their_layers() {
    let rows = table();
    let mut findings = Vec::new();
    let mut seen = Vec::new();
    for manifest in manifests().iter().filter(|manifest| manifest.path.starts_with("host/")) {
        let package = manifest.package().unwrap_or_else(|| panic!("{} has no name", manifest.path));
        let name = package.strip_prefix("lamina-").unwrap_or(package);
        let Some(row) = rows.get(name) else {
            findings.push(format!("{}: {name} has no row in host/ARCHITECTURE.md", manifest.path));
            continue;
        };
        seen.push(name.to_owned());
        let ours = ["dependencies", "build-dependencies"].map(|heading| manifest.dependencies(heading)).concat();
        for dependency in ours.iter().filter_map(|(name, _)| name.strip_prefix("lamina-")) {
            let Some(below) = rows.get(dependency) else {
                findings.push(format!("{name} uses {dependency}, which has no row"));
                continue;
            };
            let named = row.uses.as_ref().is_none_or(|uses| uses.iter().any(|own| own == dependency));
            let free = below.layer == 0 && row.layer > 0;
            if !(named || free) {
                findings.push(format!(
                    "{name} (layer {}) uses {dependency} (layer {}), which its row does not name",
                    row.layer, below.layer
                ));
            } else if below.layer >= row.layer {
                findings.push(format!("{name} (layer {}) uses {dependency} of layer {}", row.layer, below.layer));
            }
        }
    }
    for name in rows.keys().filter(|name| !seen.contains(name)) {
        findings.push(format!("host/ARCHITECTURE.md has a row for {name}, which is not there"));
    }
    none(findings);
}

/// Heavy dependencies and the packages that may name them. `host` opens the
/// directories that it hands out, and is the command line's HTTP client.
const OWNERS: &[(&str, &[&str])] = &[
    ("sled", &["lamina-kv"]),
    ("wasmtime", &["lamina-runtime"]),
    ("wasmtime-wasi", &["lamina-runtime"]),
    ("wasmtime-wasi-http", &["lamina-runtime"]),
    ("wasmtime-wizer", &["lamina-runtime"]),
    ("wasmparser", &["lamina-runtime"]),
    ("cap-std", &["lamina-disk", "lamina-package", "lamina-artifacts", "lamina-runtime", "host"]),
    ("flate2", &["lamina-package", "lamina-otlp", "lamina-javascript-modules"]),
    ("oxc", &["lamina-deploy"]),
    ("ed25519-dalek", &["lamina-signing", "lamina-audit", "lamina-upkeep"]),
    ("hyper", &["lamina-api", "lamina-monitor", "lamina-otlp", "host", "platform-tests"]),
    ("hyper-util", &["lamina-api", "lamina-monitor", "lamina-otlp", "host", "platform-tests"]),
    ("rustls", &["lamina-api", "lamina-otlp", "host"]),
    ("async-nats", &["lamina-cluster"]),
    ("clap", &["host"]),
    ("indicatif", &["host"]),
    ("comfy-table", &["host"]),
    ("tracing-subscriber", &["host"]),
    ("aws-sigv4", &["host", "platform-tests"]),
];

#[test]
fn heavy_dependencies_have_one_owner() {
    let mut findings = Vec::new();
    for manifest in manifests() {
        let Some(package) = manifest.package() else { continue };
        for (name, _) in manifest.dependencies("dependencies") {
            let owners = OWNERS.iter().find(|(heavy, _)| *heavy == name).map(|(_, owners)| *owners);
            if owners.is_some_and(|owners| !owners.contains(&package)) {
                findings.push(format!("{}: only {owners:?} may name {name}", manifest.path));
            }
        }
    }
    none(findings);
}

/// A version stands in one place, its workspace's table.
#[test]
fn versions_stand_in_the_workspaces_table() {
    let mut findings = Vec::new();
    for manifest in manifests().iter().filter(|manifest| manifest.package().is_some()) {
        for heading in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, line) in manifest.dependencies(heading) {
                let inherited = line.replace(' ', "").contains("workspace=true");
                if !inherited {
                    findings
                        .push(format!("{}: {name} does not come from the workspace's table: {line}", manifest.path));
                }
            }
        }
    }
    none(findings);
}

/// `cargo bench -- --json` hands its arguments to every target that has benchmarks.
#[test]
fn only_the_benchmarks_are_benchmarks() {
    let mut findings = Vec::new();
    for manifest in manifests().iter().filter(|manifest| manifest.package().is_some()) {
        let there = |path: &str| root().join(manifest.folder()).join(path).exists();
        for (heading, path) in [("lib", "src/lib.rs"), ("bin", "src/main.rs")] {
            let off = |lines: &[String]| lines.iter().any(|line| line.replace(' ', "") == "bench=false");
            let tables: Vec<&[String]> = manifest.tables(heading).collect();
            // Guests are built for another target, and benchmarked by nobody.
            let guest = manifest.tables("lib").flatten().any(|line| line.contains("cdylib"));
            let silent = tables.is_empty() && there(path);
            if !guest && (silent || !tables.iter().all(|lines| off(lines))) {
                findings.push(format!("{}: [{heading}] does not say `bench = false`", manifest.path));
            }
        }
    }
    none(findings);
}
