//! What can go wrong outside the guest. A guest's own failure is data
//! (`types::FunctionError`), never one of these.

use lamina_types::{Digest, World};

/// Why code could not be loaded.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CodeError {
    /// The stored component is gone, damaged, or no longer signed by a trusted
    /// key: it does not run.
    #[error("code {component} is refused: {reason}")]
    Refused {
        /// The component.
        component: Digest,
        /// Why, for the caller and the log.
        reason: String,
    },
    /// The component is not one the engine can run.
    #[error("component {component} cannot run: {reason}")]
    Unusable {
        /// The component.
        component: Digest,
        /// The engine's reason.
        reason: String,
    },
    /// Too many components wait to be compiled.
    #[error("the compile queue is full ({max} waiting)")]
    QueueFull {
        /// The bound.
        max: usize,
    },
    /// Our own fault: the disk, or a task that died.
    #[error("loading component {component}: {reason}")]
    Internal {
        /// The component.
        component: Digest,
        /// What happened.
        reason: String,
    },
}

/// Why a component could not be made ready at deploy.
pub type PrepareError = CodeError;

/// Why a call did not run.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RunError {
    /// Every slot of the instance pool is taken.
    #[error("the instance pool is exhausted")]
    PoolExhausted,
    /// The component has another world than the call needs.
    #[error("the function is a {} component, not {wanted}", .world.name())]
    World {
        /// The component's world.
        world: World,
        /// The world or worlds the call needs.
        wanted: &'static str,
    },
    /// Our own fault.
    #[error("running the function: {0}")]
    Internal(String),
}
