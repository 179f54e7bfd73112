//! UntagResource.

use lamina_wire::violation::Violations;

use super::tagged;
use crate::answer::{Answer, no_content};
use crate::error::ApiError;
use crate::request::Call;

pub(crate) async fn perform(call: Call<'_>) -> Result<Answer, ApiError> {
    let mut query = call.query();
    let keys = query.take_all("tagKeys");
    query.finish("UntagResource")?;
    let mut violations = Violations::new();
    violations.required("tagKeys", keys.first());
    violations.finish()?;
    let name = tagged::function(&call)?;
    tagged::permit(&call, keys.iter())?;
    let changed = call.shared.deps.registry.untag(&name, keys).await;
    changed.map_err(|error| ApiError::registry(error, call.owner()))?;
    Ok(no_content())
}
