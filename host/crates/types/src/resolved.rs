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
}

impl World {
    /// The world's name in `wit/worlds.wit`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::FunctionStream => "function-stream",
            Self::FunctionHttp => "function-http",
        }
    }
}

/// Everything that running one version needs; immutable, and cheap to clone
/// behind its `Arc`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedFunction {
    /// The function.
    pub name: FunctionName,
    /// The version that runs.
    pub version: Version,
    /// The component's own bytes.
    pub component: Digest,
    /// Its world, found out at deploy.
    pub world: World,
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
}
