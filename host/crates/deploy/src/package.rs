//! The component inside an upload: the upload itself, or `bootstrap.wasm` in a
//! zip that holds nothing else. Packages of more files come with managed runtimes.

use std::io::{Cursor, Read as _};

use bytes::Bytes;
use lamina_types::limits::{PACKAGE_UNZIPPED_BYTES_MAX, PACKAGE_ZIPPED_BYTES_MAX};
use zip::ZipArchive;

use crate::error::DeployError;

const BOOTSTRAP: &str = "bootstrap.wasm";
/// Lambda's other name for it: counts when its bytes are WebAssembly.
const BOOTSTRAP_BARE: &str = "bootstrap";
const WASM: &[u8] = b"\0asm";
/// Lambda's words (recorded).
pub(crate) const UNREADABLE: &str = "Could not unzip uploaded file. Please check your file, then try to upload again.";
/// Entries that are looked at: folders among them hold nothing.
const ENTRIES_MAX: usize = 1_000;
/// How many of a zip's entries an error names.
const ENTRIES_NAMED_MAX: usize = 5;

fn refused(text: impl Into<String>) -> DeployError {
    DeployError::Package(text.into())
}

/// The component's bytes. Bytes that are neither a zip nor WebAssembly come back
/// as they are, for the validator to name.
pub(crate) fn component(upload: &Bytes) -> Result<Bytes, DeployError> {
    if upload.len() > PACKAGE_ZIPPED_BYTES_MAX {
        return Err(refused(format!("Zipped size must be smaller than {PACKAGE_ZIPPED_BYTES_MAX} bytes")));
    }
    if upload.starts_with(b"PK") { unzip(upload) } else { Ok(upload.clone()) }
}

fn unzip(upload: &[u8]) -> Result<Bytes, DeployError> {
    let mut archive = ZipArchive::new(Cursor::new(upload)).map_err(|_| refused(UNREADABLE))?;
    let at = bootstrap(&archive)?;
    let file = archive.by_index(at).map_err(|_| refused(UNREADABLE))?;
    let mut bytes = Vec::new();
    // The declared size is a claim: what is read is bounded.
    let most = PACKAGE_UNZIPPED_BYTES_MAX as u64;
    file.take(most + 1).read_to_end(&mut bytes).map_err(|_| refused(UNREADABLE))?;
    if bytes.len() > PACKAGE_UNZIPPED_BYTES_MAX {
        return Err(refused(format!("Unzipped size must be smaller than {PACKAGE_UNZIPPED_BYTES_MAX} bytes")));
    }
    if !bytes.starts_with(WASM) {
        return Err(refused(format!("the file {BOOTSTRAP} in the zip is not WebAssembly")));
    }
    Ok(bytes.into())
}

/// Where the component is in a zip that holds no other file.
fn bootstrap(archive: &ZipArchive<Cursor<&[u8]>>) -> Result<usize, DeployError> {
    if archive.len() > ENTRIES_MAX {
        return Err(refused(format!("the zip has {} entries; {ENTRIES_MAX} are allowed", archive.len())));
    }
    let files: Vec<(usize, &[u8])> =
        archive.file_names_raw().enumerate().filter(|(_, name)| !name.ends_with(b"/")).collect();
    if let [(at, only)] = files.as_slice()
        && (*only == BOOTSTRAP.as_bytes() || *only == BOOTSTRAP_BARE.as_bytes())
    {
        return Ok(*at);
    }
    let shown = |name: &[u8]| String::from_utf8_lossy(name).chars().take(100).collect::<String>();
    let names: Vec<String> = files.iter().map(|(_, name)| shown(name)).collect();
    let others: Vec<&str> = names.iter().map(String::as_str).filter(|name| *name != BOOTSTRAP).collect();
    if names.len() == others.len() {
        return Err(refused(format!("the zip has no file {BOOTSTRAP} at its root: put the signed component there")));
    }
    let named = others.iter().take(ENTRIES_NAMED_MAX).copied().collect::<Vec<_>>().join(", ");
    Err(refused(format!(
        "the zip holds more than {BOOTSTRAP}, which is not supported yet: {named}; deploy the component alone"
    )))
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn zip(entries: &[(&str, &[u8])]) -> Bytes {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner().into()
    }

    fn check(upload: &Bytes, expect: &str) {
        let error = component(upload).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    }

    #[test]
    fn the_component_is_taken_out() {
        let wasm = b"\0asm\x0d\0\x01\0".as_slice();
        assert_eq!(component(&Bytes::from_static(wasm)).unwrap(), wasm);
        assert_eq!(component(&zip(&[("empty/", b""), ("bootstrap.wasm", wasm)])).unwrap(), wasm);
        for name in ["bootstrap.wasm", "bootstrap"] {
            assert_eq!(component(&zip(&[(name, wasm)])).unwrap(), wasm, "{name}");
        }
        assert_eq!(component(&Bytes::from_static(b"text")).unwrap(), "text");
    }

    #[test]
    fn other_zips_are_refused() {
        check(&zip(&[]), "has no file bootstrap.wasm");
        check(&zip(&[("index.js", b"x")]), "has no file bootstrap.wasm");
        check(&zip(&[("bootstrap.wasm", b"\0asm"), ("../../etc/passwd", b"x")]), "../../etc/passwd; deploy");
        check(&zip(&[("bootstrap", b"#!/bin/sh")]), "is not WebAssembly");
        check(&Bytes::from_static(b"PK\x03\x04garbage"), "Could not unzip uploaded file.");
        let mut cut = zip(&[("bootstrap.wasm", &[7; 100])]).to_vec();
        cut.truncate(60);
        check(&cut.into(), "Could not unzip uploaded file.");
    }

    #[test]
    fn what_unpacks_too_large_is_refused() {
        let bomb = zip(&[("bootstrap.wasm", &vec![0; PACKAGE_UNZIPPED_BYTES_MAX + 1])]);
        assert!(bomb.len() < 1 << 20);
        check(&bomb, "Unzipped size must be smaller than 262144000 bytes");
        check(&vec![0; PACKAGE_ZIPPED_BYTES_MAX + 1].into(), "Zipped size must be smaller than 52428800 bytes");
    }
}
