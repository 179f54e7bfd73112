//! The commands, one a file. Each has what it does, as a function that
//! `quickstart` calls too, apart from what it prints.

pub(crate) mod delete;
pub(crate) mod deploy;
pub(crate) mod invoke;
pub(crate) mod keys;
pub(crate) mod list;
pub(crate) mod logs;
pub(crate) mod serve;
pub(crate) mod sign;
pub(crate) mod status;
pub(crate) mod trust;
pub(crate) mod unsign;
pub(crate) mod url;
pub(crate) mod verify;

use lamina_types::NameError;
use lamina_types::limits::PACKAGE_UNZIPPED_BYTES_MAX;
use lamina_types::names::FunctionNaming;
use serde_json::Value;

/// The largest component that any command reads.
const COMPONENT_BYTES_MAX: usize = PACKAGE_UNZIPPED_BYTES_MAX;

/// A function as the API lets it be named: `f`, `f:1`, an ARN. Checked here, as
/// an odd name would be another path of the API.
fn function(text: &str) -> Result<String, NameError> {
    text.parse::<FunctionNaming>().map(|_| text.to_owned())
}

/// A text member of an answer, or nothing.
fn member<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
