//! Old hours become days, and old days go.

use std::collections::BTreeMap;

use lamina_kv::Table;
use lamina_meter::Counters;

use crate::error::Error;
use crate::ledger::{BATCH, Ledger};
use crate::record::{DAY_HOURS, DAYS, HOURS, key, parse};

/// Records read at a time.
const PAGE: usize = 1_000;
const DAY_S: u64 = 86_400;

/// What a table holds of each day.
type Days = BTreeMap<u64, usize>;

impl Ledger {
    /// Puts hours together that are older than they are kept, or too many, and
    /// removes days likewise. Each step is one transaction: nothing is counted twice
    /// or lost when it is interrupted.
    pub async fn prune(&self) -> Result<(), Error> {
        let config = self.shared.config;
        let today = self.now().seconds() / DAY_S;
        let hours = self.count(&HOURS, DAY_HOURS).await?;
        let before = cut(&hours, today.saturating_sub(config.hours_kept_days), config.records_max).min(today);
        for day in hours.keys().take_while(|day| **day < before) {
            self.fold(*day).await?;
        }
        let days = self.count(&DAYS, 1).await?;
        let before = cut(&days, today.saturating_sub(config.days_kept), config.records_max);
        for day in days.keys().take_while(|day| **day < before) {
            tracing::info!(day, "the usage of an old day is forgotten");
            self.forget(*day).await?;
        }
        Ok(())
    }

    /// How many records a table has of each day.
    async fn count(&self, table: &'static Table<Counters>, per_day: u64) -> Result<Days, Error> {
        let mut days = Days::new();
        let mut after: Option<String> = None;
        loop {
            let page = self.page(table, after, PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(days) };
            after = Some(last.clone());
            for (time, _) in page.iter().filter_map(|(key, _)| parse(key)) {
                *days.entry(time / per_day).or_default() += 1;
            }
        }
    }

    /// Some records after a key.
    pub(crate) async fn page(
        &self,
        table: &'static Table<Counters>,
        after: Option<String>,
        limit: usize,
    ) -> Result<Vec<(String, Counters)>, Error> {
        // On this thread: one that went on when its caller was dropped would keep the
        // records open, and so the directory.
        let page = self.shared.deps.store.scan_page(table, after.as_deref(), limit)?;
        tokio::task::yield_now().await;
        Ok(page)
    }

    async fn fold(&self, day: u64) -> Result<(), Error> {
        let _writer = self.shared.writer.lock().await;
        loop {
            let page = self.page(&HOURS, Some(format!("{:010}", day * DAY_HOURS)), BATCH).await?;
            let of_day: Vec<String> = page
                .into_iter()
                .map(|(key, _)| key)
                .filter(|key| parse(key).is_some_and(|(hour, _)| hour / DAY_HOURS == day))
                .collect();
            if of_day.is_empty() {
                return Ok(());
            }
            let fold = move |txn: &mut lamina_kv::Txn<'_>| {
                for hour in of_day {
                    let Some((_, owner)) = parse(&hour) else { continue };
                    let Some(counters) = txn.get(&HOURS, &hour)? else { continue };
                    let key = key(day, owner);
                    let mut sum = txn.get(&DAYS, &key)?.unwrap_or_default();
                    sum.add(&counters);
                    txn.put(&DAYS, &key, &sum)?;
                    txn.remove(&HOURS, &hour)?;
                }
                Ok::<(), lamina_kv::Error>(())
            };
            self.shared.deps.store.commit(fold).await?;
        }
    }

    async fn forget(&self, day: u64) -> Result<(), Error> {
        loop {
            let page = self.page(&DAYS, Some(format!("{day:010}")), BATCH).await?;
            let keys: Vec<String> = page.into_iter().map(|(key, _)| key).collect();
            let keys: Vec<String> =
                keys.into_iter().filter(|key| parse(key).is_some_and(|(of, _)| of == day)).collect();
            if keys.is_empty() {
                return Ok(());
            }
            let remove = move |txn: &mut lamina_kv::Txn<'_>| keys.iter().try_for_each(|key| txn.remove(&DAYS, key));
            self.shared.deps.store.commit::<(), lamina_kv::Error>(remove).await?;
        }
    }
}

/// The first day that stays.
fn cut(days: &Days, oldest: u64, records_max: usize) -> u64 {
    let mut kept = 0;
    for (day, records) in days.range(oldest..).rev() {
        kept += records;
        if kept > records_max {
            return day + 1;
        }
    }
    oldest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_days_stay() {
        let days: Days = [(1, 10), (5, 10), (6, 10), (7, 10)].into();
        assert_eq!(cut(&days, 0, 100), 0);
        assert_eq!(cut(&days, 5, 100), 5);
        assert_eq!(cut(&days, 0, 29), 6);
        assert_eq!(cut(&days, 0, 5), 8);
    }
}
