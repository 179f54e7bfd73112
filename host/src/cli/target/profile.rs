//! AWS profiles: `~/.aws/config` and `~/.aws/credentials`, read as the AWS tools
//! read them. Static keys, `credential_process`, `region`, `endpoint_url` and
//! the `services` with one of their own count here; roles and single sign-on are
//! for AWS.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use aws_credential_types::Credentials;

use super::credentials;
use crate::cli::environment::Environment;
use crate::cli::failure::Failure;
use crate::cli::files;

/// The settings of one profile, both files together.
pub(super) struct Profile {
    name: String,
    /// Whether somebody chose it.
    named: bool,
    /// `None` where neither file names it.
    settings: Option<BTreeMap<String, String>>,
    /// The endpoint for Lambda alone, of the `services` that it names.
    lambda_url: Option<String>,
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AWS profile `{}`", self.name)
    }
}

impl Profile {
    /// Reads the profile of this name, or of AWS_PROFILE, or `default`. One that
    /// was named must be there.
    pub(super) fn load(asked: Option<&str>, environment: &Environment) -> Result<Self, Failure> {
        let named = asked.map(str::to_owned).or_else(|| environment.get("AWS_PROFILE"));
        let config = file(environment, "AWS_CONFIG_FILE", "config");
        let secrets = file(environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
        let name = named.clone().unwrap_or_else(|| "default".to_owned());
        let in_config = if name == "default" { "default".to_owned() } else { format!("profile {name}") };
        let mut settings = None;
        // The later file's settings win: those of `credentials`.
        for (path, sections) in [(&config, [in_config.as_str(), "profile default"]), (&secrets, [name.as_str(), ""])] {
            let Some(path) = path else { continue };
            let Some(text) = read(path)? else { continue };
            let wanted = |section: &str| section == sections[0] || (name == "default" && section == sections[1]);
            if let Some(found) = section(&text, wanted) {
                settings.get_or_insert_with(BTreeMap::new).extend(found);
            }
        }
        if named.is_some() && settings.is_none() {
            return Err(Failure::new(format!("there is no AWS profile `{name}`"))
                .next("name one of ~/.aws/config or ~/.aws/credentials, or unset AWS_PROFILE"));
        }
        let named = named.is_some();
        let mut profile = Self { name, named, settings, lambda_url: None };
        if let Some(services) = profile.get("services") {
            let text = config.as_deref().map(read).transpose()?.flatten().unwrap_or_default();
            let heading = format!("services {services}");
            let found = section(&text, |section| section == heading).ok_or_else(|| {
                Failure::new(format!("{profile} names services = {services}, and there is no section [{heading}]"))
                    .next("add that section to ~/.aws/config, or take the line out of the profile")
            })?;
            profile.lambda_url = found.get("lambda.endpoint_url").filter(|url| !url.is_empty()).cloned();
        }
        Ok(profile)
    }

    /// Whether it was chosen, and is not just the default.
    pub(super) fn is_named(&self) -> bool {
        self.named
    }

    /// Whether a file names it.
    pub(super) fn exists(&self) -> bool {
        self.settings.is_some()
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.settings.as_ref()?.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(super) fn region(&self) -> Option<&str> {
        self.get("region")
    }

    pub(super) fn endpoint_url(&self) -> Option<&str> {
        self.lambda_url.as_deref().or_else(|| self.get("endpoint_url"))
    }

    /// The setting by which it borrows the rights of a role or of another profile.
    pub(super) fn borrows(&self) -> Option<&'static str> {
        ["role_arn", "source_profile", "credential_source"].into_iter().find(|name| self.get(name).is_some())
    }

    pub(super) fn credential_process(&self) -> Option<&str> {
        self.get("credential_process")
    }

    /// The static keys, if it has any.
    pub(super) fn keys(&self) -> Option<Result<Credentials, String>> {
        let id = self.get("aws_access_key_id")?.to_owned();
        let Some(secret) = self.get("aws_secret_access_key") else {
            return Some(Err("it has aws_access_key_id and no aws_secret_access_key".to_owned()));
        };
        Some(credentials::made(id, secret.to_owned(), self.get("aws_session_token").map(str::to_owned)))
    }
}

fn file(environment: &Environment, variable: &str, name: &str) -> Option<PathBuf> {
    let home = environment.get("HOME");
    match (environment.get(variable), home) {
        (Some(path), Some(home)) => Some(match path.strip_prefix("~/") {
            Some(rest) => Path::new(&home).join(rest),
            None => path.into(),
        }),
        (Some(path), None) => Some(path.into()),
        (None, home) => home.map(|home| Path::new(&home).join(".aws").join(name)),
    }
}

/// The file's text; `None` where there is no file.
fn read(path: &Path) -> Result<Option<String>, Failure> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(files::unreadable(path, &error)),
    }
}

/// The settings of the sections that are wanted; `None` where there is none. A
/// line that is set in is part of the setting above it: `outer.inner`.
fn section(text: &str, wanted: impl Fn(&str) -> bool) -> Option<BTreeMap<String, String>> {
    let mut found: Option<BTreeMap<String, String>> = None;
    let mut inside = false;
    let mut outer = String::new();
    for line in text.lines() {
        let content = line.trim();
        if content.is_empty() || content.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with([' ', '\t']) {
            if let (true, Some((name, value)), Some(settings)) = (inside, content.split_once('='), &mut found) {
                let name = format!("{outer}.{}", name.trim().to_ascii_lowercase());
                settings.insert(name, value.trim().to_owned());
            }
            continue;
        }
        if let Some(rest) = content.strip_prefix('[') {
            let name = rest.split(']').next().unwrap_or_default();
            let words: Vec<&str> = name.split_whitespace().map(|word| word.trim_matches(['"', '\''])).collect();
            inside = wanted(&words.join(" "));
            if inside {
                found.get_or_insert_with(BTreeMap::new);
            }
        } else if let (true, Some((name, value))) = (inside, content.split_once('=')) {
            let settings = found.get_or_insert_with(BTreeMap::new);
            outer = name.trim().to_ascii_lowercase();
            settings.insert(outer.clone(), value.trim().to_owned());
        }
    }
    found
}
