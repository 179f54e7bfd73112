//! `GET /lamina/v1/audit`: the audit log, and its head, signed now.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use lamina_wire::Invalid;
use lamina_wire::query::Query;
use lamina_wire::violation::Violations;
use serde_json::json;

use super::logs::integer;
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::request::Call;

/// Entries of one answer, unless more or fewer are asked for.
const LIMIT_DEFAULT: i64 = 1_000;
/// Entries of one answer at most.
const LIMIT_MAX: i64 = 10_000;

pub(crate) async fn perform(call: Call<'_>) -> Result<Answer, ApiError> {
    let (after, limit) = take(call.query())?;
    let registry = &call.shared.deps.registry;
    let failed = |error| ApiError::registry(error, call.owner());
    let entries = registry.audit_lines(after, limit).await.map_err(failed)?;
    let head = registry.sign_audit_head().await.map_err(failed)?;
    let public_key = STANDARD.encode(registry.audit_public_key());
    let head = head.map(|head| head.to_string());
    answer::json(StatusCode::OK, &json!({ "Entries": entries, "Head": head, "PublicKey": public_key }))
}

fn take(mut query: Query) -> Result<(u64, usize), Invalid> {
    let (after, limit) = (integer(&mut query, "After")?, integer(&mut query, "Limit")?);
    query.finish("GetAudit")?;
    let mut violations = Violations::new();
    violations.range("after", after, 0..=i64::MAX);
    violations.range("limit", limit, 1..=LIMIT_MAX);
    violations.finish()?;
    let limit = usize::try_from(limit.unwrap_or(LIMIT_DEFAULT)).unwrap_or_default();
    Ok((u64::try_from(after.unwrap_or(0)).unwrap_or_default(), limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for() {
        let check = |text: &str| take(Query::parse(text));
        assert_eq!(check(""), Ok((0, 1_000)));
        assert_eq!(check("After=7&Limit=10000"), Ok((7, 10_000)));
        for bad in ["After=-1", "Limit=0", "Limit=10001"] {
            assert!(matches!(check(bad), Err(Invalid::Validation(_))), "{bad}");
        }
        assert!(matches!(check("Other=1"), Err(Invalid::Parameter(_))));
    }
}
