//! What the control plane keeps and shows. Bounds are checked at the edge
//! (`wire`, `api`); these are the values behind them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::ids::{RevisionId, UrlId};
use crate::logging::{LogFormat, LogFormatChange};
use crate::names::{FunctionName, Version};
use crate::resolved::World;
use crate::settings::Settings;
use crate::time::Timestamp;
use crate::units::MemoryMib;

/// The members of a function that a published version freezes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// `provided.al2023` and its like; stored and returned.
    pub runtime: String,
    /// The role's ARN; stored and returned, it has no effect here.
    pub role: String,
    /// Stored, returned, and given to the guest as `_HANDLER`.
    pub handler: String,
    /// Free text.
    pub description: String,
    /// Wall-clock limit of one call, in seconds.
    pub timeout_s: u32,
    /// Memory ceiling.
    pub memory: MemoryMib,
    /// The author's variables; `None` when never given.
    pub environment: Option<BTreeMap<String, String>>,
    /// `x86_64` or `arm64`; stored and returned, components run on both.
    pub architecture: String,
    /// A log group of the author's choice, instead of `/aws/lambda/NAME`.
    pub log_group: Option<String>,
    /// The form of the log, and its levels. Records of before there was one have none.
    #[serde(default)]
    pub log_format: LogFormat,
    /// Whether its published versions get a snapshot: SnapStart's ApplyOn. Records of
    /// before there were any have none.
    #[serde(default)]
    pub snap_start: bool,
}

/// A partial update of a [`Configuration`]: what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the same members as Configuration")]
pub struct ConfigurationChange {
    pub runtime: Option<String>,
    pub role: Option<String>,
    pub handler: Option<String>,
    pub description: Option<String>,
    pub timeout_s: Option<u32>,
    pub memory: Option<MemoryMib>,
    pub environment: Option<BTreeMap<String, String>>,
    pub log_group: Option<String>,
    pub log_format: LogFormatChange,
    pub snap_start: Option<bool>,
}

/// The code of one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// The digest of the upload: `CodeSha256`.
    pub package: Digest,
    /// Its size in bytes: `CodeSize`.
    pub package_bytes: u64,
    /// What of it runs, and how. Its members stand among the others in a record, as
    /// they did when there were components only.
    #[serde(flatten)]
    pub kind: CodeKind,
    /// Ids of the trusted keys that had signed it when it was admitted.
    pub signers: Vec<String>,
}

/// What runs of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum CodeKind {
    /// A component of its own.
    Component {
        /// Its digest; the same as the upload's for a bare one.
        component: Digest,
        /// The world it was built for.
        world: World,
    },
    /// The upload's files, by the managed runtime that the configuration names.
    Package {
        /// Their bytes, unpacked.
        unpacked_bytes: u64,
    },
}

impl Code {
    /// The component that runs; `None` when a managed runtime does.
    pub const fn component(&self) -> Option<&Digest> {
        match &self.kind {
            CodeKind::Component { component, .. } => Some(component),
            CodeKind::Package { .. } => None,
        }
    }
}

/// Lambda's `State` with its reason and code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Being created.
    Pending,
    /// Runs.
    Active,
    /// Could not be created; `code` is a StateReasonCode.
    #[expect(missing_docs, reason = "said above")]
    Failed { code: String, reason: String },
}

/// Lambda's `LastUpdateStatus` with its reason and code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum UpdateStatus {
    /// The last change is in force.
    Successful,
    /// A change is being made; the previous code and configuration serve.
    InProgress,
    /// The last change failed and the previous code and configuration serve on.
    #[expect(missing_docs, reason = "said above")]
    Failed { code: String, reason: String },
}

/// What became of the snapshot of a version that asks for one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Snapshot {
    /// It is being made: the version is Pending, and runs without.
    Wanted,
    /// There is one: OptimizationStatus is On.
    Made,
    /// There is none, and the version runs without.
    #[expect(missing_docs, reason = "said above")]
    Off { reason: String },
}

/// One version of a function as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionView {
    /// The function.
    pub name: FunctionName,
    /// The version shown.
    pub version: Version,
    /// Its configuration, the one being put in force while an update runs.
    pub configuration: Configuration,
    /// Its code, likewise.
    pub code: Code,
    /// The version's settings.
    pub settings: Settings,
    /// When it changed last.
    pub last_modified: Timestamp,
    /// Changes with every change, and again when it completes.
    pub revision: RevisionId,
    /// Whether it can run.
    pub state: State,
    /// `None` until the creation has completed.
    pub update: Option<UpdateStatus>,
    /// The managed runtime that runs it, by its component.
    pub runtime: Option<Digest>,
    /// Of its snapshot; never of `$LATEST`'s, and none before its code is ready.
    pub snapshot: Option<Snapshot>,
}

/// What a function URL does with the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum InvokeMode {
    /// Collects the answer and infers the HTTP response from it.
    Buffered,
    /// Passes the bytes on as they are written.
    ResponseStream,
}

/// Cross-origin rules of a function URL (reference 4.8, 5.3).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "Lambda's own members")]
pub struct Cors {
    pub allow_credentials: bool,
    pub allow_headers: Vec<String>,
    pub allow_methods: Vec<String>,
    pub allow_origins: Vec<String>,
    pub expose_headers: Vec<String>,
    pub max_age_s: Option<u32>,
}

/// A function URL. AuthType is always NONE: AWS_IAM is refused until it works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UrlConfig {
    /// The first label of its host name; never changes.
    pub id: UrlId,
    /// The function it calls, always unqualified until there are aliases.
    pub function: FunctionName,
    /// `None` when never given: BUFFERED.
    pub invoke_mode: Option<InvokeMode>,
    /// Cross-origin rules.
    pub cors: Option<Cors>,
    /// When it was made.
    pub created: Timestamp,
    /// When it changed last.
    pub last_modified: Timestamp,
}

/// One statement of a function's resource policy, as AddPermission gave it
/// (reference 4.7). All strings are within the model's patterns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "Lambda's own members")]
pub struct Statement {
    pub sid: String,
    /// `lambda:InvokeFunction`, `lambda:*` and so on, as given.
    pub action: String,
    /// As given: `*`, 12 digits, an IAM ARN, or a service's name.
    pub principal: String,
    pub source_arn: Option<String>,
    pub source_account: Option<String>,
    pub principal_org_id: Option<String>,
    pub event_source_token: Option<String>,
    /// `NONE` or `AWS_IAM`.
    pub function_url_auth_type: Option<String>,
    pub invoked_via_function_url: Option<bool>,
}

impl Statement {
    /// Whether a request that came to a function URL with AuthType NONE may do
    /// `action` by this statement: anyone, and no condition that it lacks.
    pub fn lets_anyone_by_url(&self, action: &str) -> bool {
        (self.action == action || self.action == "lambda:*" || self.action == "*")
            && self.principal == "*"
            && self.source_arn.is_none()
            && self.source_account.is_none()
            && self.principal_org_id.is_none()
            && self.event_source_token.is_none()
            && self.function_url_auth_type.as_deref().is_none_or(|auth| auth == "NONE")
            && self.invoked_via_function_url.unwrap_or(true)
    }
}

/// A public key whose signatures admit code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedKey {
    /// The key's id, as `signing` computes it from the public key.
    pub id: String,
    /// The 32 bytes of the ed25519 public key, in hexadecimal.
    pub public_key: String,
    /// A name for people; may be empty.
    pub name: String,
    /// When it was added.
    pub added: Timestamp,
}

/// An access key of the API.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// `AKIA` and 16 of `[A-Z2-7]`.
    pub access_key_id: String,
    /// 40 characters. Never in logs or errors.
    pub secret_access_key: String,
    /// When it was made.
    pub created: Timestamp,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credential").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}
