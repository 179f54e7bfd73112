//! What an upload is: a component, alone or in a zip that holds nothing else, or a
//! package of files for a managed runtime. The value of `Runtime` says which.

use bytes::Bytes;
use lamina_package::{BOOTSTRAP, Fault, Package, ZipError};
use lamina_types::limits::{PACKAGE_UNZIPPED_BYTES_MAX, PACKAGE_ZIPPED_BYTES_MAX};

use crate::error::DeployError;

#[cfg(test)]
const WASM: &[u8] = b"\0asm";
/// Lambda's words (recorded).
pub(crate) const UNREADABLE: &str = "Could not unzip uploaded file. Please check your file, then try to upload again.";
/// Lambda's words for a zip without a file.
const EMPTY: &str = "Uploaded file must be a non-empty zip";
/// How many of a zip's entries an error names.
const ENTRIES_NAMED_MAX: usize = 5;

fn refused(text: impl Into<String>) -> DeployError {
    DeployError::Package(text.into())
}

/// Lambda's words where it has some, and what is wrong.
pub(crate) fn unread(error: &ZipError) -> DeployError {
    if error.fault == Fault::Unzipped {
        return refused(format!("Unzipped size must be smaller than {PACKAGE_UNZIPPED_BYTES_MAX} bytes"));
    }
    if error.is_unreadable() {
        return refused(format!("{UNREADABLE} Reason: {error}."));
    }
    refused(error.to_string())
}

fn check_size(upload: &Bytes) -> Result<(), DeployError> {
    if upload.len() > PACKAGE_ZIPPED_BYTES_MAX {
        return Err(refused(format!("Zipped size must be smaller than {PACKAGE_ZIPPED_BYTES_MAX} bytes")));
    }
    Ok(())
}

/// The component's bytes. Bytes that are neither a zip nor WebAssembly come back
/// as they are, for the validator to name. `whole` is asked about a zip that holds more
/// than a component, which must be signed as a whole.
pub(crate) fn component(
    upload: &Bytes,
    whole: impl FnOnce(&Package<'_>) -> Result<(), DeployError>,
) -> Result<Bytes, DeployError> {
    check_size(upload)?;
    if !upload.starts_with(b"PK") {
        return Ok(upload.clone());
    }
    let package = Package::read(upload).map_err(|error| unread(&error))?;
    if package.bootstrap().is_none() {
        if package.files().iter().any(|file| file.name == BOOTSTRAP) {
            whole(&package)?;
        }
        return Err(no_bootstrap(&package));
    }
    match package.component().map_err(|error| unread(&error))? {
        Some(component) => Ok(component.into()),
        None => Err(refused(format!("the file {BOOTSTRAP} in the zip is not WebAssembly"))),
    }
}

/// Why a zip is no component.
fn no_bootstrap(package: &Package<'_>) -> DeployError {
    let files = package.files();
    let shown = |name: &str| name.chars().take(100).collect::<String>();
    let others: Vec<String> = files.iter().map(|file| file.name).filter(|name| *name != BOOTSTRAP).map(shown).collect();
    if files.len() == others.len() {
        return refused(format!(
            "the zip has no file {BOOTSTRAP} at its root: put the signed component there, or name the managed runtime \
             that runs its files (nodejs22.x, python3.13) as Runtime"
        ));
    }
    let named = others.iter().take(ENTRIES_NAMED_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    refused(format!(
        "the zip holds more than {BOOTSTRAP}, which is not supported yet for a component: {named}; deploy the component \
         alone"
    ))
}

/// The files for a managed runtime; all are there, and none is unpacked yet.
pub(crate) fn files<'a>(upload: &'a Bytes, runtime: &str) -> Result<Package<'a>, DeployError> {
    check_size(upload)?;
    if upload.starts_with(b"\0asm") {
        return Err(refused(format!(
            "{UNREADABLE} Reason: it is a component, and {runtime} runs a zip of files: say Runtime provided.al2023."
        )));
    }
    let package = Package::read(upload).map_err(|error| unread(&error))?;
    if package.files().is_empty() {
        return Err(refused(EMPTY));
    }
    Ok(package)
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

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
        let error = component(upload, |_| Ok(())).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    }

    #[test]
    fn the_component_is_taken_out() {
        let wasm = b"\0asm\x0d\0\x01\0".as_slice();
        assert_eq!(component(&Bytes::from_static(wasm), |_| Ok(())).unwrap(), wasm);
        for name in ["bootstrap.wasm", "bootstrap"] {
            assert_eq!(component(&zip(&[(name, wasm)]), |_| Ok(())).unwrap(), wasm, "{name}");
        }
        assert_eq!(component(&Bytes::from_static(b"text"), |_| Ok(())).unwrap(), "text");
    }

    #[test]
    fn other_zips_are_refused() {
        check(&zip(&[]), "has no file bootstrap.wasm");
        check(&zip(&[("index.js", b"x")]), "has no file bootstrap.wasm");
        check(&zip(&[("bootstrap.wasm", b"\0asm"), ("../../etc/passwd", b"x")]), "../../etc/passwd");
        check(&zip(&[("bootstrap.wasm", b"\0asm"), ("asset", b"x")]), "asset; deploy");
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

    #[test]
    fn packages_hold_files() {
        let check = |upload: &Bytes, expect: &str| {
            let error = files(upload, "python3.13").unwrap_err().to_string();
            assert!(error.contains(expect), "{error}");
        };
        assert_eq!(files(&zip(&[("a.py", b"x"), ("b/c.py", b"")]), "python3.13").unwrap().files().len(), 2);
        check(&zip(&[]), "Uploaded file must be a non-empty zip");
        check(&Bytes::from_static(b"text"), "Could not unzip uploaded file.");
        check(&Bytes::from_static(b"\0asm\x0d\0\x01\0"), "provided.al2023");
        check(&zip(&[("../a.py", b"x")]), "the entry `../a.py` of the zip leads out of the package");
    }
}
