//! Metrics that functions write into their logs (CloudWatch's embedded metric
//! format).

use std::sync::atomic::{AtomicBool, Ordering};

use lamina_meter::{CustomKey, Meters, Sample};
use lamina_telemetry::Observer;
use lamina_wire::emf;

/// Counts the metrics in guests' lines. Most lines cost a look at their first byte.
pub(super) fn observer(meters: Meters) -> Observer {
    let is_full = AtomicBool::new(false);
    Observer::new(emf::is_candidate, move |line, now| {
        let data = match emf::parse(line, now) {
            Ok(data) => data,
            // The line is in the log; CloudWatch says no more either.
            Err(reason) => return tracing::debug!(reason, "a line in the embedded metric format makes no metric"),
        };
        for emf::Datum { namespace, name, dimensions, unit, at, values } in data {
            let Some(sample) = Sample::of(&values) else { continue };
            let key = CustomKey { namespace, name, dimensions };
            let is_counted = meters.custom().record(key, &unit, at, &sample);
            if is_full.swap(!is_counted, Ordering::Relaxed) == is_counted && !is_counted {
                tracing::warn!("functions write more metrics of their own than are kept; some are not counted");
            }
        }
    })
}
