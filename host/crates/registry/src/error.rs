//! Why a change was refused: one variant for each answer the API must tell
//! apart.

use lamina_types::logging::LevelOfText;
use lamina_types::settings::SettingError;
use lamina_types::{Digest, FunctionName, Language, Version};

/// What a revision that no longer holds belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revised {
    /// A function.
    Function,
    /// Its resource policy.
    Policy,
}

/// See the variants.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// No such function.
    #[error("function {0} does not exist")]
    FunctionNotFound(FunctionName),
    /// The name is taken.
    #[error("function {0} exists already")]
    FunctionExists(FunctionName),
    /// The last change of the function is not in force yet.
    #[error("an update of function {0} is in progress")]
    UpdateInProgress(FunctionName),
    /// The function is being created, or could not be.
    #[error("function {name} is {state}")]
    NotActive {
        /// The function.
        name: FunctionName,
        /// Lambda's word for it: `Pending` or `Failed`.
        state: &'static str,
    },
    /// The caller guarded the change with a revision that has passed.
    #[error("the revision given is not the latest one of the {}", match .0 {
        Revised::Function => "function",
        Revised::Policy => "policy",
    })]
    StaleRevision(Revised),
    /// The caller guarded a publication with another code's digest.
    #[error("the code has digest {current}, not {given}")]
    CodeShaDiffers {
        /// What the caller expected, as given.
        given: String,
        /// The code's `CodeSha256`.
        current: String,
    },
    /// The function has no policy.
    #[error("function {0} has no policy")]
    PolicyNotFound(FunctionName),
    /// The policy has no such statement.
    #[error("the policy of function {0} has no such statement")]
    StatementNotFound(FunctionName),
    /// The statement id is taken.
    #[error("the policy of function {0} has that statement already")]
    StatementExists(FunctionName),
    /// The policy would be too long.
    #[error("the policy would be longer than {max} bytes")]
    PolicyTooLong {
        /// The bound.
        max: usize,
    },
    /// The function has its URL already.
    #[error("function {0} has a URL already")]
    UrlExists(FunctionName),
    /// The function has no URL.
    #[error("function {0} has no URL")]
    UrlNotFound(FunctionName),
    /// More tags than a function may have.
    #[error("more than {max} tags, or too many bytes of them")]
    TooManyTags {
        /// The bound.
        max: usize,
    },
    /// A `lamina:...` tag that is no setting.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// Log levels for a function whose log is text.
    #[error(transparent)]
    LevelOfText(#[from] LevelOfText),
    /// More functions than the operator allows.
    #[error("{max} functions exist already, the most this platform keeps")]
    TooManyFunctions {
        /// The bound.
        max: usize,
    },
    /// More versions of one function than the operator allows.
    #[error("function {name} has {max} versions, the most this platform keeps of one")]
    TooManyVersions {
        /// The function.
        name: FunctionName,
        /// The bound.
        max: usize,
    },
    /// All code together would be too large.
    #[error("the code of all versions would be larger than {max} bytes")]
    CodeStorageExceeded {
        /// The bound.
        max: u64,
    },
    /// The function has no such version.
    #[error("function {name} has no version {version}")]
    VersionNotFound {
        /// The function.
        name: FunctionName,
        /// The version.
        version: Version,
    },
    /// No such runtime version.
    #[error("the runtime version {0} is not installed")]
    RuntimeUnknown(Digest),
    /// The runtime version is another language's.
    #[error("the runtime version {component} runs {language}")]
    RuntimeLanguage {
        /// The version.
        component: Digest,
        /// What it runs.
        language: Language,
    },
    /// The runtime version is a language's current one, or a function stays on it.
    #[error("the runtime version {0} is current, or functions stay on it")]
    RuntimeInUse(Digest),
    /// More runtime versions than are kept.
    #[error("{max} runtime versions are installed, the most this platform keeps")]
    TooManyRuntimes {
        /// The bound.
        max: usize,
    },
    /// Not a public key.
    #[error(transparent)]
    KeyInvalid(#[from] lamina_signing::KeyError),
    /// No such trusted key.
    #[error("key {0} is not trusted")]
    KeyUnknown(String),
    /// More trusted keys or credentials than are kept.
    #[error("{max} keys exist already, the most this platform keeps")]
    TooManyKeys {
        /// The bound.
        max: usize,
    },
    /// The audit log cannot be written, and too much waits for it.
    #[error("the audit log cannot be written and {max} entries wait for it: see to the disk, then try again")]
    AuditLogFull {
        /// The bound.
        max: u64,
    },
    /// The audit log.
    #[error("keeping the audit log: {0}")]
    Audit(String),
    /// The records contradict each other.
    #[error("the records are inconsistent: {0}")]
    Inconsistent(String),
    /// The store. Nothing was changed, unless the failure was on writing: then
    /// the change may be there after the next start.
    #[error("keeping the records: {0}")]
    Store(#[from] lamina_kv::Error),
}

impl From<lamina_audit::Error> for Error {
    fn from(error: lamina_audit::Error) -> Self {
        Self::Audit(error.to_string())
    }
}
