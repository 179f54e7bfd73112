//! TagResource.

use lamina_wire::tags;

use super::tagged;
use crate::answer::{Answer, no_content};
use crate::error::ApiError;
use crate::request::Call;

pub(crate) async fn perform(call: Call<'_>) -> Result<Answer, ApiError> {
    call.query().finish("TagResource")?;
    let name = tagged::function(&call)?;
    let tags = tags::parse(&call.body.bytes)?;
    tagged::permit(&call, tags.keys())?;
    let changed = call.shared.deps.registry.tag(&name, tags).await;
    changed.map_err(|error| ApiError::registry(error, call.owner()))?;
    Ok(no_content())
}
