//! The table of operations: the model's of November 2026, and our own.

use http::Method;

use crate::auth::Action;

/// An operation that is supported: the model's names, and ours under `/lamina/v1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    CreateFunction,
    GetFunction,
    GetFunctionConfiguration,
    UpdateFunctionCode,
    UpdateFunctionConfiguration,
    DeleteFunction,
    ListFunctions,
    PublishVersion,
    ListVersionsByFunction,
    Invoke,
    InvokeWithResponseStream,
    CreateFunctionUrlConfig,
    GetFunctionUrlConfig,
    UpdateFunctionUrlConfig,
    DeleteFunctionUrlConfig,
    AddPermission,
    GetPolicy,
    RemovePermission,
    ListTags,
    TagResource,
    UntagResource,
    GetAccountSettings,
    GetRuntimeManagementConfig,
    PutRuntimeManagementConfig,
    ListRuntimes,
    InstallRuntime,
    MakeRuntimeCurrent,
    RemoveRuntime,
    ListTrust,
    AddTrust,
    RevokeTrust,
    GetLogs,
    GetCode,
    GetStatus,
    GetAudit,
    Backup,
    GetStats,
    GetUsage,
    GetMeters,
    RotateSecrets,
}

impl Operation {
    /// Its name, as the model has it.
    pub(crate) fn name(self) -> &'static str {
        ROUTES.iter().find(|row| row.operation == Some(self)).map_or("", |row| row.name)
    }

    /// What its caller must be permitted to do, in IAM's words.
    pub(crate) fn action(self) -> Action {
        match self {
            Self::CreateFunction => "lambda:CreateFunction",
            Self::GetFunction => "lambda:GetFunction",
            Self::GetFunctionConfiguration => "lambda:GetFunctionConfiguration",
            Self::UpdateFunctionCode => "lambda:UpdateFunctionCode",
            Self::UpdateFunctionConfiguration => "lambda:UpdateFunctionConfiguration",
            Self::DeleteFunction => "lambda:DeleteFunction",
            Self::ListFunctions => "lambda:ListFunctions",
            Self::PublishVersion => "lambda:PublishVersion",
            Self::ListVersionsByFunction => "lambda:ListVersionsByFunction",
            // Lambda has one permission for both.
            Self::Invoke | Self::InvokeWithResponseStream => "lambda:InvokeFunction",
            Self::CreateFunctionUrlConfig => "lambda:CreateFunctionUrlConfig",
            Self::GetFunctionUrlConfig => "lambda:GetFunctionUrlConfig",
            Self::UpdateFunctionUrlConfig => "lambda:UpdateFunctionUrlConfig",
            Self::DeleteFunctionUrlConfig => "lambda:DeleteFunctionUrlConfig",
            Self::AddPermission => "lambda:AddPermission",
            Self::GetPolicy => "lambda:GetPolicy",
            Self::RemovePermission => "lambda:RemovePermission",
            Self::ListTags => "lambda:ListTags",
            Self::TagResource => "lambda:TagResource",
            Self::UntagResource => "lambda:UntagResource",
            Self::GetAccountSettings => "lambda:GetAccountSettings",
            Self::GetRuntimeManagementConfig => "lambda:GetRuntimeManagementConfig",
            Self::PutRuntimeManagementConfig => "lambda:PutRuntimeManagementConfig",
            Self::ListRuntimes => "lamina:ListRuntimes",
            Self::InstallRuntime => "lamina:InstallRuntime",
            Self::MakeRuntimeCurrent => "lamina:MakeRuntimeCurrent",
            Self::RemoveRuntime => "lamina:RemoveRuntime",
            Self::ListTrust => "lamina:ListTrust",
            Self::AddTrust => "lamina:AddTrust",
            Self::RevokeTrust => "lamina:RevokeTrust",
            Self::GetLogs => "lamina:GetLogs",
            // The code is GetFunction's to give.
            Self::GetCode => "lambda:GetFunction",
            Self::GetStatus => "lamina:GetStatus",
            Self::GetAudit => "lamina:GetAudit",
            Self::Backup => "lamina:Backup",
            Self::GetStats => "lamina:GetStats",
            Self::GetUsage => "lamina:GetUsage",
            Self::GetMeters => "lamina:GetMeters",
            Self::RotateSecrets => "lamina:RotateSecrets",
        }
    }

    /// Whether its request has a body.
    pub(crate) fn has_body(self) -> bool {
        matches!(
            self,
            Self::CreateFunction
                | Self::UpdateFunctionCode
                | Self::UpdateFunctionConfiguration
                | Self::PublishVersion
                | Self::Invoke
                | Self::InvokeWithResponseStream
                | Self::CreateFunctionUrlConfig
                | Self::UpdateFunctionUrlConfig
                | Self::AddPermission
                | Self::TagResource
                | Self::PutRuntimeManagementConfig
                | Self::InstallRuntime
                | Self::AddTrust
                | Self::Backup
        )
    }
}

/// One operation's place.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) method: Method,
    /// Segments without the first slash; `*` is variable.
    pub(super) path: &'static str,
    /// A pair that the query must have, where that tells two operations apart.
    pub(super) query: Option<&'static str>,
    /// `None` for operations that are not supported yet.
    pub(super) operation: Option<Operation>,
}

const fn is(operation: Operation, name: &'static str, method: Method, path: &'static str) -> Row {
    Row { name, method, path, query: None, operation: Some(operation) }
}

const fn not_yet(name: &'static str, method: Method, path: &'static str) -> Row {
    Row { name, method, path, query: None, operation: None }
}

const fn not_yet_if(name: &'static str, method: Method, path: &'static str, query: &'static str) -> Row {
    Row { name, method, path, query: Some(query), operation: None }
}

/// The first row that fits counts, and the most used comes first.
pub(super) const ROUTES: &[Row] = &[
    is(Operation::Invoke, "Invoke", Method::POST, "2015-03-31/functions/*/invocations"),
    is(Operation::GetFunction, "GetFunction", Method::GET, "2015-03-31/functions/*"),
    is(Operation::DeleteFunction, "DeleteFunction", Method::DELETE, "2015-03-31/functions/*"),
    is(Operation::ListFunctions, "ListFunctions", Method::GET, "2015-03-31/functions"),
    is(Operation::CreateFunction, "CreateFunction", Method::POST, "2015-03-31/functions"),
    is(Operation::UpdateFunctionCode, "UpdateFunctionCode", Method::PUT, "2015-03-31/functions/*/code"),
    is(
        Operation::GetFunctionConfiguration,
        "GetFunctionConfiguration",
        Method::GET,
        "2015-03-31/functions/*/configuration",
    ),
    is(
        Operation::UpdateFunctionConfiguration,
        "UpdateFunctionConfiguration",
        Method::PUT,
        "2015-03-31/functions/*/configuration",
    ),
    is(Operation::ListVersionsByFunction, "ListVersionsByFunction", Method::GET, "2015-03-31/functions/*/versions"),
    is(Operation::PublishVersion, "PublishVersion", Method::POST, "2015-03-31/functions/*/versions"),
    is(Operation::GetPolicy, "GetPolicy", Method::GET, "2015-03-31/functions/*/policy"),
    is(Operation::AddPermission, "AddPermission", Method::POST, "2015-03-31/functions/*/policy"),
    is(Operation::RemovePermission, "RemovePermission", Method::DELETE, "2015-03-31/functions/*/policy/*"),
    is(Operation::GetFunctionUrlConfig, "GetFunctionUrlConfig", Method::GET, "2021-10-31/functions/*/url"),
    is(Operation::CreateFunctionUrlConfig, "CreateFunctionUrlConfig", Method::POST, "2021-10-31/functions/*/url"),
    is(Operation::UpdateFunctionUrlConfig, "UpdateFunctionUrlConfig", Method::PUT, "2021-10-31/functions/*/url"),
    is(Operation::DeleteFunctionUrlConfig, "DeleteFunctionUrlConfig", Method::DELETE, "2021-10-31/functions/*/url"),
    is(Operation::ListTags, "ListTags", Method::GET, "2017-03-31/tags/*"),
    is(Operation::TagResource, "TagResource", Method::POST, "2017-03-31/tags/*"),
    is(Operation::UntagResource, "UntagResource", Method::DELETE, "2017-03-31/tags/*"),
    is(Operation::GetAccountSettings, "GetAccountSettings", Method::GET, "2016-08-19/account-settings"),
    is(Operation::ListRuntimes, "ListRuntimes", Method::GET, "lamina/v1/runtimes"),
    is(Operation::InstallRuntime, "InstallRuntime", Method::POST, "lamina/v1/runtimes"),
    is(Operation::MakeRuntimeCurrent, "MakeRuntimeCurrent", Method::POST, "lamina/v1/runtimes/*/current"),
    is(Operation::RemoveRuntime, "RemoveRuntime", Method::DELETE, "lamina/v1/runtimes/*"),
    is(Operation::ListTrust, "ListTrust", Method::GET, "lamina/v1/trust"),
    is(Operation::AddTrust, "AddTrust", Method::POST, "lamina/v1/trust"),
    is(Operation::RevokeTrust, "RevokeTrust", Method::DELETE, "lamina/v1/trust/*"),
    is(Operation::GetLogs, "GetLogs", Method::GET, "lamina/v1/logs/*"),
    is(Operation::GetCode, "GetCode", Method::GET, "lamina/v1/code/*"),
    is(Operation::GetStatus, "GetStatus", Method::GET, "lamina/v1/status"),
    is(Operation::GetAudit, "GetAudit", Method::GET, "lamina/v1/audit"),
    is(Operation::Backup, "Backup", Method::POST, "lamina/v1/backup"),
    is(Operation::GetStats, "GetStats", Method::GET, "lamina/v1/stats"),
    is(Operation::GetUsage, "GetUsage", Method::GET, "lamina/v1/usage"),
    is(Operation::GetMeters, "GetMeters", Method::GET, "lamina/v1/meters"),
    is(Operation::RotateSecrets, "RotateSecrets", Method::POST, "lamina/v1/secrets/rotate"),
    not_yet("InvokeAsync", Method::POST, "2014-11-13/functions/*/invoke-async"),
    not_yet("ListEventSourceMappings", Method::GET, "2015-03-31/event-source-mappings"),
    not_yet("CreateEventSourceMapping", Method::POST, "2015-03-31/event-source-mappings"),
    not_yet("GetEventSourceMapping", Method::GET, "2015-03-31/event-source-mappings/*"),
    not_yet("UpdateEventSourceMapping", Method::PUT, "2015-03-31/event-source-mappings/*"),
    not_yet("DeleteEventSourceMapping", Method::DELETE, "2015-03-31/event-source-mappings/*"),
    not_yet("ListAliases", Method::GET, "2015-03-31/functions/*/aliases"),
    not_yet("CreateAlias", Method::POST, "2015-03-31/functions/*/aliases"),
    not_yet("GetAlias", Method::GET, "2015-03-31/functions/*/aliases/*"),
    not_yet("UpdateAlias", Method::PUT, "2015-03-31/functions/*/aliases/*"),
    not_yet("DeleteAlias", Method::DELETE, "2015-03-31/functions/*/aliases/*"),
    not_yet("PutFunctionConcurrency", Method::PUT, "2017-10-31/functions/*/concurrency"),
    not_yet("DeleteFunctionConcurrency", Method::DELETE, "2017-10-31/functions/*/concurrency"),
    not_yet("GetFunctionConcurrency", Method::GET, "2019-09-30/functions/*/concurrency"),
    not_yet_if("GetLayerVersionByArn", Method::GET, "2018-10-31/layers", "find=LayerVersion"),
    not_yet("ListLayers", Method::GET, "2018-10-31/layers"),
    not_yet("ListLayerVersions", Method::GET, "2018-10-31/layers/*/versions"),
    not_yet("PublishLayerVersion", Method::POST, "2018-10-31/layers/*/versions"),
    not_yet("GetLayerVersion", Method::GET, "2018-10-31/layers/*/versions/*"),
    not_yet("DeleteLayerVersion", Method::DELETE, "2018-10-31/layers/*/versions/*"),
    not_yet("GetLayerVersionPolicy", Method::GET, "2018-10-31/layers/*/versions/*/policy"),
    not_yet("AddLayerVersionPermission", Method::POST, "2018-10-31/layers/*/versions/*/policy"),
    not_yet("RemoveLayerVersionPermission", Method::DELETE, "2018-10-31/layers/*/versions/*/policy/*"),
    not_yet("GetFunctionEventInvokeConfig", Method::GET, "2019-09-25/functions/*/event-invoke-config"),
    not_yet("UpdateFunctionEventInvokeConfig", Method::POST, "2019-09-25/functions/*/event-invoke-config"),
    not_yet("PutFunctionEventInvokeConfig", Method::PUT, "2019-09-25/functions/*/event-invoke-config"),
    not_yet("DeleteFunctionEventInvokeConfig", Method::DELETE, "2019-09-25/functions/*/event-invoke-config"),
    not_yet("ListFunctionEventInvokeConfigs", Method::GET, "2019-09-25/functions/*/event-invoke-config/list"),
    not_yet_if(
        "ListProvisionedConcurrencyConfigs",
        Method::GET,
        "2019-09-30/functions/*/provisioned-concurrency",
        "List=ALL",
    ),
    not_yet("GetProvisionedConcurrencyConfig", Method::GET, "2019-09-30/functions/*/provisioned-concurrency"),
    not_yet("PutProvisionedConcurrencyConfig", Method::PUT, "2019-09-30/functions/*/provisioned-concurrency"),
    not_yet("DeleteProvisionedConcurrencyConfig", Method::DELETE, "2019-09-30/functions/*/provisioned-concurrency"),
    not_yet("ListCodeSigningConfigs", Method::GET, "2020-04-22/code-signing-configs"),
    not_yet("CreateCodeSigningConfig", Method::POST, "2020-04-22/code-signing-configs"),
    not_yet("GetCodeSigningConfig", Method::GET, "2020-04-22/code-signing-configs/*"),
    not_yet("UpdateCodeSigningConfig", Method::PUT, "2020-04-22/code-signing-configs/*"),
    not_yet("DeleteCodeSigningConfig", Method::DELETE, "2020-04-22/code-signing-configs/*"),
    not_yet("ListFunctionsByCodeSigningConfig", Method::GET, "2020-04-22/code-signing-configs/*/functions"),
    not_yet("GetFunctionCodeSigningConfig", Method::GET, "2020-06-30/functions/*/code-signing-config"),
    not_yet("PutFunctionCodeSigningConfig", Method::PUT, "2020-06-30/functions/*/code-signing-config"),
    not_yet("DeleteFunctionCodeSigningConfig", Method::DELETE, "2020-06-30/functions/*/code-signing-config"),
    is(
        Operation::GetRuntimeManagementConfig,
        "GetRuntimeManagementConfig",
        Method::GET,
        "2021-07-20/functions/*/runtime-management-config",
    ),
    is(
        Operation::PutRuntimeManagementConfig,
        "PutRuntimeManagementConfig",
        Method::PUT,
        "2021-07-20/functions/*/runtime-management-config",
    ),
    not_yet("ListFunctionUrlConfigs", Method::GET, "2021-10-31/functions/*/urls"),
    is(
        Operation::InvokeWithResponseStream,
        "InvokeWithResponseStream",
        Method::POST,
        "2021-11-15/functions/*/response-streaming-invocations",
    ),
    not_yet("GetFunctionRecursionConfig", Method::GET, "2024-08-31/functions/*/recursion-config"),
    not_yet("PutFunctionRecursionConfig", Method::PUT, "2024-08-31/functions/*/recursion-config"),
    not_yet("GetResourcePolicy", Method::GET, "2026-07-09/resource-policy/*"),
    not_yet("PutResourcePolicy", Method::PUT, "2026-07-09/resource-policy/*"),
    not_yet("DeleteResourcePolicy", Method::DELETE, "2026-07-09/resource-policy/*"),
    not_yet("GetDurableExecution", Method::GET, "2025-12-01/durable-executions/*"),
    not_yet("StopDurableExecution", Method::POST, "2025-12-01/durable-executions/*/stop"),
    not_yet("PauseDurableExecution", Method::POST, "2025-12-01/durable-executions/*/pause"),
    not_yet("ResumeDurableExecution", Method::POST, "2025-12-01/durable-executions/*/resume"),
    not_yet("DeleteDurableExecution", Method::DELETE, "2025-12-01/durable-executions/*"),
    not_yet("GetDurableExecutionHistory", Method::GET, "2025-12-01/durable-executions/*/history"),
    not_yet("GetDurableExecutionState", Method::GET, "2025-12-01/durable-executions/*/state"),
    not_yet("CheckpointDurableExecution", Method::POST, "2025-12-01/durable-executions/*/checkpoint"),
    not_yet("ListDurableExecutionsByFunction", Method::GET, "2025-12-01/functions/*/durable-executions"),
    not_yet("SendDurableExecutionCallbackSuccess", Method::POST, "2025-12-01/durable-execution-callbacks/*/succeed"),
    not_yet("SendDurableExecutionCallbackFailure", Method::POST, "2025-12-01/durable-execution-callbacks/*/fail"),
    not_yet(
        "SendDurableExecutionCallbackHeartbeat",
        Method::POST,
        "2025-12-01/durable-execution-callbacks/*/heartbeat",
    ),
    not_yet("ListCapacityProviders", Method::GET, "2025-11-30/capacity-providers"),
    not_yet("CreateCapacityProvider", Method::POST, "2025-11-30/capacity-providers"),
    not_yet("GetCapacityProvider", Method::GET, "2025-11-30/capacity-providers/*"),
    not_yet("UpdateCapacityProvider", Method::PUT, "2025-11-30/capacity-providers/*"),
    not_yet("DeleteCapacityProvider", Method::DELETE, "2025-11-30/capacity-providers/*"),
    not_yet("ListFunctionVersionsByCapacityProvider", Method::GET, "2025-11-30/capacity-providers/*/function-versions"),
    not_yet("GetFunctionScalingConfig", Method::GET, "2025-11-30/functions/*/function-scaling-config"),
    not_yet("PutFunctionScalingConfig", Method::PUT, "2025-11-30/functions/*/function-scaling-config"),
];
