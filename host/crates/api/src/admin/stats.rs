//! `GET /lamina/v1/stats`: how much there is of everything that is kept.

use http::StatusCode;

use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::request::Call;

pub(crate) async fn perform(call: Call<'_>) -> Result<Answer, ApiError> {
    call.query().finish("GetStats")?;
    let stats = call.shared.deps.upkeep.stats().await;
    let stats = stats.map_err(|error| ApiError::internal(format!("counting: {error}")))?;
    answer::json(StatusCode::OK, &stats)
}
