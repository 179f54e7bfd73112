//! One runnable version of a function: where `registry` and `runtime` meet.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::logging::LogFormat;
use crate::names::{FunctionName, Version};
use crate::settings::Settings;
use crate::units::MemoryMib;

/// Which of the contract's worlds a component was built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum World {
    /// Exports `lamina:function/handler`.
    Function,
    /// Exports `lamina:function/stream-handler`.
    FunctionStream,
    /// Exports `wasi:http/incoming-handler@0.2.x`.
    FunctionHttp,
    /// Exports what `wit/managed.wit` asks of an interpreter. Never a function's own.
    ManagedRuntime,
}

impl World {
    /// The world's name in `wit/worlds.wit`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::FunctionStream => "function-stream",
            Self::FunctionHttp => "function-http",
            Self::ManagedRuntime => "managed-runtime",
        }
    }
}

/// What a managed runtime runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Managed {
    /// The upload whose files it sees at `/var/task`.
    pub package: Package,
    /// The value of `AWS_EXECUTION_ENV`.
    pub execution_env: Arc<str>,
}

/// The upload whose files a managed runtime sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Package {
    /// Its digest, or that of the component in it.
    pub digest: Digest,
    /// Whether it is a zip of files; else a component, which is a file like any other.
    pub is_zip: bool,
}

/// What is loaded to run a version: a component, and for a managed runtime a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CodeId {
    /// The component that runs.
    pub component: Digest,
    /// What a managed runtime runs; none where the component is the function's own.
    pub package: Option<Package>,
}

/// Everything that running one version needs; immutable, and cheap to clone
/// behind its `Arc`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedFunction {
    /// The function.
    pub name: FunctionName,
    /// The version that runs.
    pub version: Version,
    /// The component that runs: the function's own, or a managed runtime's.
    pub component: Digest,
    /// Its world, found out when it was admitted.
    pub world: World,
    /// What a managed runtime is given; none where the component is the function's own.
    pub managed: Option<Managed>,
    /// The ceiling of all its memories and tables together.
    pub memory: MemoryMib,
    /// Wall-clock limit of one call.
    pub timeout: Duration,
    /// The author's own variables, without Lambda's reserved set.
    pub environment: Arc<BTreeMap<String, String>>,
    /// The log group its lines go to.
    pub log_group: Arc<str>,
    /// The form of its log.
    pub log_format: LogFormat,
    /// `lamina:*` settings.
    pub settings: Settings,
    /// The region, for the guest's `AWS_REGION`.
    pub region: crate::Region,
    /// The account, for ARNs.
    pub account: crate::AccountId,
    /// The value of `Handler`, for the guest's `_HANDLER`.
    pub handler: Arc<str>,
    /// The value of `Runtime`.
    pub runtime: Arc<str>,
    /// Names the snapshot that its instances may be restored from: none where it asks
    /// for none.
    pub snapshot: Option<SnapshotId>,
}

impl ResolvedFunction {
    /// What is loaded to run it.
    pub fn code(&self) -> CodeId {
        CodeId { component: self.component, package: self.managed.as_ref().map(|managed| managed.package) }
    }

    /// The same function, whose instances may be restored from a snapshot.
    pub fn with_snapshot(mut self) -> Self {
        self.snapshot = Some(SnapshotId { code: self.code(), seen: self.seen() });
        self
    }

    /// What an instance can see of the version before a call: a snapshot holds it.
    fn seen(&self) -> Digest {
        let Self { name, version, managed, memory, environment, log_group, log_format, .. } = self;
        let Self { settings, region, account, handler, runtime, .. } = self;
        let execution_env = managed.as_ref().map(|managed| &managed.execution_env);
        let facts = (name, version, memory, environment, log_group, log_format);
        let facts = format!("{facts:?}{:?}", (settings, region, account, handler, runtime, execution_env));
        Digest::of(facts.as_bytes())
    }
}

/// Names a snapshot: by its code, and by all else that its instances see of a version.
/// Whoever knows the latter can guess at the environment: it stays in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SnapshotId {
    /// The code.
    pub code: CodeId,
    /// A hash over the rest.
    pub seen: Digest,
}
