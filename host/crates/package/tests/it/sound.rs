//! Zips that other tools make are read, and ours by them.

use std::collections::BTreeMap;
use std::process::Command;

use lamina_package::{Package, Writer, sign};
use lamina_signing::SecretKey;

/// Runs a tool in a folder; `None` where there is none.
fn run(folder: &std::path::Path, program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).current_dir(folder).output().ok()?;
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

fn files(zip: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let package = Package::read(zip).unwrap();
    package.files().into_iter().map(|file| (file.name.to_owned(), file.content().unwrap().into_owned())).collect()
}

fn expected() -> BTreeMap<String, Vec<u8>> {
    [("a.py", "x".repeat(1_000)), ("lib/b.py", "b".into()), ("lib/\u{e4}", String::new())]
        .map(|(name, text)| (name.to_owned(), text.into_bytes()))
        .into()
}

/// Python makes the zips of most functions in Python, also to a pipe, as a streaming
/// writer does. It reads ours.
#[test]
fn pythons_zips() {
    let folder = tempfile::tempdir().unwrap();
    let script = "\
import io, sys, zipfile
names = {'a.py': 'x' * 1000, 'lib/b.py': 'b', 'lib/\\u00e4': ''}
class Pipe(io.RawIOBase):
    def __init__(self): self.all = b''
    def writable(self): return True
    def write(self, data): self.all += bytes(data); return len(data)
for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(f'{method}.zip', 'w', method) as archive:
        archive.mkdir('lib') if hasattr(archive, 'mkdir') else None
        for name, text in names.items(): archive.writestr(name, text)
    pipe = Pipe()
    with zipfile.ZipFile(pipe, 'w', method) as archive:
        for name, text in names.items(): archive.writestr(name, text)
    open(f'{method}.pipe.zip', 'wb').write(pipe.all)
ours = zipfile.ZipFile('ours.zip')
assert ours.testzip() is None
print(sorted(ours.namelist()))
";
    let mut writer = Writer::new();
    for (name, content) in expected() {
        writer.file(&name, 0o644, &content).unwrap();
    }
    let ours = sign(&writer.finish(), &SecretKey::from_random(&[1; 32])).unwrap().bytes;
    std::fs::write(folder.path().join("ours.zip"), ours).unwrap();
    let said = run(folder.path(), "python3", &["-c", script]).expect("python3 is there for the tests");
    assert_eq!(said.trim(), "['META-INF/lamina.sig', 'a.py', 'lib/b.py', 'lib/\u{e4}']");
    for name in ["0.zip", "8.zip", "0.pipe.zip", "8.pipe.zip"] {
        let zip = std::fs::read(folder.path().join(name)).unwrap();
        assert_eq!(files(&zip), expected(), "{name}");
    }
}

/// Info-ZIP's, with folders, times and owners, where it is installed.
#[test]
fn info_zips() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("lib")).unwrap();
    for (name, content) in expected() {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    if run(folder.path(), "zip", &["-q", "-r", "f.zip", "a.py", "lib"]).is_some() {
        assert_eq!(files(&std::fs::read(folder.path().join("f.zip")).unwrap()), expected());
    }
}

#[test]
fn packing_is_reproducible() {
    let made = || {
        let mut writer = Writer::new();
        writer.file("a", 0o755, &[7; 500]).unwrap();
        writer.file("b/c", 0o644, b"").unwrap();
        writer.finish()
    };
    assert_eq!(made(), made());
    let zip = made();
    let package = Package::read(&zip).unwrap();
    let modes: Vec<(&str, u16)> = package.files().iter().map(|file| (file.name, file.mode)).collect();
    assert_eq!(modes, [("a", 0o755), ("b/c", 0o644)]);
    assert!(Writer::new().file("../a", 0o644, b"").is_err());
    assert!(Writer::new().file("a/", 0o644, b"").is_err());
}
