//! Members that CreateFunction and UpdateFunctionConfiguration share: read and
//! checked, or refused by name unless their value is the one that is in force
//! anyway.

use std::collections::BTreeMap;

use lamina_types::limits::{
    DESCRIPTION_CHARS_MAX, HANDLER_CHARS_MAX, MEMORY_MIB_MAX, MEMORY_MIB_MIN, TIMEOUT_S_MAX, TIMEOUT_S_MIN,
};
use lamina_types::logging::LogFormatChange;
use lamina_types::units::MemoryMib;
use serde_json::Value;

use super::{environment, runtime};
use crate::error::Invalid;
use crate::object::Object;
use crate::pattern;
use crate::violation::Violations;

/// What both calls may set.
#[derive(Debug, Default)]
pub(super) struct Members {
    pub(super) runtime: Option<String>,
    pub(super) role: Option<String>,
    pub(super) handler: Option<String>,
    pub(super) description: Option<String>,
    pub(super) environment: Option<BTreeMap<String, String>>,
    pub(super) log_group: Option<String>,
    pub(super) log_format: LogFormatChange,
    pub(super) snap_start: Option<bool>,
    timeout: Option<i64>,
    memory: Option<i64>,
    refused: Option<Invalid>,
}

impl Members {
    /// Reads the members, layer one only.
    pub(super) fn take(body: &mut Object<'_>, violations: &mut Violations, operation: &str) -> Result<Self, Invalid> {
        let mut members = Self {
            runtime: body.text("Runtime")?,
            role: body.text("Role")?,
            handler: body.text("Handler")?,
            description: body.text("Description")?,
            timeout: body.integer("Timeout")?,
            memory: body.integer("MemorySize")?,
            ..Self::default()
        };
        violations.pattern("role", members.role.as_ref(), &pattern::ROLE);
        violations.pattern("handler", members.handler.as_ref(), &pattern::HANDLER);
        violations.length("handler", members.handler.as_ref(), 0..=HANDLER_CHARS_MAX);
        violations.length("description", members.description.as_ref(), 0..=DESCRIPTION_CHARS_MAX);
        // The model's maxima are for managed instances; ours are in layer two.
        violations.range("timeout", members.timeout, 1..=5_400);
        violations.range("memorySize", members.memory, 128..=32_768);
        members.environment = environment::take(body, violations, operation)?;
        members.take_logging(body, violations, operation)?;
        members.take_snap_start(body, violations, operation)?;
        members.take_inert(body, violations)?;
        Ok(members)
    }

    fn take_logging(
        &mut self,
        body: &mut Object<'_>,
        violations: &mut Violations,
        operation: &str,
    ) -> Result<(), Invalid> {
        let Some(mut logging) = body.object("LoggingConfig")? else { return Ok(()) };
        let format = logging.text("LogFormat")?;
        violations.one_of("loggingConfig.logFormat", format.as_ref(), &["JSON", "Text"]);
        let application = logging.text("ApplicationLogLevel")?;
        let levels = &["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
        violations.one_of("loggingConfig.applicationLogLevel", application.as_ref(), levels);
        let system = logging.text("SystemLogLevel")?;
        violations.one_of("loggingConfig.systemLogLevel", system.as_ref(), &["DEBUG", "INFO", "WARN"]);
        self.log_group = logging.text("LogGroup")?;
        violations.length("loggingConfig.logGroup", self.log_group.as_ref(), 1..=512);
        violations.pattern("loggingConfig.logGroup", self.log_group.as_ref(), &pattern::LOG_GROUP);
        logging.finish(operation)?;
        self.log_format = LogFormatChange {
            json: format.map(|format| format == "JSON"),
            application: application.and_then(|level| level.parse().ok()),
            system: system.and_then(|level| level.parse().ok()),
        };
        Ok(())
    }

    fn take_snap_start(
        &mut self,
        body: &mut Object<'_>,
        violations: &mut Violations,
        operation: &str,
    ) -> Result<(), Invalid> {
        let Some(mut given) = body.object("SnapStart")? else { return Ok(()) };
        let apply_on = given.text("ApplyOn")?;
        violations.one_of("snapStart.applyOn", apply_on.as_ref(), &["PublishedVersions", "None"]);
        given.finish(operation)?;
        self.snap_start = apply_on.map(|apply_on| apply_on == "PublishedVersions");
        Ok(())
    }

    /// Members without effect so far: their default passes, the rest is refused.
    fn take_inert(&mut self, body: &mut Object<'_>, violations: &mut Violations) -> Result<(), Invalid> {
        const INERT: &[&str] = &[
            "VpcConfig",
            "DeadLetterConfig",
            "KMSKeyArn",
            "TracingConfig",
            "Layers",
            "FileSystemConfigs",
            "ImageConfig",
            "EphemeralStorage",
            "DurableConfig",
            "CapacityProviderConfig",
            "TenancyConfig",
            "RuntimeConfig",
            "AcceleratorConfig",
        ];
        for name in INERT {
            let Some(value) = body.value::<Value>(name)? else { continue };
            let text = |member: &str| value.get(member).and_then(Value::as_str).map(str::to_owned);
            match *name {
                "TracingConfig" => {
                    violations.one_of("tracingConfig.mode", text("Mode").as_ref(), &["Active", "PassThrough"]);
                }
                "EphemeralStorage" => {
                    let size = value.get("Size").and_then(Value::as_i64);
                    violations.required("ephemeralStorage.size", size.as_ref());
                    violations.range("ephemeralStorage.size", size, 512..=32_768);
                }
                _ => {}
            }
            if !in_force_anyway(name, &value) {
                self.refuse(Invalid::not_yet(name, "leave it out, or give its default"));
            }
        }
        Ok(())
    }

    /// Remembers the first refusal of layer two.
    pub(super) fn refuse(&mut self, refusal: Invalid) {
        self.refused.get_or_insert(refusal);
    }

    /// Layer two.
    pub(super) fn check(&mut self) -> Result<(), Invalid> {
        if let Some(refused) = self.refused.take() {
            return Err(refused);
        }
        if let Some(runtime) = &self.runtime {
            runtime::check(runtime)?;
        }
        if let Some(timeout) = self.timeout.filter(|timeout| *timeout > i64::from(TIMEOUT_S_MAX)) {
            return Err(too_large("timeout", timeout, TIMEOUT_S_MAX));
        }
        if let Some(memory) = self.memory.filter(|memory| *memory > i64::from(MEMORY_MIB_MAX)) {
            return Err(too_large("memorySize", memory, MEMORY_MIB_MAX));
        }
        self.environment.as_ref().map_or(Ok(()), environment::check)
    }

    /// The timeout in seconds, once checked.
    pub(super) fn timeout_s(&self) -> Option<u32> {
        let seconds = u32::try_from(self.timeout?).ok()?;
        Some(seconds.clamp(TIMEOUT_S_MIN, TIMEOUT_S_MAX))
    }

    /// The memory, once checked.
    pub(super) fn memory(&self) -> Option<MemoryMib> {
        let memory = u32::try_from(self.memory?).ok()?;
        Some(MemoryMib(memory.clamp(MEMORY_MIB_MIN, MEMORY_MIB_MAX)))
    }
}

fn too_large(path: &str, value: i64, most: u32) -> Invalid {
    Invalid::Parameter(format!(
        "'{value}' at '{path}' failed to satisfy constraint: Member must have value less than or equal to {most}"
    ))
}

/// Whether setting this changes nothing: an empty value, or the default.
fn in_force_anyway(name: &str, value: &Value) -> bool {
    match (name, value) {
        ("EphemeralStorage", Value::Object(members)) => is_only(members, "Size", &Value::from(512)),
        ("TracingConfig", Value::Object(members)) => is_only(members, "Mode", &Value::from("PassThrough")),
        ("VpcConfig" | "ImageConfig" | "DeadLetterConfig", Value::Object(members)) => members.values().all(is_empty),
        ("KMSKeyArn" | "Layers" | "FileSystemConfigs", value) => is_empty(value),
        _ => false,
    }
}

fn is_only(members: &serde_json::Map<String, Value>, name: &str, expect: &Value) -> bool {
    members.iter().all(|(member, value)| value.is_null() || (member == name && value == expect))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    }
}
