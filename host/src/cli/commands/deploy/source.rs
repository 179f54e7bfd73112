//! What is deployed: a component, a zip, a file in JavaScript, TypeScript or Python, or
//! a folder of them.

use std::path::Path;

use lamina_package::Package;
use lamina_types::limits::PACKAGE_ZIPPED_BYTES_MAX;

use super::folder::{self, Files};
use super::guess::{self, Guess};
use crate::cli::commands::zip;
use crate::cli::failure::Failure;
use crate::cli::files;

/// The largest module that is looked into for its handler.
const MODULE_BYTES_MAX: usize = 4 << 20;

/// An upload, and what it seems to be for.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) code: Vec<u8>,
    /// Files that were packed; none where it is deployed as it was given.
    pub(super) packed: Option<usize>,
    /// What it is for, or why that cannot be told.
    pub(super) guess: Result<Guess, String>,
}

impl Source {
    /// Reads what is at `path`; of a folder all but `key`. `runtime` is what was said.
    pub(super) fn read(path: &Path, key: Option<&Path>, runtime: Option<&str>) -> Result<Self, Failure> {
        if path.is_dir() {
            return Self::pack(&folder::read(path, key)?, runtime);
        }
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let content = files::read(path, PACKAGE_ZIPPED_BYTES_MAX)?;
        if zip::is_zip(&content) {
            return Self::zip(zip::attached(path, content)?, runtime);
        }
        match guess::of_file(name, &String::from_utf8_lossy(&content), runtime) {
            Some(guess) => {
                let code = folder::pack(&Files::from([(name.to_owned(), (content, false))]))?;
                Ok(Self { code, packed: Some(1), guess: Ok(guess) })
            }
            // The platform says what it is, if it is no component.
            None => Ok(Self { code: content, packed: None, guess: Ok(Guess::component()) }),
        }
    }

    fn pack(files: &Files, runtime: Option<&str>) -> Result<Self, Failure> {
        let names: Vec<&str> = files.keys().map(String::as_str).collect();
        let code = folder::pack(files)?;
        if let [only] = names.as_slice()
            && *only == lamina_package::BOOTSTRAP
        {
            return Ok(Self { code, packed: Some(1), guess: Ok(Guess::component()) });
        }
        let text = |name: &str| files.get(name).map(|(content, _)| String::from_utf8_lossy(content).into_owned());
        let guess = guess::guess(&names, text, runtime);
        Ok(Self { code, packed: Some(files.len()), guess })
    }

    /// A zip as it is.
    fn zip(code: Vec<u8>, runtime: Option<&str>) -> Result<Self, Failure> {
        let guess = match Package::read(&code) {
            Err(error) => return Err(Failure::new(error.to_string()).next("pack it again")),
            Ok(package) if package.bootstrap().is_some() => Ok(Guess::component()),
            Ok(package) => {
                let files = package.files();
                let names: Vec<&str> = files.iter().map(|file| file.name).collect();
                let text = |name: &str| {
                    let file = files.iter().find(|file| file.name == name && file.bytes <= MODULE_BYTES_MAX)?;
                    Some(String::from_utf8_lossy(&file.content().ok()?).into_owned())
                };
                guess::guess(&names, text, runtime)
            }
        };
        Ok(Self { code, packed: None, guess })
    }
}
