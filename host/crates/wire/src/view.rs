//! FunctionConfiguration, as Create, Get, Update, Publish and the lists answer
//! it (reference 4.1, 4.3): absent means absent.

use std::collections::BTreeMap;

use lamina_types::records::{FunctionView, Snapshot, State, UpdateStatus};
use lamina_types::{LogFormat, Qualifier};
use serde::Serialize;

use crate::naming::Owner;

const CREATING: &str = "The function is being created.";

/// A function's configuration in Lambda's shape.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct FunctionConfiguration {
    function_name: String,
    function_arn: String,
    runtime: String,
    role: String,
    handler: String,
    code_size: u64,
    description: String,
    timeout: u32,
    memory_size: u32,
    last_modified: String,
    code_sha256: String,
    version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<Environment>,
    tracing_config: Tracing,
    revision_id: String,
    #[serde(flatten)]
    status: Option<Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime_version_config: Option<RuntimeVersionConfig>,
    package_type: &'static str,
    architectures: [String; 1],
    ephemeral_storage: Storage,
    snap_start: SnapStart,
    logging_config: Logging,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Environment {
    variables: BTreeMap<String, String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tracing {
    mode: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Storage {
    size: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct SnapStart {
    apply_on: &'static str,
    optimization_status: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct RuntimeVersionConfig {
    runtime_version_arn: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Logging {
    log_format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    application_log_level: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system_log_level: Option<&'static str>,
    log_group: String,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Status {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_reason_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_update_status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_update_status_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_update_status_reason_code: Option<String>,
}

impl FunctionConfiguration {
    /// The whole shape. `asked` is the qualifier that the ARN ends with.
    pub fn whole(view: &FunctionView, owner: &Owner, asked: Option<&Qualifier>) -> Self {
        let runtime_version_config = view.runtime.as_ref().map(|component| RuntimeVersionConfig {
            runtime_version_arn: crate::managed::arn(component, &owner.region),
        });
        Self { status: Some(status(view)), runtime_version_config, ..Self::listed(view, owner, asked) }
    }

    /// The shape of lists: without states and runtime versions.
    pub fn listed(view: &FunctionView, owner: &Owner, asked: Option<&Qualifier>) -> Self {
        let configuration = &view.configuration;
        let group = configuration.log_group.clone();
        let (log_format, application_log_level, system_log_level) = match configuration.log_format {
            LogFormat::Text => ("Text", None, None),
            LogFormat::Json { application, system } => ("JSON", Some(application.as_str()), Some(system.as_str())),
        };
        Self {
            function_name: view.name.to_string(),
            function_arn: owner.arn(&view.name, asked).to_string(),
            runtime: configuration.runtime.clone(),
            role: configuration.role.clone(),
            handler: configuration.handler.clone(),
            code_size: view.code.package_bytes,
            description: configuration.description.clone(),
            timeout: configuration.timeout_s,
            memory_size: configuration.memory.0,
            last_modified: view.last_modified.to_last_modified(),
            code_sha256: view.code.package.to_base64(),
            version: view.version.to_string(),
            environment: configuration.environment.clone().map(|variables| Environment { variables }),
            tracing_config: Tracing { mode: "PassThrough" },
            revision_id: view.revision.to_string(),
            status: None,
            runtime_version_config: None,
            package_type: "Zip",
            architectures: [configuration.architecture.clone()],
            ephemeral_storage: Storage { size: 512 },
            snap_start: SnapStart {
                apply_on: if configuration.snap_start { "PublishedVersions" } else { "None" },
                optimization_status: if view.snapshot == Some(Snapshot::Made) { "On" } else { "Off" },
            },
            logging_config: Logging {
                log_format,
                application_log_level,
                system_log_level,
                log_group: group.unwrap_or_else(|| format!("/aws/lambda/{}", view.name)),
            },
        }
    }
}

fn status(view: &FunctionView) -> Status {
    let mut status = Status::default();
    match &view.state {
        State::Pending => {
            status.state = "Pending";
            status.state_reason = Some(CREATING.into());
            status.state_reason_code = Some("Creating".into());
        }
        State::Active => {
            status.state = "Active";
            // Lambda's shape has no other place for it.
            if let Some(Snapshot::Off { reason }) = &view.snapshot {
                status.state_reason = Some(format!("It runs without a snapshot: {reason}"));
            }
        }
        State::Failed { code, reason } => {
            status.state = "Failed";
            status.state_reason = Some(reason.clone());
            status.state_reason_code = Some(code.clone());
        }
    }
    match &view.update {
        None => {}
        Some(UpdateStatus::Successful) => status.last_update_status = Some("Successful"),
        Some(UpdateStatus::InProgress) => {
            status.last_update_status = Some("InProgress");
            status.last_update_status_reason = Some(CREATING.into());
            status.last_update_status_reason_code = Some("Creating".into());
        }
        Some(UpdateStatus::Failed { code, reason }) => {
            status.last_update_status = Some("Failed");
            status.last_update_status_reason = Some(reason.clone());
            status.last_update_status_reason_code = Some(code.clone());
        }
    }
    status
}

/// A page of ListFunctions.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct FunctionPage {
    /// The page.
    pub functions: Vec<FunctionConfiguration>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
}

/// A page of ListVersionsByFunction.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct VersionPage {
    /// The page.
    pub versions: Vec<FunctionConfiguration>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
}

/// GetFunction's answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct FunctionAnswer {
    /// The configuration.
    pub configuration: FunctionConfiguration,
    /// Where the code can be fetched.
    pub code: CodeLocation,
    /// Absent when there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

/// Where a function's code can be fetched.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CodeLocation {
    /// `S3`, as clients expect for zips.
    pub repository_type: &'static str,
    /// A URL of this platform, signed for ten minutes.
    pub location: String,
}

#[cfg(test)]
mod tests {
    use lamina_types::records::{Code, CodeKind, Configuration};
    use lamina_types::settings::Settings;
    use lamina_types::units::MemoryMib;
    use lamina_types::{Digest, RevisionId, Timestamp, Version, World};
    use serde_json::json;

    use super::*;

    fn view() -> FunctionView {
        FunctionView {
            name: "f".parse().unwrap(),
            version: Version::Latest,
            configuration: Configuration {
                runtime: "provided.al2023".into(),
                role: "arn:aws:iam::000000000000:role/r".into(),
                handler: "bootstrap.wasm".into(),
                description: String::new(),
                timeout_s: 3,
                memory: MemoryMib(128),
                environment: None,
                architecture: "x86_64".into(),
                log_group: None,
                log_format: LogFormat::Text,
                snap_start: false,
            },
            code: Code {
                package: Digest::of(b"abc"),
                package_bytes: 3,
                kind: CodeKind::Component { component: Digest::of(b"abc"), world: World::Function },
                signers: vec![],
            },
            settings: Settings::default(),
            last_modified: Timestamp(1_764_000_000_123_456),
            revision: RevisionId::from_random([0; 16]),
            state: State::Pending,
            update: None,
            runtime: None,
            snapshot: None,
        }
    }

    #[test]
    fn the_answer_of_create() {
        let owner = Owner { region: "us-east-1".parse().unwrap(), account: "000000000000".parse().unwrap() };
        let shown = serde_json::to_value(FunctionConfiguration::whole(&view(), &owner, None)).unwrap();
        assert_eq!(
            shown,
            json!({
                "FunctionName": "f",
                "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:f",
                "Runtime": "provided.al2023",
                "Role": "arn:aws:iam::000000000000:role/r",
                "Handler": "bootstrap.wasm",
                "CodeSize": 3,
                "Description": "",
                "Timeout": 3,
                "MemorySize": 128,
                "LastModified": "2025-11-24T16:00:00.123+0000",
                "CodeSha256": "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
                "Version": "$LATEST",
                "TracingConfig": {"Mode": "PassThrough"},
                "RevisionId": "00000000-0000-4000-8000-000000000000",
                "State": "Pending",
                "StateReason": "The function is being created.",
                "StateReasonCode": "Creating",
                "PackageType": "Zip",
                "Architectures": ["x86_64"],
                "EphemeralStorage": {"Size": 512},
                "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
                "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/f"},
            })
        );
        let qualifier = Qualifier::LATEST;
        let listed = serde_json::to_value(FunctionConfiguration::listed(&view(), &owner, Some(&qualifier))).unwrap();
        assert_eq!(listed["FunctionArn"], "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST");
        assert_eq!(listed.get("State"), None);
    }
}
