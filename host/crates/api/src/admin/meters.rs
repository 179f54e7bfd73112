//! `GET /lamina/v1/meters`: what was counted since the start, as it is now.

use http::StatusCode;
use lamina_meter::{BOUNDS, Counters, Snapshot};
use serde::Serialize;

use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::request::Call;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MetersAnswer {
    at: u64,
    concurrent: u32,
    concurrent_max: u32,
    bounds_us: &'static [u64],
    functions: Vec<MeterAnswer>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MeterAnswer {
    function_name: String,
    version: String,
    #[serde(flatten)]
    counters: Counters,
    concurrent: u32,
    concurrent_max: u32,
    durations: Vec<u64>,
    duration_us_max: u64,
}

impl From<Snapshot> for MeterAnswer {
    fn from(snapshot: Snapshot) -> Self {
        let Snapshot { subject, total, durations, concurrent, concurrent_max } = snapshot;
        Self {
            function_name: subject.name().to_owned(),
            version: subject.version(),
            counters: total,
            concurrent,
            concurrent_max,
            durations: durations.buckets.to_vec(),
            duration_us_max: durations.greatest_us,
        }
    }
}

pub(crate) fn perform(call: &Call<'_>) -> Result<Answer, ApiError> {
    call.query().finish("GetMeters")?;
    let meters = &call.shared.deps.meters;
    let (concurrent, concurrent_max) = meters.concurrent();
    let answer = MetersAnswer {
        at: call.shared.now().millis(),
        concurrent,
        concurrent_max,
        bounds_us: &BOUNDS,
        functions: meters.snapshot().into_iter().map(MeterAnswer::from).collect(),
    };
    answer::json(StatusCode::OK, &answer)
}
