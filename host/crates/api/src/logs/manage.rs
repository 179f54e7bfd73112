//! Groups, streams and retention are made and removed.

use lamina_wire::logs::{group, retention, stream};

use super::error::LogsError;
use super::{Asked, blocking, nothing};
use crate::answer::Answer;

pub(super) async fn create_group(asked: &Asked<'_>) -> Result<Answer, LogsError> {
    let group = group(asked.body, &asked.shared.owner, "CreateLogGroup")?;
    blocking(asked.shared, move |store| store.create_group(&group)).await?;
    nothing()
}

pub(super) async fn delete_group(asked: &Asked<'_>) -> Result<Answer, LogsError> {
    let group = group(asked.body, &asked.shared.owner, "DeleteLogGroup")?;
    blocking(asked.shared, move |store| store.delete_group(&group)).await?;
    nothing()
}

pub(super) async fn create_stream(asked: &Asked<'_>) -> Result<Answer, LogsError> {
    let (group, stream) = stream(asked.body, &asked.shared.owner, "CreateLogStream")?;
    blocking(asked.shared, move |store| store.create_stream(&group, &stream)).await?;
    nothing()
}

pub(super) async fn delete_stream(asked: &Asked<'_>) -> Result<Answer, LogsError> {
    let (group, stream) = stream(asked.body, &asked.shared.owner, "DeleteLogStream")?;
    blocking(asked.shared, move |store| store.delete_stream(&group, &stream)).await?;
    nothing()
}

pub(super) async fn put_retention(asked: &Asked<'_>) -> Result<Answer, LogsError> {
    let (group, days) = retention(asked.body, &asked.shared.owner)?;
    blocking(asked.shared, move |store| store.set_retention(&group, Some(days))).await?;
    nothing()
}

pub(super) async fn delete_retention(asked: &Asked<'_>) -> Result<Answer, LogsError> {
    let group = group(asked.body, &asked.shared.owner, "DeleteRetentionPolicy")?;
    blocking(asked.shared, move |store| store.set_retention(&group, None)).await?;
    nothing()
}
