//! Managed runtimes: ARNs of their versions, Get- and PutRuntimeManagementConfig, and
//! our own operations on them.

use std::collections::BTreeMap;

use lamina_types::{Digest, InstalledRuntime, Language, Region, UpdateRuntimeOn};
use serde::Serialize;

use crate::error::Invalid;
use crate::naming::Owner;
use crate::object::Object;
use crate::violation::Violations;

/// Characters of a description, and of each name and version of what is inside.
const TEXT_CHARS_MAX: usize = 256;
/// What is inside, at most.
const PARTS_MAX: usize = 100;
const MODES: &[&str] = &["Auto", "Manual", "FunctionUpdate"];

/// The ARN of a runtime version.
pub fn arn(component: &Digest, region: &Region) -> String {
    format!("arn:aws:lambda:{region}::runtime:{component}")
}

/// The runtime version with this ARN, if it is one of this region.
fn component(arn: &str, owner: &Owner) -> Option<Digest> {
    arn.strip_prefix(&format!("arn:aws:lambda:{}::runtime:", owner.region))?.parse().ok()
}

/// PutRuntimeManagementConfig's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutRuntimeManagement {
    /// When the runtime version changes.
    pub update: UpdateRuntimeOn,
    /// The runtime version for Manual.
    pub runtime: Option<Digest>,
}

impl PutRuntimeManagement {
    /// Reads and checks a body.
    pub fn parse(body: &[u8], owner: &Owner) -> Result<Self, Invalid> {
        let mut body = Object::parse(body)?;
        let mut violations = Violations::new();
        let update = body.text("UpdateRuntimeOn")?;
        violations.required("updateRuntimeOn", update.as_ref());
        violations.one_of("updateRuntimeOn", update.as_ref(), MODES);
        let given = body.text("RuntimeVersionArn")?;
        violations.length("runtimeVersionArn", given.as_ref(), 26..=2_048);
        violations.finish()?;
        body.finish("PutRuntimeManagementConfig")?;
        let update = match update.as_deref() {
            Some("Manual") => UpdateRuntimeOn::Manual,
            Some("FunctionUpdate") => UpdateRuntimeOn::FunctionUpdate,
            _ => UpdateRuntimeOn::Auto,
        };
        let runtime = match (update, given) {
            (_, None) => None,
            (UpdateRuntimeOn::Manual, Some(given)) => match component(&given, owner) {
                Some(component) => Some(component),
                None => {
                    return Err(Invalid::Parameter(format!("The runtime version {given} does not exist.")));
                }
            },
            (UpdateRuntimeOn::Auto | UpdateRuntimeOn::FunctionUpdate, Some(_)) => {
                return Err(Invalid::Parameter(
                    "RuntimeVersionArn can only be given when UpdateRuntimeOn is Manual.".into(),
                ));
            }
        };
        Ok(Self { update, runtime })
    }
}

/// The answer of both operations.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RuntimeManagementAnswer {
    /// When the runtime version changes.
    pub update_runtime_on: &'static str,
    /// Of the version it is about.
    pub function_arn: String,
    /// The version that it stays on, unless that is always the current one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_version_arn: Option<String>,
}

/// The body of `POST /lamina/v1/runtimes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallRuntime {
    /// The component, signed.
    pub component: Vec<u8>,
    /// The language that it runs.
    pub language: Language,
    /// For people.
    pub description: String,
    /// What is in it, each with its version.
    pub versions: BTreeMap<String, String>,
}

impl InstallRuntime {
    /// Reads and checks a body.
    pub fn parse(body: &[u8]) -> Result<Self, Invalid> {
        let mut body = Object::parse(body)?;
        let mut violations = Violations::new();
        let component = body.blob("Component")?;
        violations.required("component", component.as_ref());
        let language = body.text("Language")?;
        violations.required("language", language.as_ref());
        violations.one_of("language", language.as_ref(), &Language::ALL.map(Language::as_str));
        let description = body.text("Description")?;
        violations.length("description", description.as_ref(), 0..=TEXT_CHARS_MAX);
        let versions = body.text_map("Versions")?.unwrap_or_default();
        violations.finish()?;
        body.finish("InstallRuntime")?;
        let is_long = |text: &String| text.chars().count() > TEXT_CHARS_MAX;
        if versions.len() > PARTS_MAX || versions.iter().any(|(name, version)| is_long(name) || is_long(version)) {
            let text = format!("Versions has at most {PARTS_MAX} members of at most {TEXT_CHARS_MAX} characters");
            return Err(Invalid::Parameter(text));
        }
        let language = language.and_then(|language| language.parse().ok());
        let (Some(component), Some(language)) = (component, language) else {
            return Err(Invalid::Parameter("Component and Language are mandatory.".into()));
        };
        Ok(Self { component, language, description: description.unwrap_or_default(), versions })
    }
}

/// A runtime version as our own operations answer it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RuntimeAnswer<'a> {
    runtime_version_arn: String,
    digest: String,
    language: &'static str,
    description: &'a str,
    versions: &'a BTreeMap<String, String>,
    bytes: u64,
    installed: String,
    signers: &'a [String],
    /// Whether it is its language's current one.
    current: bool,
    /// Versions of functions that run on it.
    functions: usize,
    runtimes: &'static [&'static str],
}

impl<'a> RuntimeAnswer<'a> {
    /// Of an installed version.
    pub fn new(version: &'a InstalledRuntime, owner: &Owner, current: bool, functions: usize) -> Self {
        Self {
            runtime_version_arn: arn(&version.component, &owner.region),
            digest: version.component.to_string(),
            language: version.language.as_str(),
            description: &version.description,
            versions: &version.versions,
            bytes: version.bytes,
            installed: version.installed.to_iso_millis(),
            signers: &version.signers,
            current,
            functions,
            runtimes: version.language.runtimes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Owner {
        Owner { region: "us-east-1".parse().unwrap(), account: "000000000000".parse().unwrap() }
    }

    #[test]
    fn choices_of_a_runtime_version() {
        let check = |body: String| PutRuntimeManagement::parse(body.as_bytes(), &owner());
        let digest = Digest::of(b"abc");
        let arn = arn(&digest, &owner().region);
        assert_eq!(arn.len(), "arn:aws:lambda:us-east-1::runtime:".len() + 64);
        let manual = check(format!(r#"{{"UpdateRuntimeOn":"Manual","RuntimeVersionArn":"{arn}"}}"#)).unwrap();
        assert_eq!(manual, PutRuntimeManagement { update: UpdateRuntimeOn::Manual, runtime: Some(digest) });
        let auto = check(r#"{"UpdateRuntimeOn":"Auto"}"#.into()).unwrap();
        assert_eq!(auto, PutRuntimeManagement { update: UpdateRuntimeOn::Auto, runtime: None });
        let refused = check(format!(r#"{{"UpdateRuntimeOn":"Auto","RuntimeVersionArn":"{arn}"}}"#)).unwrap_err();
        assert!(refused.to_string().contains("can only be given"), "{refused}");
        let other = arn.replace("us-east-1", "eu-west-1");
        let refused = check(format!(r#"{{"UpdateRuntimeOn":"Manual","RuntimeVersionArn":"{other}"}}"#)).unwrap_err();
        assert!(refused.to_string().contains("does not exist"), "{refused}");
        assert!(matches!(check("{}".into()), Err(Invalid::Validation(_))));
        assert!(matches!(check(r#"{"UpdateRuntimeOn":"Never"}"#.into()), Err(Invalid::Validation(_))));
    }

    #[test]
    fn runtimes_to_install() {
        let parsed =
            InstallRuntime::parse(br#"{"Component":"YWJj","Language":"python","Versions":{"CPython":"3.14"}}"#);
        let parsed = parsed.unwrap();
        assert_eq!((parsed.component.as_slice(), parsed.language), (&b"abc"[..], Language::Python));
        assert_eq!(parsed.versions["CPython"], "3.14");
        assert!(matches!(
            InstallRuntime::parse(br#"{"Component":"YWJj","Language":"ruby"}"#),
            Err(Invalid::Validation(_))
        ));
        assert!(matches!(InstallRuntime::parse(b"{}"), Err(Invalid::Validation(_))));
    }
}
