//! From uploaded bytes to a version that can run: take the component out of the
//! upload, verify its signature, validate it, store it, compile it, and put the
//! change in force.
//!
//! Knows no HTTP. The only place where registry and runtime meet on the control
//! plane; the data plane has `lamina-invoke`.

mod admit;
mod check;
mod collect;
mod deployer;
mod error;
mod package;
mod packages;
mod renew;
mod runtime;
mod signing;
mod typescript;

pub use check::code_check;
pub use collect::Removed;
pub use deployer::{Config, Create, Deployer, Deps, UpdateCode};
pub use error::DeployError;
pub use packages::packages;
pub use renew::Renewed;
pub use runtime::InstallRuntime;
pub use signing::Signing;
