//! What is fetched once and kept outside the checkout: `LAMINA_TEST_CACHE`, else
//! `~/.cache/lamina/tests`. A name says what is inside, versions and all, so what
//! is there is never changed and a later run needs no network.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use lamina_types::Digest;

/// Written when everything is there.
const COMPLETE: &str = ".complete";

fn folder() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("LAMINA_TEST_CACHE").unwrap_or_else(|| {
        let cache = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
        cache.expect("HOME or LAMINA_TEST_CACHE says where to keep what the tests fetch").join("lamina/tests")
    })
}

/// The folder of this name, made by `make` if it is not complete. Other test
/// processes wait meanwhile. `make` is handed an empty folder and panics if it
/// cannot fill it.
pub fn once(name: &str, make: impl FnOnce(&Path)) -> PathBuf {
    let folder = folder();
    fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let made = folder.join(name);
    if made.join(COMPLETE).exists() {
        return made;
    }
    let lock = File::create(folder.join(format!("{name}.lock"))).expect("a lock's file");
    lock.lock().expect("a lock");
    if !made.join(COMPLETE).exists() {
        // What an interrupted set-up left.
        let _ = fs::remove_dir_all(&made);
        fs::create_dir_all(&made).expect("an empty folder");
        make(&made);
        fs::write(made.join(COMPLETE), "").expect("a mark that it is complete");
    }
    made
}

/// A short name for contents.
pub fn fingerprint(parts: &[&[u8]]) -> String {
    let digests: Vec<String> = parts.iter().map(|part| Digest::of(part).to_string()).collect();
    Digest::of(digests.join("\n").as_bytes()).to_string().chars().take(12).collect()
}
