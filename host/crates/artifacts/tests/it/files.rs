//! Unpacked packages: all files or none, read-only, and made again when they are not
//! what they were.

use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use lamina_artifacts::{Artifacts, Error, PackageFile};
use lamina_disk::{Seam, Step, System, Verdict};
use lamina_types::Digest;

use crate::support::{files, new_store, open};

const FILES: &[(&str, &str)] = &[("index.mjs", "export"), ("lib/a/b.js", "b"), ("lib/a/empty", ""), ("lib/c.js", "c")];

fn given(content: &[(&str, &str)]) -> Vec<Result<PackageFile, String>> {
    let file = |(name, text): &(&str, &str)| Ok(PackageFile { name: (*name).into(), content: (*text).into() });
    content.iter().map(file).collect()
}

fn unpack(store: &Artifacts, content: &[(&str, &str)]) -> Result<Digest, Error> {
    let (digest, content) = (Digest::of(b"zip"), given(content));
    store.unpack(&digest, || content.clone().into_iter())?;
    Ok(digest)
}

fn package(root: &Path) -> PathBuf {
    root.join("packages").join(Digest::of(b"zip").to_string())
}

/// Whether the directory holds exactly the files, readable only.
fn check(root: &Path) {
    let path = package(root);
    assert_eq!(files(&path), FILES.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    for (name, text) in FILES {
        let file = path.join(name);
        assert_eq!(fs::read_to_string(&file).unwrap(), *text, "{name}");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o400, "{name}");
    }
    assert_eq!(fs::read_dir(root.join("tmp")).unwrap().count(), 0);
}

#[tokio::test]
async fn files_are_unpacked_and_opened_as_a_directory() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let digest = unpack(&store, FILES).unwrap();
    check(folder.path());
    let dir = store.files_dir(&digest).await.unwrap();
    let mut text = String::new();
    dir.open("lib/a/b.js").unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "b");
    assert!(dir.open("../../host.key").is_err());
    assert!(matches!(store.files_dir(&Digest::of(b"other")).await, Err(Error::Unpacked(_))));
}

#[tokio::test]
async fn what_is_not_as_it_was_is_made_again() {
    type Damage = fn(&Path);
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let damages: &[(&str, Damage)] = &[
        ("gone", |path| fs::remove_dir_all(path).unwrap()),
        ("a file is missing", |path| fs::remove_file(path.join("lib/c.js")).unwrap()),
        ("a file more", |path| fs::write(path.join("lib/more.js"), "").unwrap()),
        ("a folder more", |path| fs::create_dir(path.join("more")).unwrap()),
        ("a link more", |path| std::os::unix::fs::symlink("index.mjs", path.join("link")).unwrap()),
        ("other content", |path| {
            fs::remove_file(path.join("lib/c.js")).unwrap();
            fs::write(path.join("lib/c.js"), "d").unwrap();
        }),
        ("shorter", |path| {
            fs::remove_file(path.join("index.mjs")).unwrap();
            fs::write(path.join("index.mjs"), "export".get(..3).unwrap()).unwrap();
        }),
        ("a link instead", |path| {
            fs::rename(path.join("index.mjs"), path.join("../index.mjs")).unwrap();
            std::os::unix::fs::symlink("../index.mjs", path.join("index.mjs")).unwrap();
        }),
        ("a file instead", |path| {
            fs::remove_dir_all(path).unwrap();
            fs::write(path, "x").unwrap();
        }),
    ];
    for (what, damage) in damages {
        unpack(&store, FILES).unwrap();
        damage(&package(folder.path()));
        unpack(&store, FILES).unwrap_or_else(|error| panic!("{what}: {error}"));
        check(folder.path());
        let _ = fs::remove_file(folder.path().join("packages/index.mjs"));
    }
}

#[tokio::test]
async fn a_content_that_cannot_be_given_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let content = [given(FILES), vec![Err("the data is damaged".to_owned())]].concat();
    let digest = Digest::of(b"zip");
    let error = store.unpack(&digest, || content.clone().into_iter()).unwrap_err();
    assert_eq!(error.to_string(), "the data is damaged");
    assert!(files(folder.path()).is_empty());
}

/// Fails the nth step.
struct Nth(Mutex<usize>);

impl Seam for Nth {
    fn before(&self, _: &Step<'_>) -> io::Result<Verdict> {
        let mut left = self.0.lock().unwrap();
        *left = left.wrapping_sub(1);
        Ok(if *left == 0 { Verdict::Tear(1) } else { Verdict::Go })
    }
}

/// Wherever it fails, the next one finds nothing in its way, and no reader a part.
#[tokio::test]
async fn a_step_that_fails_leaves_all_files_or_none() {
    let mut failed = 0;
    for nth in 1..60 {
        let folder = tempfile::tempdir().unwrap();
        drop(open(folder.path()));
        // A damaged one is in the way.
        fs::create_dir(package(folder.path())).unwrap();
        fs::write(package(folder.path()).join("index.mjs"), "torn").unwrap();
        // Opening takes a few.
        let store = match crate::support::try_open(
            folder.path(),
            std::sync::Arc::new(Nth(Mutex::new(nth))),
            std::sync::Arc::new(lamina_kit::FixedClock::at(crate::support::START_MICROS)),
        ) {
            Ok(store) => store,
            Err(_) => continue,
        };
        let unpacked = unpack(&store, FILES);
        failed += usize::from(unpacked.is_err());
        if unpacked.is_ok() {
            assert_eq!(files(&package(folder.path())).len(), FILES.len(), "{nth}");
        } else {
            let left = fs::read(package(folder.path()).join("index.mjs"));
            assert!(left.is_err() || left.unwrap() == b"torn", "{nth}");
        }
        drop(store);
        unpack(&new_store(folder.path(), System).store, FILES).unwrap();
        check(folder.path());
    }
    assert!(failed > 10, "{failed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_may_unpack_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let store = store.clone();
        tasks.spawn(async move {
            let digest = unpack(&store, FILES).unwrap();
            let dir = store.files_dir(&digest).await.unwrap();
            assert_eq!(dir.read_to_string("index.mjs").unwrap(), "export");
        });
    }
    tasks.join_all().await;
    check(folder.path());
}
