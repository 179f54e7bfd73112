//! The values of `Runtime` (reference 4.2): which run here, which are accepted and
//! end at Invoke, and which are none.

use crate::error::Invalid;

/// Runs a component of the author's own.
const OWN: &[&str] = &["provided.al2023", "provided.al2"];

/// Runtimes of Lambda's that a managed runtime runs, or that none does.
const OTHERS: &[&str] = &[
    "nodejs16.x",
    "nodejs18.x",
    "nodejs20.x",
    "nodejs22.x",
    "nodejs24.x",
    "nodejs26.x",
    "python3.8",
    "python3.9",
    "python3.10",
    "python3.11",
    "python3.12",
    "python3.13",
    "python3.14",
    "python3.15",
    "java8.al2",
    "java8.al2023",
    "java11",
    "java11.al2023",
    "java17",
    "java17.al2023",
    "java21",
    "java25",
    "ruby3.2",
    "ruby3.3",
    "ruby3.4",
    "ruby4.0",
    "dotnet6",
    "dotnet8",
    "dotnet10",
];

/// Names of the model that nothing can be made with.
const NOT_YET: &[&str] = &["custom"];

/// Runtimes that Lambda itself refuses by now.
const OLD: &[&str] = &[
    "nodejs",
    "nodejs4.3",
    "nodejs4.3-edge",
    "nodejs6.10",
    "nodejs8.10",
    "nodejs10.x",
    "nodejs12.x",
    "nodejs14.x",
    "python2.7",
    "python3.6",
    "python3.7",
    "java8",
    "go1.x",
    "ruby2.5",
    "ruby2.7",
    "dotnetcore1.0",
    "dotnetcore2.0",
    "dotnetcore2.1",
    "dotnetcore3.1",
    "provided",
];

/// Accepts a runtime, or says why not.
pub(super) fn check(runtime: &str) -> Result<(), Invalid> {
    if OWN.contains(&runtime) {
        return Ok(());
    }
    if OTHERS.contains(&runtime) {
        return Ok(());
    }
    if NOT_YET.contains(&runtime) {
        let instead = "give a runtime of nodejs or python, or a component with runtime provided.al2023";
        return Err(Invalid::not_yet(&format!("Runtime {runtime}"), instead));
    }
    if OLD.contains(&runtime) {
        return Err(Invalid::Parameter(format!(
            "The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda \
             functions. We recommend you use a supported runtime while creating or updating functions."
        )));
    }
    let known: Vec<&str> = OWN.iter().chain(OTHERS).chain(NOT_YET).copied().collect();
    Err(Invalid::Parameter(format!(
        "Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [{}] or be \
         a valid ARN",
        known.join(", ")
    )))
}
