//! Environment variables (reference 4.5).

use std::collections::BTreeMap;

use lamina_types::limits::ENVIRONMENT_BYTES_MAX;

use crate::error::Invalid;
use crate::object::Object;
use crate::pattern;
use crate::violation::Violations;

/// Names that Lambda sets itself.
const RESERVED: &[&str] = &[
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
];

/// Takes `Environment` and checks its names (layer one).
pub(super) fn take(
    body: &mut Object<'_>,
    violations: &mut Violations,
    operation: &str,
) -> Result<Option<BTreeMap<String, String>>, Invalid> {
    let Some(mut environment) = body.object("Environment")? else { return Ok(None) };
    let variables = environment.text_map("Variables")?.unwrap_or_default();
    environment.finish(operation)?;
    // A reserved name that no pattern allows is better told that it is reserved.
    let allowed = |name: &&String| (pattern::VARIABLE.matches)(name) || RESERVED.contains(&name.as_str());
    if !variables.keys().all(|name| allowed(&name)) {
        let shown: Vec<String> = variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let constraint = format!("Map keys must satisfy constraint: [{}]", pattern::VARIABLE.constraint());
        violations.add("environment.variables", &format!("{{{}}}", shown.join(", ")), &constraint);
    }
    Ok(Some(variables))
}

/// Layer two: size and reserved names.
pub(super) fn check(variables: &BTreeMap<String, String>) -> Result<(), Invalid> {
    let reserved: Vec<&str> = variables.keys().map(String::as_str).filter(|name| RESERVED.contains(name)).collect();
    if !reserved.is_empty() {
        return Err(Invalid::Parameter(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have \
             provided contains reserved keys that are currently not supported for modification. Reserved keys used \
             in this request: {}",
            reserved.join(", ")
        )));
    }
    let measured = serde_json::to_string(variables).map_err(|error| Invalid::Serialization(error.to_string()))?;
    if measured.len() > ENVIRONMENT_BYTES_MAX {
        return Err(Invalid::Parameter(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have \
             provided exceeded the 4KB limit. String measured: {measured}"
        )));
    }
    Ok(())
}
