//! The commands, one a file. Each has what it does, as a function that
//! `quickstart` calls too, apart from what it prints.

pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod delete;
pub(crate) mod deploy;
pub(crate) mod fsck;
pub(crate) mod invoke;
pub(crate) mod keys;
pub(crate) mod list;
pub(crate) mod logs;
pub(crate) mod restore;
pub(crate) mod runtime;
pub(crate) mod secrets;
pub(crate) mod serve;
pub(crate) mod sign;
pub(crate) mod stats;
pub(crate) mod status;
pub(crate) mod top;
pub(crate) mod trust;
pub(crate) mod unsign;
pub(crate) mod url;
pub(crate) mod usage;
pub(crate) mod verify;
mod zip;

use lamina_types::NameError;
use lamina_types::limits::PACKAGE_UNZIPPED_BYTES_MAX;
use lamina_types::names::FunctionNaming;
use serde_json::Value;

use super::failure::Failure;

/// The largest component that any command reads.
const COMPONENT_BYTES_MAX: usize = PACKAGE_UNZIPPED_BYTES_MAX;

/// A function as the API lets it be named: `f`, `f:1`, an ARN. Checked here, as
/// an odd name would be another path of the API.
fn function(text: &str) -> Result<String, NameError> {
    text.parse::<FunctionNaming>().map(|_| text.to_owned())
}

/// A function's name and qualifier, of any of its forms.
fn parts(text: &str) -> Result<(String, Option<String>), Failure> {
    let naming = text.parse::<FunctionNaming>().map_err(|error| Failure::usage(error.to_string()))?;
    let function = match naming {
        FunctionNaming::Plain(function) | FunctionNaming::Partial(_, function) => function,
        FunctionNaming::Arn(arn) => arn.function,
    };
    Ok((function.name.to_string(), function.qualifier.map(|qualifier| qualifier.to_string())))
}

/// What to do about a file that is not as a component must be to carry signatures.
fn about_component(error: &lamina_signing::Error, file: &[u8]) -> &'static str {
    match error {
        lamina_signing::Error::NotComponent(_) if file.starts_with(b"\0asm") => {
            "this is a core module: build for wasm32-wasip2, or wrap it with wasm-tools component new"
        }
        lamina_signing::Error::NotComponent(_) => "give the component: what a build for wasm32-wasip2 wrote",
        lamina_signing::Error::Damaged { .. } | lamina_signing::Error::Malformed(_) => "build it again, and sign that",
        lamina_signing::Error::Full(_) => "take the signatures away first: lamina unsign FILE",
        lamina_signing::Error::NotSigned => "there is nothing to take away: use the file as it is",
    }
}

/// A text member of an answer, or nothing.
fn member<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
