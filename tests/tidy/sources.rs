//! Rules for Rust sources.

use crate::tree::{File, files, none};

/// Longest file, in lines; inline tests do not count.
const LINES_MAX: usize = 600;
/// Longest file of tests, or of one table.
const TABLE_LINES_MAX: usize = 1_000;

/// Lines that code with a place for `unsafe` may have it in: the engine's loading of
/// compiled code, what the guest SDK's macro writes for the component's exports and what
/// it does before a snapshot, and what the JavaScript runtime does with its engine's C
/// and before a snapshot.
const UNSAFE_FILES: &[&str] = &[
    "host/crates/runtime/src/image.rs",
    "guest-sdk/rust/macros/src/expand.rs",
    "guest-sdk/rust/src/guest/lifecycle.rs",
    "tests/guests/managed/src/snapshot.rs",
    "components/runtimes/javascript/src/engine/raw.rs",
    "components/runtimes/javascript/src/snapshot.rs",
    "components/runtimes/javascript/modules/src/lib.rs",
    "components/runtimes/javascript/modules/src/native/asynchronous.rs",
    "components/runtimes/javascript/modules/src/native/bytes.rs",
];

fn is_test_or_table(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    let name = parts.last().copied().unwrap_or_default();
    name == "tests.rs" || name == "table.rs" || parts.contains(&"tests")
}

/// The file without its inline tests.
fn code(source: &str) -> &str {
    source.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default()
}

#[test]
fn files_stay_short() {
    let mut findings = Vec::new();
    for file in files(".rs") {
        let source = file.source();
        let (lines, most) = match is_test_or_table(&file.path) {
            true => (source.lines().count(), TABLE_LINES_MAX),
            false => (code(&source).lines().count(), LINES_MAX),
        };
        if lines > most {
            findings.push(format!("{}: {lines} lines, {most} are allowed", file.path));
        }
    }
    none(findings);
}

#[test]
fn sources_are_ascii() {
    let mut findings = Vec::new();
    for file in files(".rs") {
        for (number, line) in file.source().lines().enumerate() {
            if let Some(found) = line.chars().find(|c| !c.is_ascii()) {
                findings.push(format!("{}:{}: `{found}`", file.path, number + 1));
            }
        }
    }
    none(findings);
}

/// The code of a line, without a comment at its end.
fn uncommented(line: &str) -> &str {
    let line = line.trim_start();
    if line.starts_with("//") { "" } else { line.split(" // ").next().unwrap_or_default() }
}

#[test]
fn unsafe_code_is_where_it_is_expected() {
    let forms = ["{", "fn ", "impl ", "extern ", "trait "].map(|form| format!("{} {form}", concat!("un", "safe")));
    let attribute = concat!("#[un", "safe(");
    let mut findings = Vec::new();
    for file in files(".rs") {
        let source = file.source();
        let found = source
            .lines()
            .map(uncommented)
            .any(|line| line.contains(attribute) || forms.iter().any(|form| line.contains(form)));
        if found && !UNSAFE_FILES.contains(&file.path.as_str()) {
            findings.push(format!("{}: not one of {UNSAFE_FILES:?}", file.path));
        } else if found && !(source.contains("JUSTIFICATION: ") && source.contains("SAFETY: ")) {
            findings.push(format!("{}: says not why it is needed (JUSTIFICATION) and sound (SAFETY)", file.path));
        }
    }
    none(findings);
}

/// What must not be in a source, each with what to do instead.
const FORBIDDEN: &[(&str, &str)] = &[
    (concat!("#[ign", "ore"), "a test runs or is removed"),
    (concat!("should", "_panic"), "assert the error"),
    (concat!("to", "do!("), "what is missing is an issue"),
    (concat!("unimpl", "emented!("), "what is missing is an issue"),
    (concat!("TO", "DO"), "what is missing is an issue"),
    (concat!("FIX", "ME"), "what is missing is an issue"),
];

#[test]
fn nothing_is_skipped_or_left_open() {
    let mut findings = Vec::new();
    for file in files(".rs") {
        for (number, line) in file.source().lines().enumerate() {
            for (text, instead) in FORBIDDEN.iter().filter(|(text, _)| line.contains(text)) {
                findings.push(format!("{}:{}: `{text}`: {instead}", file.path, number + 1));
            }
        }
    }
    none(findings);
}

/// Every file has its job in its first line, but for the tests of the file above them.
#[test]
fn files_say_what_they_are_for() {
    let documented = |file: &File| {
        let source = file.source();
        file.path.ends_with("/tests.rs") || source.lines().next().is_some_and(|line| line.starts_with("//!"))
    };
    let findings = files(".rs").iter().filter(|file| !documented(file)).map(|file| file.path.clone()).collect();
    none(findings);
}
