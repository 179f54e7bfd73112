//! Why a call did not run. A guest's own failure is data in its `Outcome`.

use lamina_registry::ResolveError;
use lamina_runtime::{CodeError, RunError};
use lamina_types::World;

/// A limit that was hit: the caller may try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Throttle {
    /// All calls that the account may run are under way.
    #[error("the account's concurrent executions are used up")]
    Account,
    /// All calls that this function may run are under way.
    #[error("the function's concurrent executions are used up")]
    Function,
    /// Every slot of the instance pool is taken.
    #[error("the instance pool is exhausted")]
    Instances,
    /// The code must be compiled anew and too much waits for that already.
    #[error("too many functions wait to be compiled")]
    Compile,
}

/// See the variants.
#[derive(Debug, Clone, thiserror::Error)]
pub enum InvokeError {
    /// No such function or version, or one that cannot run yet.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// A limit was hit.
    #[error(transparent)]
    Throttled(#[from] Throttle),
    /// The code is gone, damaged, or no longer signed by a trusted key.
    #[error("the function's code is refused: {reason}")]
    Refused {
        /// For the caller and the log.
        reason: String,
    },
    /// The engine cannot run the code.
    #[error("the function's code cannot run: {reason}")]
    Unusable {
        /// The engine's reason.
        reason: String,
    },
    /// The component is of another world than this kind of call needs.
    #[error("the function is a {} component, not {wanted}", .world.name())]
    World {
        /// Its world.
        world: World,
        /// What the call needs.
        wanted: &'static str,
    },
    /// Our own fault.
    #[error("{0}")]
    Internal(String),
}

impl From<CodeError> for InvokeError {
    fn from(error: CodeError) -> Self {
        match error {
            CodeError::Refused { reason, .. } => Self::Refused { reason },
            CodeError::Unusable { reason, .. } => Self::Unusable { reason },
            CodeError::QueueFull { .. } => Self::Throttled(Throttle::Compile),
            CodeError::Internal { .. } => Self::Internal(error.to_string()),
        }
    }
}

impl From<RunError> for InvokeError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::PoolExhausted => Self::Throttled(Throttle::Instances),
            RunError::World { world, wanted } => Self::World { world, wanted },
            RunError::Internal(reason) => Self::Internal(reason),
        }
    }
}
