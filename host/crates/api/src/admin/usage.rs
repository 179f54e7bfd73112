//! `GET /lamina/v1/usage`: what functions used in some hours, from the ledger.

use std::ops::Range;

use http::StatusCode;
use lamina_ledger::{By, Row};
use lamina_meter::Counters;
use lamina_types::Timestamp;
use lamina_wire::Invalid;
use lamina_wire::query::Query;
use lamina_wire::violation::Violations;
use serde::Serialize;

use super::logs::integer;
use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::request::Call;

const HOUR_MS: u64 = 3_600_000;
/// What is answered when it is not said since when.
const SINCE_DEFAULT_MS: u64 = 24 * HOUR_MS;
/// MiB-milliseconds of a GB-second.
const MIB_MS: u64 = 1_024_000;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    hours: Range<u64>,
    by: By,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct UsageAnswer {
    since: u64,
    until: u64,
    usage: Vec<RowAnswer>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RowAnswer {
    account_id: String,
    function_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(flatten)]
    counters: Counters,
    billed_gb_seconds: String,
}

impl From<Row> for RowAnswer {
    fn from(row: Row) -> Self {
        let Row { account, function, version, counters } = row;
        let billed_gb_seconds = gb_seconds(counters.billed_mib_ms);
        Self { account_id: account, function_name: function, version, counters, billed_gb_seconds }
    }
}

/// GB-seconds, exact: 1,024,000 is 2^13 times 5^3, so that 13 decimals are enough.
fn gb_seconds(mib_ms: u64) -> String {
    let decimals = u128::from(mib_ms % MIB_MS) * 10u128.pow(13) / u128::from(MIB_MS);
    let text = format!("{}.{decimals:013}", mib_ms / MIB_MS);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

pub(crate) async fn perform(call: Call<'_>) -> Result<Answer, ApiError> {
    let Request { hours, by } = Request::take(call.query(), call.shared.now())?;
    let rows = call.shared.deps.ledger.usage(hours.clone(), by).await;
    let rows = rows.map_err(|error| ApiError::internal(error.to_string()))?;
    let usage = rows.into_iter().map(RowAnswer::from).collect();
    answer::json(StatusCode::OK, &UsageAnswer { since: hours.start * HOUR_MS, until: hours.end * HOUR_MS, usage })
}

impl Request {
    fn take(mut query: Query, now: Timestamp) -> Result<Self, Invalid> {
        let since = integer(&mut query, "Since")?;
        let until = integer(&mut query, "Until")?;
        let by = query.take("By")?;
        query.finish("GetUsage")?;
        let mut violations = Violations::new();
        violations.range("since", since, 0..=i64::MAX);
        violations.range("until", until, 0..=i64::MAX);
        violations.one_of("by", by.as_ref(), &["function", "version"]);
        violations.finish()?;
        let natural = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
        let until = natural(until).unwrap_or_else(|| now.millis());
        let since = natural(since).unwrap_or_else(|| until.saturating_sub(SINCE_DEFAULT_MS));
        if since > until {
            return Err(Invalid::Parameter("Since is later than Until".to_owned()));
        }
        let by = if by.as_deref() == Some("version") { By::Version } else { By::Function };
        // Whole hours: the one that has begun, too.
        Ok(Self { hours: since / HOUR_MS..until / HOUR_MS + 1, by })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gb_seconds_are_exact() {
        for (mib_ms, expect) in [
            (0, "0"),
            (1, "0.0000009765625"),
            (128, "0.000125"),
            (1_024_000, "1"),
            (1_536_000, "1.5"),
            (u64::MAX, "18014398509481.9839990234375"),
        ] {
            assert_eq!(gb_seconds(mib_ms), expect);
        }
    }

    #[test]
    fn what_is_asked_for() {
        let now = Timestamp::from_millis(100 * HOUR_MS + 7);
        let check = |text: &str| Request::take(Query::parse(text), now);
        assert_eq!(check(""), Ok(Request { hours: 76..101, by: By::Function }));
        assert_eq!(check("Since=3600000&Until=7199999&By=version"), Ok(Request { hours: 1..2, by: By::Version }));
        for bad in ["Since=-1", "By=hour"] {
            assert!(matches!(check(bad), Err(Invalid::Validation(_))), "{bad}");
        }
        for bad in ["Since=7&Until=6", "Since=400000000000000", "For=f"] {
            assert!(matches!(check(bad), Err(Invalid::Parameter(_))), "{bad}");
        }
        assert!(matches!(check("Since=x"), Err(Invalid::Serialization(_))));
    }
}
