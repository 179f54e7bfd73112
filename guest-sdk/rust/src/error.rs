//! How a handler fails: a type for machines, a message for people, and where it
//! came from.

use std::error::Error as StdError;
use std::fmt;
use std::panic::Location;

/// Causes kept of one error; a chain that loops would have no end.
const CAUSES_MAX: usize = 32;

/// What a handler returns when it fails. The caller reads the type as
/// `errorType`, the message as `errorMessage`, and place and causes as
/// `stackTrace`.
///
/// Every [`std::error::Error`] turns into one at a `?`: the type is then the name
/// of its Rust type. For this reason it is not a `std::error::Error` itself.
pub struct Error {
    error_type: String,
    message: String,
    location: Option<&'static Location<'static>>,
    causes: Vec<String>,
}

impl Error {
    /// An error with a type that callers can match on, such as `Order.NotFound`.
    #[track_caller]
    pub fn new(error_type: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            error_type: error_type.into(),
            message: message.into(),
            location: Some(Location::caller()),
            causes: Vec::new(),
        }
    }

    /// The same error with `cause`, and what caused that, as its causes.
    #[must_use]
    pub fn caused_by(mut self, cause: &dyn StdError) -> Self {
        self.causes.push(cause.to_string());
        self.causes.extend(causes(cause));
        self.causes.truncate(CAUSES_MAX);
        self
    }

    /// The type that callers can match on.
    #[must_use]
    pub fn error_type(&self) -> &str {
        &self.error_type
    }

    /// The text for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The messages of the causes, outermost first.
    #[must_use]
    pub fn causes(&self) -> &[String] {
        &self.causes
    }

    /// The lines of `stackTrace`: the place that made this error out of another
    /// or from nothing, then a line for each cause.
    #[must_use]
    pub fn stack_trace(&self) -> Vec<String> {
        let place = self.location.map(|location| format!("at {location}"));
        let causes = self.causes.iter().map(|cause| format!("caused by: {cause}"));
        place.into_iter().chain(causes).collect()
    }

    /// Drops a place that is in `file`.
    pub(crate) fn forget_location_in(mut self, file: &str) -> Self {
        self.location = self.location.filter(|location| location.file() != file);
        self
    }

    /// Its type, message and stack trace, for the bindings.
    #[cfg(target_family = "wasm")]
    pub(crate) fn into_parts(self) -> (String, String, Vec<String>) {
        let stack_trace = self.stack_trace();
        (self.error_type, self.message, stack_trace)
    }
}

impl<E: StdError> From<E> for Error {
    #[track_caller]
    fn from(error: E) -> Self {
        let mut converted = Self::new(type_name(std::any::type_name::<E>()), error.to_string());
        converted.causes = causes(&error).collect();
        converted
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.error_type, self.message)?;
        self.causes.iter().try_for_each(|cause| write!(f, ": {cause}"))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.error_type, self.message)?;
        self.stack_trace().iter().try_for_each(|line| write!(f, "\n    {line}"))
    }
}

fn causes(error: &dyn StdError) -> impl Iterator<Item = String> {
    std::iter::successors(error.source(), |&cause| cause.source()).take(CAUSES_MAX).map(|cause| cause.to_string())
}

/// A Rust type's name without its path and parameters. A type called just `Error`
/// keeps the module that tells it from the others: `serde_json::Error`.
fn type_name(full: &str) -> String {
    let path = full.split(['<', '&', ' ']).find(|part| !part.is_empty()).unwrap_or(full);
    let mut segments = path.rsplit("::");
    let name = segments.next().unwrap_or(path);
    if name != "Error" {
        return name.to_owned();
    }
    let module = segments.find(|segment| !matches!(*segment, "error" | "errors"));
    module.map_or_else(|| name.to_owned(), |module| format!("{module}::{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Outer(std::num::ParseIntError);

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the quantity is unusable")
        }
    }

    impl StdError for Outer {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            Some(&self.0)
        }
    }

    fn fail() -> Result<(), Error> {
        Err("x".parse::<u32>().map_err(Outer).map(drop).unwrap_err())?
    }

    #[test]
    fn a_std_error_keeps_type_message_place_and_chain() {
        let error = fail().unwrap_err();
        assert_eq!(error.error_type(), "Outer");
        assert_eq!(error.message(), "the quantity is unusable");
        assert_eq!(error.causes(), ["invalid digit found in string"]);
        let trace = error.stack_trace();
        assert!(trace[0].starts_with("at ") && trace[0].contains("error.rs:"), "{trace:?}");
        assert_eq!(trace[1], "caused by: invalid digit found in string");
        assert_eq!(error.to_string(), "Outer: the quantity is unusable: invalid digit found in string");
    }

    #[test]
    fn a_named_error_can_have_causes() {
        let cause = Outer("x".parse::<u32>().unwrap_err());
        let error = Error::new("Order.Invalid", "order 7 cannot be shipped").caused_by(&cause);
        assert_eq!(error.error_type(), "Order.Invalid");
        assert_eq!(error.causes(), ["the quantity is unusable", "invalid digit found in string"]);
    }

    #[test]
    fn type_names_lose_their_path() {
        let check = |full: &str, short: &str| assert_eq!(type_name(full), short);
        check("core::num::error::ParseIntError", "ParseIntError");
        check("my_crate::orders::Error", "orders::Error");
        check("serde_json::error::Error", "serde_json::Error");
        check("std::io::error::Error", "io::Error");
        check("tokio::sync::mpsc::SendError<alloc::string::String>", "SendError");
        check("&my_crate::Failed", "Failed");
        check("alloc::boxed::Box<my_crate::Failed>", "Box");
        check("Error", "Error");
    }
}
