//! Reading the ledger.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use lamina_kv::Table;
use lamina_meter::{Counters, Subject};
use lamina_types::{FunctionName, Version};

use crate::error::Error;
use crate::ledger::Ledger;
use crate::record::{DAY_HOURS, DAYS, HOURS, parse, parts};

/// Records read at a time.
const PAGE: usize = 1_000;
/// Rows answered at most; those that were billed least are put together past it.
const ROWS_MAX: usize = 10_000;

/// What is added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// All versions of a function.
    Function,
    /// Each version.
    Version,
}

/// What was used of one function or version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The account.
    pub account: String,
    /// The function's name, or [`Subject::OTHER`].
    pub function: String,
    /// The version, when it is asked for.
    pub version: Option<String>,
    /// What was used.
    pub counters: Counters,
}

/// Whose usage is asked for: one version's, all versions' of a function, or all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Of {
    /// The function; all when it is not said.
    pub name: Option<FunctionName>,
    /// The version; all when it is not said.
    pub version: Option<Version>,
}

/// Sums by the hour since the Unix epoch.
pub type Hours = BTreeMap<u64, Counters>;

impl Ledger {
    /// What was used in these hours since the Unix epoch, by account, name and
    /// version. Everything that has ended is in it. Of days whose hours are not kept
    /// any more those count that begin in the range.
    pub async fn usage(&self, hours: Range<u64>, by: By) -> Result<Vec<Row>, Error> {
        self.flush().await?;
        let mut sums: HashMap<(String, String, Option<String>), Counters> = HashMap::new();
        let mut add = |_: u64, owner: &str, counters: &Counters| {
            let Some((account, function, version)) = parts(owner) else { return };
            let version = (by == By::Version).then(|| version.to_owned());
            sums.entry((account.to_owned(), function.to_owned(), version)).or_default().add(counters);
        };
        self.read(&DAYS, days(&hours), &mut add).await?;
        self.read(&HOURS, hours, &mut add).await?;
        let rows = sums.into_iter();
        let mut rows: Vec<Row> =
            rows.map(|((account, function, version), counters)| Row { account, function, version, counters }).collect();
        fold(&mut rows, ROWS_MAX);
        rows.sort_unstable_by(|one, two| {
            (&one.account, &one.function, &one.version).cmp(&(&two.account, &two.function, &two.version))
        });
        Ok(rows)
    }

    /// What each of these used in each of these hours; the records are read once for
    /// all. Days whose hours are not kept any more are their first hour.
    pub async fn hours(&self, of: &[Of], hours: Range<u64>) -> Result<Vec<Hours>, Error> {
        self.flush().await?;
        let mut sums = vec![Hours::new(); of.len()];
        let of: Vec<(Option<&str>, Option<String>)> = of
            .iter()
            .map(|of| (of.name.as_ref().map(FunctionName::as_str), of.version.map(|version| version.to_string())))
            .collect();
        let mut add = |per: u64, time: u64, owner: &str, counters: &Counters| {
            let (_, function, version) = parts(owner).unwrap_or_default();
            for ((name, of_version), sums) in of.iter().zip(&mut sums) {
                if name.is_none_or(|name| name == function) && of_version.as_ref().is_none_or(|of| of == version) {
                    sums.entry(time * per).or_default().add(counters);
                }
            }
        };
        self.read(&DAYS, days(&hours), &mut |day, owner, counters| add(DAY_HOURS, day, owner, counters)).await?;
        self.read(&HOURS, hours, &mut |hour, owner, counters| add(1, hour, owner, counters)).await?;
        Ok(sums)
    }

    async fn read(
        &self,
        table: &'static Table<Counters>,
        times: Range<u64>,
        add: &mut impl FnMut(u64, &str, &Counters),
    ) -> Result<(), Error> {
        // No key is so short: the first one of that time comes after it.
        let mut after = Some(format!("{:010}", times.start));
        loop {
            let page = self.page(table, after, PAGE).await?;
            for (key, counters) in &page {
                match parse(key) {
                    Some((time, owner)) if times.contains(&time) => add(time, owner, counters),
                    Some((time, _)) if time >= times.end => return Ok(()),
                    _ => {}
                }
            }
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(last.clone());
        }
    }
}

/// The days that begin in these hours.
fn days(hours: &Range<u64>) -> Range<u64> {
    hours.start.div_ceil(DAY_HOURS)..hours.end.div_ceil(DAY_HOURS)
}

/// Puts those rows together that were billed least.
fn fold(rows: &mut Vec<Row>, max: usize) {
    if rows.len() <= max {
        return;
    }
    rows.sort_unstable_by_key(|row| std::cmp::Reverse(row.counters.billed_mib_ms));
    let mut other = Counters::default();
    rows.split_off(max).iter().for_each(|row| other.add(&row.counters));
    let with_version = rows.first().is_some_and(|row| row.version.is_some());
    let version = with_version.then(|| Subject::Other.version());
    match rows.iter_mut().find(|row| row.function == Subject::OTHER) {
        Some(row) => row.counters.add(&other),
        None => {
            let account = rows.first().map(|row| row.account.clone()).unwrap_or_default();
            rows.push(Row { account, function: Subject::OTHER.to_owned(), version, counters: other });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_bounded_and_nothing_is_lost() {
        let row = |number: u64| {
            let counters = Counters { invocations: 1, billed_mib_ms: number, ..Counters::default() };
            Row { account: "1".into(), function: format!("f{number}"), version: None, counters }
        };
        let mut rows: Vec<Row> = (0..10).map(row).collect();
        fold(&mut rows, 3);
        let names: Vec<&str> = rows.iter().map(|row| row.function.as_str()).collect();
        assert_eq!(names, ["f9", "f8", "f7", "(other)"]);
        assert_eq!(rows.iter().map(|row| row.counters.invocations).sum::<u64>(), 10);
    }

    #[test]
    fn days_belong_to_where_they_begin() {
        assert_eq!(days(&(0..24)), 0..1);
        assert_eq!(days(&(1..25)), 1..2);
        assert_eq!(days(&(1..24)), 1..1);
    }
}
