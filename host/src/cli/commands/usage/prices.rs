//! A file of prices, and what usage costs: exact to the last decimal that is shown.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::cli::failure::Failure;

/// The largest file of prices, in bytes.
pub(super) const PRICES_BYTES_MAX: usize = 64 << 10;
/// Decimals of a price.
const DECIMALS: u32 = 15;
/// Decimals of a bill.
const SHOWN: u32 = 9;
/// MiB-milliseconds of a GB-second.
const MIB_MS: u128 = 1_024_000;
/// A price is less than this: so that no product of it and a usage can pass 2^127.
const PRICE_MAX: u128 = 1_000;

/// What one unit costs, in 10^-15 of the currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prices {
    currency: String,
    gb_second: u128,
    request: u128,
    fuel: u128,
}

/// What is billed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Used {
    pub(super) mib_ms: u64,
    pub(super) requests: u64,
    pub(super) fuel: u64,
}

impl Used {
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            mib_ms: self.mib_ms.saturating_add(other.mib_ms),
            requests: self.requests.saturating_add(other.requests),
            fuel: self.fuel.saturating_add(other.fuel),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct File<'a> {
    #[serde(default)]
    currency: Option<String>,
    #[serde(borrow, default)]
    gb_second: Option<&'a RawValue>,
    #[serde(borrow, default)]
    request: Option<&'a RawValue>,
    #[serde(borrow, default)]
    fuel: Option<&'a RawValue>,
}

impl Prices {
    /// Reads a file; a price that is not there is nothing.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Failure> {
        let file: File<'_> = serde_json::from_slice(bytes).map_err(|error| {
            Failure::usage(format!("the prices cannot be read: {error}"))
                .next(r#"write them like {"Currency": "USD", "GbSecond": "0.0000166667", "Request": "0.0000002"}"#)
        })?;
        let currency = file.currency.unwrap_or_else(|| "USD".to_owned());
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if currency.is_empty() || currency.len() > 12 || !currency.chars().all(plain) {
            return Err(Failure::usage("Currency is 1 to 12 letters, digits and _"));
        }
        if file.gb_second.is_none() && file.request.is_none() && file.fuel.is_none() {
            return Err(Failure::usage("there is no price: give at least one of GbSecond, Request and Fuel"));
        }
        let price = |name: &str, text: Option<&RawValue>| match text {
            None => Ok(0),
            Some(text) => scaled(text.get()).ok_or_else(|| {
                let text = text.get().chars().take(40).collect::<String>();
                Failure::usage(format!(
                    "{name} is {text}: a price is a number from 0 to less than {PRICE_MAX}, with at most {DECIMALS} \
                     decimals"
                ))
            }),
        };
        Ok(Self {
            currency,
            gb_second: price("GbSecond", file.gb_second)?,
            request: price("Request", file.request)?,
            fuel: price("Fuel", file.fuel)?,
        })
    }

    pub(super) fn currency(&self) -> &str {
        &self.currency
    }

    /// What it costs, rounded half up to nine decimals.
    pub(super) fn bill(&self, used: Used) -> Result<String, Failure> {
        let times = |price: u128, amount: u64| price.checked_mul(u128::from(amount));
        let whole = || {
            let sum = times(self.request, used.requests)?.checked_add(times(self.fuel, used.fuel)?)?;
            // All in 10^-15 of the currency times MiB-milliseconds of a GB-second.
            sum.checked_mul(MIB_MS)?.checked_add(times(self.gb_second, used.mib_ms)?)
        };
        let whole = whole().ok_or_else(|| Failure::new("the bill is too large to be written"))?;
        let unit = MIB_MS * 10u128.pow(DECIMALS - SHOWN);
        let rounded = whole / unit + u128::from(whole % unit >= unit / 2);
        let one = 10u128.pow(SHOWN);
        Ok(format!("{}.{:0width$}", rounded / one, rounded % one, width = SHOWN as usize))
    }
}

/// A decimal number, or one in quotes, times 10^15.
fn scaled(text: &str) -> Option<u128> {
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let length = u32::try_from(decimals.len()).ok()?;
    if whole.is_empty() || whole.len() > 4 || length > DECIMALS || !digits(whole) || !digits(decimals) {
        return None;
    }
    let whole: u128 = whole.parse().ok().filter(|whole| *whole < PRICE_MAX)?;
    let decimals: u128 = if decimals.is_empty() { 0 } else { decimals.parse().ok()? };
    Some(whole * 10u128.pow(DECIMALS) + decimals * 10u128.pow(DECIMALS - length))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAMBDA: &str = r#"{"Currency": "USD", "GbSecond": "0.0000166667", "Request": 0.0000002}"#;

    fn bill(prices: &str, mib_ms: u64, requests: u64, fuel: u64) -> String {
        Prices::parse(prices.as_bytes()).unwrap().bill(Used { mib_ms, requests, fuel }).unwrap()
    }

    #[test]
    fn bills_are_exact() {
        // A million calls of 100 ms with 128 MB.
        assert_eq!(bill(LAMBDA, 128 * 100 * 1_000_000, 1_000_000, 0), "0.408333750");
        assert_eq!(bill(LAMBDA, 0, 1, 0), "0.000000200");
        assert_eq!(bill(r#"{"Fuel": "0.000000001"}"#, 5, 5, 1_500_000_000), "1.500000000");
        // Half a unit of the last decimal is rounded up.
        assert_eq!(bill(r#"{"Request": "0.0000000005"}"#, 0, 1, 0), "0.000000001");
        assert_eq!(bill(r#"{"Request": "0.0000000004"}"#, 0, 1, 0), "0.000000000");
        let prices = Prices::parse(br#"{"GbSecond": "999.9"}"#).unwrap();
        assert!(prices.bill(Used { mib_ms: u64::MAX, requests: u64::MAX, fuel: 0 }).is_ok());
    }

    #[test]
    fn prices_that_cannot_be_are_refused() {
        for bad in [
            "",
            "[]",
            r#"{"Gbsecond": 1}"#,
            r#"{"GbSecond": -1}"#,
            r#"{"GbSecond": 1e-5}"#,
            r#"{"GbSecond": "0.0000000000000001"}"#,
            r#"{"GbSecond": "1000"}"#,
            r#"{"GbSecond": ""}"#,
            r#"{"GbSecond": null, "Request": true}"#,
            r#"{"Currency": "a,b"}"#,
        ] {
            assert!(Prices::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
