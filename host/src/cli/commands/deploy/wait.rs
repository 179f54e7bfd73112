//! Waiting until a change of a function is done.

use std::time::Duration;

use lamina_types::FunctionName;
use serde_json::Value;

use crate::cli::client::{Call, Client};
use crate::cli::commands::member;
use crate::cli::failure::Failure;
use crate::cli::progress::Progress;

/// The same patience as AWS's waiters have.
const TIMEOUT: Duration = Duration::from_secs(300);
/// A folder of sources is ready within milliseconds; a component takes longer.
const PAUSE_FIRST: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Whether a change is under way.
pub(super) fn is_changing(configuration: &Value) -> bool {
    member(configuration, "State") == "Pending" || member(configuration, "LastUpdateStatus") == "InProgress"
}

/// Waits until no change is under way, however the last one ended.
pub(super) async fn until_settled(client: &Client, name: &FunctionName) -> Result<Value, Failure> {
    let progress = Progress::wait("compiling");
    let settled = tokio::time::timeout(TIMEOUT, poll(client, name, None)).await;
    progress.clear();
    settled.unwrap_or_else(|_| {
        Err(Failure::new(format!("{name} was not ready within {} s", TIMEOUT.as_secs()))
            .next("it may still become so: run the same deploy again"))
    })
}

/// Waits until a version that was published has its snapshot, or is known to have none.
/// One that takes longer than anybody waits is as it was last seen.
pub(super) async fn until_snapshotted(
    client: &Client,
    name: &FunctionName,
    published: Value,
) -> Result<Value, Failure> {
    if !is_changing(&published) {
        return Ok(published);
    }
    let progress = Progress::wait("making its snapshot");
    let version = member(&published, "Version").to_owned();
    let settled = tokio::time::timeout(TIMEOUT, poll(client, name, Some(&version))).await;
    progress.clear();
    settled.unwrap_or(Ok(published))
}

async fn poll(client: &Client, name: &FunctionName, version: Option<&str>) -> Result<Value, Failure> {
    let mut pause = PAUSE_FIRST;
    loop {
        let call = Call::get(&["2015-03-31", "functions", name.as_str(), "configuration"]);
        let call = call.query_if("Qualifier", version);
        let configuration = client.call(call).await?.json()?;
        if !is_changing(&configuration) {
            return Ok(configuration);
        }
        tokio::time::sleep(pause).await;
        pause = (2 * pause).min(PAUSE_MAX);
    }
}

/// Waits until the change is done, and tells if it did not succeed.
pub(super) async fn until_ready(client: &Client, name: &FunctionName) -> Result<Value, Failure> {
    let configuration = until_settled(client, name).await?;
    verdict(name, &configuration)?;
    Ok(configuration)
}

fn verdict(name: &FunctionName, configuration: &Value) -> Result<(), Failure> {
    let reason = |code: &str, text: &str| match (member(configuration, code), member(configuration, text)) {
        ("", "") => "no reason is given".to_owned(),
        ("", text) => text.to_owned(),
        (code, text) => format!("{code}: {text}"),
    };
    if member(configuration, "State") == "Failed" {
        let reason = reason("StateReasonCode", "StateReason");
        return Err(Failure::new(format!("{name} could not be created: {reason}"))
            .next("correct the code and run the same deploy again"));
    }
    if member(configuration, "LastUpdateStatus") == "Failed" {
        let reason = reason("LastUpdateStatusReasonCode", "LastUpdateStatusReason");
        return Err(Failure::new(format!("{name} could not be updated: {reason}"))
            .next("the previous code serves on; correct the new one and run the same deploy again"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_failed_state_is_an_error_with_its_reason() {
        let name: FunctionName = "f".parse().unwrap();
        let check = |configuration: Value| verdict(&name, &configuration).map_err(|failure| failure.text().to_owned());
        assert_eq!(check(json!({"State": "Active"})), Ok(()));
        assert_eq!(check(json!({"State": "Active", "LastUpdateStatus": "Successful"})), Ok(()));
        let failed = json!({"State": "Failed", "StateReason": "why", "StateReasonCode": "InvalidRuntime"});
        assert_eq!(check(failed).unwrap_err(), "f could not be created: InvalidRuntime: why");
        let failed = json!({"State": "Active", "LastUpdateStatus": "Failed", "LastUpdateStatusReason": "why"});
        assert_eq!(check(failed).unwrap_err(), "f could not be updated: why");
    }

    #[test]
    fn changes_under_way() {
        assert!(is_changing(&json!({"State": "Pending"})));
        assert!(is_changing(&json!({"State": "Active", "LastUpdateStatus": "InProgress"})));
        assert!(!is_changing(&json!({"State": "Active"})));
        assert!(!is_changing(&json!({"State": "Failed"})));
    }
}
