//! What to do next about an error.

use super::{Error, Exception};

/// The next step, where there is one to give.
pub(super) fn next_step(error: &Error) -> Option<String> {
    match error {
        Error::Unreachable { reason, .. } if reason.contains("certificate") => {
            Some("name the authority that signed the platform's certificate: --ca-cert FILE".to_owned())
        }
        Error::Unreachable { data: Some(data), .. } => {
            Some(format!("start the platform: lamina serve --data {}", data.display()))
        }
        Error::Unreachable { data: None, .. } => {
            Some("start the platform (lamina serve --data DIR), or check --endpoint".to_owned())
        }
        Error::Broken { .. } => Some("see whether the platform is well: lamina status".to_owned()),
        Error::Timeout { .. } => Some(
            "look at the platform's own log, the standard error of lamina serve; if it hangs, start it again"
                .to_owned(),
        ),
        Error::Unreadable(_) => Some("check that the endpoint is a Lamina platform of this version".to_owned()),
        Error::TooLarge(_) | Error::Request(_) => None,
        Error::Aws(exception) => about(exception).map(str::to_owned),
    }
}

fn about(exception: &Exception) -> Option<&'static str> {
    let says = |words: &str| exception.message.contains(words);
    Some(match exception.name.as_str() {
        "CodeVerificationFailedException" if says("damaged") || says("missing") => {
            "the platform's copy of the code is lost: deploy it again, lamina deploy NAME FILE"
        }
        "CodeVerificationFailedException" => {
            "sign it: lamina sign FILE --key KEYFILE, and trust the key: lamina trust add KEYFILE.pub"
        }
        "InvalidCodeSignatureException" => {
            "the file is not what was signed: build it again, and sign it: lamina sign FILE --key KEYFILE"
        }
        "InvalidSignatureException" if says("expired") || says("not yet current") => {
            "set the clock of this machine: requests may be five minutes off"
        }
        "InvalidSignatureException" if says("valid region") => "sign for the platform's region: --region REGION",
        "InvalidSignatureException"
        | "UnrecognizedClientException"
        | "MissingAuthenticationTokenException"
        | "IncompleteSignatureException" => {
            "check the credentials: those of a platform on this machine are found with --data DIR"
        }
        "InvalidParameterValueException" if says("is a function-http component") => {
            "call its URL: lamina url NAME shows it"
        }
        "InvalidParameterValueException" if says("unzip") || says("component") => {
            "give a component of one of the worlds in wit/ (Rust: cargo build --target wasm32-wasip2), or a zip with \
             it as bootstrap.wasm"
        }
        "InvalidRequestContentException" => {
            "give the event as JSON; a text in quotation marks, as in --payload '\"text\"'"
        }
        "ExpiredTokenException" => "renew the session's credentials",
        "ResourceNotFoundException" if says("Function") => "see which functions there are: lamina list",
        "ResourceNotFoundException" if says("key") => "see which keys are trusted: lamina trust list",
        "ResourceConflictException" if says("in progress") || says("Pending") => {
            "wait until it is done, and try again: lamina list shows the functions"
        }
        "TooManyRequestsException" => "try again in a moment",
        "ServiceException" | "ServiceUnavailableException" => {
            "look at the platform's own log: it is the standard error of lamina serve"
        }
        "UnknownOperationException" => "check that the endpoint is a Lamina platform of this version",
        name if name.starts_with("HTTP status") => "check that the endpoint is a Lamina platform",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &str, message: &str) -> Option<String> {
        next_step(&Error::Aws(Exception { status: 400, name: name.into(), message: message.into() }))
    }

    #[test]
    fn errors_come_with_a_next_step() {
        let check = |name: &str, message: &str, expect: &str| {
            let step = step(name, message).unwrap();
            assert!(step.contains(expect), "{name}: {step}");
        };
        check("CodeVerificationFailedException", "it is not signed", "lamina sign FILE --key KEYFILE");
        check("CodeVerificationFailedException", "it is not signed", "lamina trust add KEYFILE.pub");
        check("CodeVerificationFailedException", "artifact 00 is damaged: x", "deploy it again");
        check("CodeVerificationFailedException", "artifact 00 is missing", "deploy it again");
        check("InvalidParameterValueException", "f is a function-http component: x", "lamina url");
        check("InvalidParameterValueException", "the code is not a WebAssembly component that", "wasm32-wasip2");
        check("InvalidRequestContentException", "Could not parse request body into json", "--payload");
        check("InvalidCodeSignatureException", "", "lamina sign");
        check("InvalidSignatureException", "Signature expired: x", "clock");
        check("InvalidSignatureException", "Credential should be scoped to a valid region, not 'x'.", "--region");
        check("UnrecognizedClientException", "", "credentials");
        check("ResourceNotFoundException", "Function not found: arn", "lamina list");
        check("ResourceConflictException", "An update is in progress for resource: x", "wait");
        check("ServiceException", "", "lamina serve");
        assert_eq!(step("InvalidParameterValueException", "x"), None);
    }

    #[test]
    fn a_platform_that_is_not_there_is_to_be_started() {
        let error = |data: Option<&str>| Error::Unreachable {
            endpoint: "http://h:1".into(),
            reason: "refused".into(),
            data: data.map(Into::into),
        };
        assert_eq!(next_step(&error(Some("d"))).unwrap(), "start the platform: lamina serve --data d");
        assert!(next_step(&error(None)).unwrap().contains("--endpoint"));
        let unbelieved = Error::Unreachable {
            endpoint: "https://h:1".into(),
            reason: "invalid peer certificate: UnknownIssuer".into(),
            data: None,
        };
        assert!(next_step(&unbelieved).unwrap().contains("--ca-cert"));
    }
}
