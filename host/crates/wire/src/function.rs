//! Functions: the bodies of CreateFunction, UpdateFunctionCode,
//! UpdateFunctionConfiguration and PublishVersion (reference 4.1).

mod code;
mod create;
mod environment;
mod members;
mod runtime;
mod update;
mod version;

pub use code::UpdateCode;
pub use create::CreateFunction;
pub use update::UpdateConfiguration;
pub use version::PublishVersion;

#[cfg(test)]
mod tests;
