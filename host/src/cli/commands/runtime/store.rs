//! The folder of built runtimes: `LANGUAGE.wasm`, signed, `LANGUAGE.json` beside it,
//! and the key that signs them.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use lamina_signing::SecretKey;
use lamina_types::{Digest, Language};
use serde_json::{Value, json};

use crate::cli::commands::{COMPONENT_BYTES_MAX, member};
use crate::cli::environment::Environment;
use crate::cli::failure::Failure;
use crate::cli::files;
use crate::cli::keyfile::{self, KeyFiles};
use crate::cli::output::Output;

/// A description has some hundred bytes.
const ABOUT_BYTES_MAX: usize = 64 << 10;

/// See the module.
#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
}

/// A runtime that was built.
#[derive(Debug)]
pub(crate) struct Built {
    pub(crate) language: Language,
    /// Signed.
    pub(crate) component: Vec<u8>,
    pub(crate) digest: Digest,
    pub(crate) description: String,
    pub(crate) versions: BTreeMap<String, String>,
}

impl Built {
    /// What its `NAME.json` says, with its digest.
    pub(crate) fn about(&self) -> Value {
        json!({
            "Language": self.language.as_str(),
            "Description": self.description,
            "Versions": self.versions,
            "Digest": self.digest.to_string(),
        })
    }

    /// A component and what the build says of it.
    pub(crate) fn of(language: Language, component: Vec<u8>, about: &[u8]) -> Result<Self, Failure> {
        let unread = |what: &str| Failure::new(format!("the description of the {language} runtime {what}"));
        let about: Value = serde_json::from_slice(about).map_err(|error| unread(&format!("is no JSON: {error}")))?;
        if member(&about, "Language") != language.as_str() {
            return Err(unread(&format!("says Language `{}`", member(&about, "Language"))));
        }
        let versions = about.get("Versions").and_then(Value::as_object).into_iter().flatten();
        let versions = versions.filter_map(|(name, version)| Some((name.clone(), version.as_str()?.to_owned())));
        Ok(Self {
            language,
            digest: Digest::of(&component),
            component,
            description: member(&about, "Description").to_owned(),
            versions: versions.collect(),
        })
    }
}

impl Store {
    /// The folder that was named, or the user's own.
    pub(crate) fn of(named: Option<&Path>, environment: &Environment) -> Result<Self, Failure> {
        if let Some(folder) = named {
            return Ok(Self { folder: folder.to_owned() });
        }
        let data = environment.get("XDG_DATA_HOME").filter(|folder| !folder.is_empty()).map(PathBuf::from);
        let home = || environment.get("HOME").map(|home| Path::new(&home).join(".local/share"));
        match data.or_else(home) {
            Some(data) => Ok(Self { folder: data.join("lamina/runtimes") }),
            None => Err(Failure::usage("there is no HOME to keep runtimes in").next("name a folder: --runtimes DIR")),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// This installation's own key, as files.
    pub(crate) fn key(&self) -> KeyFiles {
        KeyFiles::at(&self.folder.join("runtimes.key"))
    }

    /// Makes the folder, and waits until nobody else builds there.
    pub(crate) fn lock(&self, output: Output) -> Result<File, Failure> {
        let failed = |error: std::io::Error| Failure::io(format_args!("locking {}", self.folder.display()), &error);
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder).map_err(failed)?;
        let lock = File::create(self.folder.join("lock")).map_err(failed)?;
        if lock.try_lock().is_err() {
            output.note("waiting for another build");
            lock.lock().map_err(failed)?;
        }
        Ok(lock)
    }

    /// The secret key; made when there is none.
    pub(crate) fn secret(&self, output: Output) -> Result<SecretKey, Failure> {
        let key = self.key();
        if !key.secret.exists() {
            let public = keyfile::create(&key)?;
            output.note(format_args!("made this installation's key {} in {}", public.id(), key.secret.display()));
        }
        keyfile::secret(&key.secret, output)
    }

    fn wasm(&self, language: Language) -> PathBuf {
        self.folder.join(format!("{language}.wasm"))
    }

    fn json(&self, language: Language) -> PathBuf {
        self.folder.join(format!("{language}.json"))
    }

    /// Whether this language's runtime is built.
    pub(crate) fn has(&self, language: Language) -> bool {
        self.wasm(language).exists() && self.json(language).exists()
    }

    /// What was built last.
    pub(crate) fn built(&self, language: Language) -> Result<Built, Failure> {
        if !self.has(language) {
            let text = format!("the {language} runtime is not built in {}", self.folder.display());
            return Err(Failure::new(text).next(format!("build it: lamina runtime build {language}")));
        }
        let component = files::read(&self.wasm(language), COMPONENT_BYTES_MAX)?;
        Built::of(language, component, &files::read(&self.json(language), ABOUT_BYTES_MAX)?)
    }

    /// Keeps what was built, in place of an older one.
    pub(crate) fn keep(&self, built: &Built) -> Result<(), Failure> {
        // The description last: what has none is not built.
        let _ = fs::remove_file(self.json(built.language));
        files::replace(&self.wasm(built.language), &built.component)?;
        files::replace(&self.json(built.language), format!("{}\n", built.about()).as_bytes())
    }
}
