//! Each lower layer's error enum, variant by variant, without a wildcard.
//!
//! Texts that clients match on are reference 3.3's to the letter.

use lamina_deploy::DeployError;
use lamina_invoke::{InvokeError, Throttle};
use lamina_registry::{ResolveError, Revised};
use lamina_types::records::State;
use lamina_types::{FunctionName, FunctionRef};
use lamina_wire::{Invalid, Owner};

use super::{ApiError, exception};
use crate::auth::sigv4::AuthError;

impl From<Invalid> for ApiError {
    fn from(error: Invalid) -> Self {
        match error {
            Invalid::Serialization(text) => Self::new(exception::SERIALIZATION, text),
            Invalid::Validation(text) => Self::new(exception::VALIDATION, text),
            Invalid::Parameter(text) => Self::new(exception::INVALID_PARAMETER, text),
            Invalid::OtherRegion { .. } | Invalid::NoSuchFunction { .. } => {
                Self::new(exception::NOT_FOUND, error.to_string())
            }
            Invalid::OtherAccount => Self::mute(exception::DENIED).with_log(error.to_string()),
        }
    }
}

impl From<AuthError> for ApiError {
    fn from(error: AuthError) -> Self {
        let exception = match &error {
            AuthError::Missing => exception::NO_TOKEN,
            AuthError::Incomplete(_) => exception::INCOMPLETE,
            AuthError::Mismatch | AuthError::Scope(_) => exception::MISMATCH,
            AuthError::UnknownKey => exception::UNKNOWN_KEY,
        };
        Self::new(exception, error.to_string())
    }
}

impl ApiError {
    /// A function that is not there, by the name it was asked for.
    pub(crate) fn function_not_found(function: &FunctionRef, owner: &Owner) -> Self {
        let arn = owner.arn(&function.name, function.qualifier.as_ref());
        Self::new(exception::NOT_FOUND, format!("Function not found: {arn}"))
    }

    /// A revision that has passed, or never was one.
    pub(crate) fn stale(revised: Revised) -> Self {
        let call = match revised {
            Revised::Function => "GetFunction/GetAlias",
            Revised::Policy => "GetPolicy",
        };
        let text = format!(
            "The Revision Id provided does not match the latest Revision Id. Call the {call} API to retrieve the \
             latest Revision Id"
        );
        Self::new(exception::PRECONDITION, text)
    }

    /// A resource that is not there, where Lambda says no more.
    pub(crate) fn no_resource() -> Self {
        Self::new(exception::NOT_FOUND, "The resource you requested does not exist.")
    }

    fn in_state(state: &str) -> Self {
        let text = format!(
            "The operation cannot be performed at this time. The function is currently in the following state: {state}"
        );
        Self::new(exception::CONFLICT, text)
    }

    /// Why the records refused a change.
    pub(crate) fn registry(error: lamina_registry::Error, owner: &Owner) -> Self {
        use lamina_registry::Error;
        let arn = |name: &FunctionName| owner.arn(name, None);
        let text = error.to_string();
        match error {
            Error::FunctionNotFound(name) => {
                Self::new(exception::NOT_FOUND, format!("Function not found: {}", arn(&name)))
            }
            Error::FunctionExists(name) => Self::new(exception::CONFLICT, format!("Function already exist: {name}")),
            Error::UpdateInProgress(name) => {
                let arn = arn(&name);
                let text = format!(
                    "The operation cannot be performed at this time. An update is in progress for resource: {arn}"
                );
                Self::new(exception::CONFLICT, text)
            }
            Error::NotActive { state, .. } => Self::in_state(state),
            Error::StaleRevision(revised) => Self::stale(revised),
            Error::CodeShaDiffers { given, current } => {
                let text = format!(
                    "CodeSHA256 ({given}) is different from current CodeSHA256 in $LATEST ({current}). Please try \
                     again with the CodeSHA256 in $LATEST."
                );
                Self::new(exception::INVALID_PARAMETER, text)
            }
            Error::PolicyNotFound(_) => {
                Self::new(exception::NOT_FOUND, "No policy is associated with the given resource.")
            }
            // The operations that can meet these two say which statement.
            Error::StatementNotFound(_) => {
                Self::new(exception::NOT_FOUND, "The statement is not found in resource policy.")
            }
            Error::StatementExists(_) => Self::new(exception::CONFLICT, "The statement id provided already exists."),
            Error::PolicyTooLong { .. } => Self::new(exception::POLICY_LENGTH, text),
            Error::UrlExists(name) => {
                let arn = arn(&name);
                let text = format!(
                    "Failed to create function url config for [functionArn = {arn}]. Error message:  \
                     FunctionUrlConfig exists for this Lambda function"
                );
                Self::new(exception::CONFLICT, text)
            }
            Error::UrlNotFound(_) => Self::no_resource(),
            Error::TooManyTags { .. } => {
                Self::new(exception::INVALID_PARAMETER, "Number of tags exceeds resource tag limit.")
            }
            Error::CodeStorageExceeded { .. } => Self::new(exception::CODE_STORAGE, "Code storage limit exceeded."),
            Error::Setting(_)
            | Error::LevelOfText(_)
            | Error::TooManyFunctions { .. }
            | Error::TooManyVersions { .. }
            | Error::TooManyRuntimes { .. }
            | Error::RuntimeLanguage { .. }
            | Error::KeyInvalid(_)
            | Error::TooManyKeys { .. } => Self::new(exception::INVALID_PARAMETER, text),
            Error::KeyUnknown(_) | Error::RuntimeUnknown(_) | Error::VersionNotFound { .. } => {
                Self::new(exception::NOT_FOUND, text)
            }
            Error::RuntimeInUse(_) => Self::new(exception::CONFLICT, text),
            Error::Inconsistent(_) | Error::Store(_) | Error::Audit(_) | Error::AuditLogFull { .. } => {
                Self::internal(text)
            }
        }
    }

    /// Why `function` cannot be called.
    pub(crate) fn resolve(error: &ResolveError, function: &FunctionRef, owner: &Owner) -> Self {
        match error {
            ResolveError::FunctionNotFound(_) | ResolveError::QualifierNotFound { .. } => {
                Self::function_not_found(function, owner)
            }
            ResolveError::NotReady { state: State::Pending, .. } => Self::in_state("Pending"),
            ResolveError::NotReady { state: State::Failed { .. }, .. } => Self::in_state("Failed"),
            ResolveError::NoRuntime { .. } => Self::new(exception::INVALID_RUNTIME, error.to_string()),
            // Never refused for that.
            ResolveError::NotReady { state: State::Active, .. } => Self::internal(error.to_string()),
        }
    }

    /// Why code was not deployed.
    pub(crate) fn deploy(error: DeployError, owner: &Owner) -> Self {
        match error {
            DeployError::Registry(error) => Self::registry(error, owner),
            DeployError::Package(text) => Self::new(exception::INVALID_PARAMETER, text),
            DeployError::Code(error) => Self::new(exception::INVALID_PARAMETER, error.to_string()),
            DeployError::Unverified(text) => Self::new(exception::VERIFICATION, text),
            DeployError::Signature(text) => Self::new(exception::SIGNATURE, text),
            DeployError::Artifacts(log) => Self::internal(log),
        }
    }

    /// Why `function` did not run.
    pub(crate) fn invoke(error: InvokeError, function: &FunctionRef, owner: &Owner) -> Self {
        let text = error.to_string();
        match error {
            InvokeError::Resolve(error) => Self::resolve(&error, function, owner),
            InvokeError::Throttled(throttle) => Self::throttle(throttle),
            InvokeError::Refused { .. } => Self::new(exception::VERIFICATION, text),
            InvokeError::Unusable { .. } => Self::new(exception::INVALID_RUNTIME, text),
            InvokeError::World { .. } => Self::new(exception::INVALID_PARAMETER, text),
            InvokeError::Internal(log) => Self::internal(log),
        }
    }

    /// A limit that was hit, in Lambda's word for the nearest one.
    pub(crate) fn throttle(throttle: Throttle) -> Self {
        let reason = match throttle {
            Throttle::Account | Throttle::Instances => "ConcurrentInvocationLimitExceeded",
            Throttle::Function => "ReservedFunctionConcurrentInvocationLimitExceeded",
            Throttle::Compile => "FunctionInvocationRateLimitExceeded",
        };
        Self::throttled(reason).with_log(throttle.to_string())
    }
}

#[cfg(test)]
mod tests {
    use lamina_registry::Error;
    use lamina_types::{Qualifier, World};

    use super::*;

    fn owner() -> Owner {
        Owner { region: "us-east-1".parse().unwrap(), account: "000000000000".parse().unwrap() }
    }

    fn name() -> FunctionName {
        "f".parse().unwrap()
    }

    fn check(error: ApiError, name: &str, status: u16, text: &str) {
        assert_eq!((error.exception.name, error.exception.status.as_u16()), (name, status), "{error:?}");
        assert_eq!(error.text.as_deref(), Some(text));
    }

    #[test]
    fn registry_errors_in_lambdas_words() {
        let check = |error: Error, name: &str, status: u16, text: &str| {
            check(ApiError::registry(error, &owner()), name, status, text);
        };
        let (conflict, missing) = ("ResourceConflictException", "ResourceNotFoundException");
        let arn = "arn:aws:lambda:us-east-1:000000000000:function:f";
        check(Error::FunctionNotFound(name()), missing, 404, &format!("Function not found: {arn}"));
        check(Error::FunctionExists(name()), conflict, 409, "Function already exist: f");
        check(
            Error::UpdateInProgress(name()),
            conflict,
            409,
            &format!("The operation cannot be performed at this time. An update is in progress for resource: {arn}"),
        );
        check(
            Error::NotActive { name: name(), state: "Pending" },
            conflict,
            409,
            "The operation cannot be performed at this time. The function is currently in the following state: Pending",
        );
        check(
            Error::StaleRevision(Revised::Policy),
            "PreconditionFailedException",
            412,
            "The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the \
             latest Revision Id",
        );
        check(
            Error::CodeShaDiffers { given: "X".into(), current: "Y".into() },
            "InvalidParameterValueException",
            400,
            "CodeSHA256 (X) is different from current CodeSHA256 in $LATEST (Y). Please try again with the CodeSHA256 \
             in $LATEST.",
        );
        check(
            Error::UrlExists(name()),
            conflict,
            409,
            &format!(
                "Failed to create function url config for [functionArn = {arn}]. Error message:  FunctionUrlConfig \
                 exists for this Lambda function"
            ),
        );
        check(Error::UrlNotFound(name()), missing, 404, "The resource you requested does not exist.");
        check(Error::KeyUnknown("k".into()), missing, 404, "key k is not trusted");
    }

    #[test]
    fn our_own_faults_stay_with_us() {
        let text = "The Lambda service encountered an internal error.";
        let lower = ApiError::registry(Error::Inconsistent("secret".into()), &owner());
        check(lower, "ServiceException", 500, text);
        check(ApiError::deploy(DeployError::Artifacts("disk".into()), &owner()), "ServiceException", 500, text);
    }

    #[test]
    fn calls_that_did_not_run() {
        let asked = FunctionRef { name: name(), qualifier: Some("7".parse().unwrap()) };
        let check = |error: InvokeError, name: &str, status: u16, text: &str| {
            check(ApiError::invoke(error, &asked, &owner()), name, status, text);
        };
        let missing = "Function not found: arn:aws:lambda:us-east-1:000000000000:function:f:7";
        check(ResolveError::FunctionNotFound(name()).into(), "ResourceNotFoundException", 404, missing);
        let qualifier = Qualifier::LATEST;
        check(
            ResolveError::QualifierNotFound { name: name(), qualifier }.into(),
            "ResourceNotFoundException",
            404,
            missing,
        );
        check(Throttle::Account.into(), "TooManyRequestsException", 429, "Rate Exceeded.");
        check(
            InvokeError::World { world: World::FunctionHttp, wanted: "function" },
            "InvalidParameterValueException",
            400,
            "the function is a function-http component, not function",
        );
        check(
            InvokeError::Unusable { reason: "r".into() },
            "InvalidRuntimeException",
            502,
            "the function's code cannot run: r",
        );
    }

    #[test]
    fn requests_that_are_not_believed() {
        check(AuthError::Missing.into(), "MissingAuthenticationTokenException", 403, "Missing Authentication Token");
        check(
            AuthError::UnknownKey.into(),
            "UnrecognizedClientException",
            403,
            "The security token included in the request is invalid.",
        );
        assert_eq!(ApiError::from(Invalid::OtherAccount).text, None);
    }
}
