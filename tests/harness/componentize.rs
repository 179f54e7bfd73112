//! A `wasi:http` component made by other people's tools: a server in Python, built
//! with componentize-py, which brings an interpreter along.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cache;
use crate::process;
use crate::python;

const REQUIREMENTS: &str = include_str!("componentize/requirements.txt");
const SOURCE: &str = include_str!("componentize/app.py");
const WORLD: &str = include_str!("componentize/world.wit");

/// The component. Its server answers `/echo` with the body and status 201, raises an
/// exception at `/fail`, and says three words elsewhere.
pub fn server() -> Vec<u8> {
    let wit = wit_deps();
    let mut parts = vec![REQUIREMENTS.as_bytes(), SOURCE.as_bytes(), WORLD.as_bytes()];
    parts.extend(wit.iter().map(|(_, text)| text.as_bytes()));
    let made = cache::once(&format!("componentize-py-server-{}", cache::fingerprint(&parts)), |folder| {
        build(folder, &python::environment("componentize-py", REQUIREMENTS), &wit);
    });
    fs::read(made.join("server.wasm")).expect("the component that was built")
}

/// WASI as this platform has it, each file by its name.
pub(crate) fn wit_deps() -> Vec<(String, String)> {
    let folder = crate::root().join("wit/deps");
    let entries = fs::read_dir(folder).expect("wit/deps").map(|entry| entry.expect("an entry of wit/deps").path());
    let mut files: Vec<(String, String)> = entries
        .map(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            (name, fs::read_to_string(path).expect("a WIT file"))
        })
        .collect();
    files.sort();
    files
}

fn build(folder: &Path, tools: &Path, wit: &[(String, String)]) {
    eprintln!("building a component with componentize-py in {}", folder.display());
    fs::create_dir_all(folder.join("wit/deps")).expect("a folder in the new one");
    fs::write(folder.join("wit/world.wit"), WORLD).expect("a file in the new folder");
    for (name, text) in wit {
        fs::write(folder.join("wit/deps").join(name), text).expect("a file in the new folder");
    }
    fs::write(folder.join("app.py"), SOURCE).expect("a file in the new folder");
    let mut command = Command::new(tools.join("bin/componentize-py"));
    command.args(["-d", "wit", "-w", "server", "componentize", "-p", ".", "app", "-o", "server.wasm"]);
    process::run(command.current_dir(folder), python::SETUP_MAX).ok();
}
