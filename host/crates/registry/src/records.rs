//! The tables, their keys, and the records in them. A record that changes its
//! shape needs a new format version of the store and a migration.

use std::collections::BTreeMap;

use lamina_audit::Entry;
use lamina_kv::Table;
use lamina_types::records::{
    Code, Configuration, Credential, Snapshot, State, Statement, TrustedKey, UpdateStatus, UrlConfig,
};
use lamina_types::settings::Settings;
use lamina_types::{Digest, FunctionName, InstalledRuntime, RevisionId, RuntimeManagement, Timestamp};
use serde::{Deserialize, Serialize};

/// `NAME`. Sealed, as environments are in it.
pub(crate) const FUNCTIONS: Table<FunctionRecord> = Table::sealed("function");
/// `NAME:NUMBER`, the number in 20 digits, so that versions lie in their order.
pub(crate) const VERSIONS: Table<VersionRecord> = Table::sealed("version");
/// `NAME`. Apart from the function: 50 tags may be larger than all the rest.
pub(crate) const TAGS: Table<BTreeMap<String, String>> = Table::new("tags");
/// `NAME`.
pub(crate) const POLICIES: Table<Policy> = Table::new("policy");
/// `NAME`.
pub(crate) const URLS: Table<UrlConfig> = Table::new("url");
/// The key's id.
pub(crate) const TRUST: Table<TrustedKey> = Table::new("trust");
/// The access key id.
pub(crate) const CREDENTIALS: Table<Credential> = Table::sealed("credential");
/// The digest of the component.
pub(crate) const RUNTIMES: Table<InstalledRuntime> = Table::new("runtime");
/// The language: the runtime that its functions run on unless they say otherwise.
pub(crate) const RUNTIMES_CURRENT: Table<Digest> = Table::new("runtime-current");
/// `NAME:NUMBER`, as for versions; 0 is `$LATEST`. One that is not there is Auto.
pub(crate) const MANAGEMENT: Table<RuntimeManagement> = Table::new("runtime-management");
/// The entry's number in 20 digits: entries of the audit log on their way into it.
pub(crate) const AUDIT: Table<Entry> = Table::new("audit");

/// The tables whose values are sealed.
pub const SEALED: &[&str] = &[FUNCTIONS.name(), VERSIONS.name(), CREDENTIALS.name()];

/// Code and configuration together: what runs, or what is to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Side {
    pub(crate) configuration: Configuration,
    pub(crate) code: Code,
}

/// A function and its `$LATEST`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FunctionRecord {
    /// What runs; while the function is Pending, what will.
    pub(crate) serving: Side,
    /// What takes its place when the update in progress completes.
    pub(crate) change: Option<Side>,
    pub(crate) state: State,
    pub(crate) update: Option<UpdateStatus>,
    pub(crate) revision: RevisionId,
    pub(crate) last_modified: Timestamp,
    /// The highest number a version ever had; 0 before the first.
    pub(crate) version_last: u64,
    /// The version that completes together with the change.
    pub(crate) publishing: Option<u64>,
}

impl FunctionRecord {
    /// What the API shows of it.
    pub(crate) fn shown(&self) -> &Side {
        self.change.as_ref().unwrap_or(&self.serving)
    }

    /// Whether a change waits for `complete`.
    pub(crate) fn is_unfinished(&self) -> bool {
        self.state == State::Pending || self.update == Some(UpdateStatus::InProgress)
    }
}

/// A published version.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VersionRecord {
    pub(crate) side: Side,
    pub(crate) settings: Settings,
    pub(crate) state: State,
    pub(crate) update: Option<UpdateStatus>,
    pub(crate) revision: RevisionId,
    pub(crate) last_modified: Timestamp,
    /// None where it asks for none, and before its code is ready. Records of before
    /// there were any have none.
    #[serde(default)]
    pub(crate) snapshot: Option<Snapshot>,
}

impl VersionRecord {
    /// What state its calls see: while nothing but its snapshot is missing, it runs.
    pub(crate) fn callable(&self) -> &State {
        if self.snapshot.is_some() { &State::Active } else { &self.state }
    }
}

/// A function's resource policy; one without statements is not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// In the order in which they were added.
    pub statements: Vec<Statement>,
    /// Changes with every change of the policy.
    pub revision: RevisionId,
}

pub(crate) fn audit_key(number: u64) -> String {
    format!("{number:020}")
}

pub(crate) fn version_key(name: &FunctionName, number: u64) -> String {
    format!("{name}:{number:020}")
}

pub(crate) fn parse_version_key(key: &str) -> Option<(FunctionName, u64)> {
    let (name, number) = key.split_once(':')?;
    Some((name.parse().ok()?, number.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use lamina_types::records::CodeKind;
    use lamina_types::{Digest, World};
    use serde_json::json;

    use super::*;

    /// Records of before there were packages have a component's members and no kind.
    #[test]
    fn code_of_both_kinds_is_read_and_written() {
        let digest = Digest::of(b"abc");
        let component = CodeKind::Component { component: digest, world: World::FunctionHttp };
        let check = |json: serde_json::Value, kind: CodeKind| {
            let code = Code { package: digest, package_bytes: 3, kind, signers: vec!["k".into()] };
            assert_eq!(serde_json::to_value(&code).unwrap(), json);
            assert_eq!(serde_json::from_value::<Code>(json).unwrap(), code);
        };
        let hex = digest.to_string();
        let world = "FunctionHttp";
        check(
            json!({ "package": hex, "package_bytes": 3, "component": hex, "world": world, "signers": ["k"] }),
            component,
        );
        check(
            json!({ "package": hex, "package_bytes": 3, "unpacked_bytes": 7, "signers": ["k"] }),
            CodeKind::Package { unpacked_bytes: 7 },
        );
        let neither = json!({ "package": hex, "package_bytes": 3, "signers": [] });
        assert!(serde_json::from_value::<Code>(neither).is_err());
    }
}
