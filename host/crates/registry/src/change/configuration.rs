//! Changing a function's configuration.

use lamina_types::records::{Configuration, ConfigurationChange};
use lamina_types::{FunctionName, RevisionId, Version};

use crate::change::{begin, change, guard, put_code, settled};
use crate::draft::Draft;
use crate::error::Error;
use crate::records::Side;
use crate::registry::{Change, Registry};

/// A function's next configuration.
#[derive(Debug, Clone)]
pub struct ConfigurationUpdate {
    /// The function.
    pub name: FunctionName,
    /// What changes.
    pub change: ConfigurationChange,
    /// The revision the caller has seen, if the update depends on it.
    pub revision: Option<RevisionId>,
}

impl Registry {
    /// Begins an update of the configuration. The old one serves until it is
    /// completed.
    pub async fn update_configuration(&self, update: ConfigurationUpdate) -> Result<Change, Error> {
        self.write(|draft| update_configuration(draft, update)).await
    }
}

fn update_configuration(draft: &mut Draft<'_>, update: ConfigurationUpdate) -> Result<Change, Error> {
    let mut parts = draft.parts(&update.name)?;
    settled(&parts)?;
    guard(&parts, update.revision.as_ref())?;
    let Side { configuration, code } = parts.function.shown().clone();
    begin(draft, &mut parts, Side { configuration: changed(configuration, update.change)?, code });
    let entry = put_code(draft, parts)?;
    change(&entry, Version::Latest)
}

fn changed(old: Configuration, change: ConfigurationChange) -> Result<Configuration, Error> {
    let ConfigurationChange {
        runtime,
        role,
        handler,
        description,
        timeout_s,
        memory,
        environment,
        log_group,
        log_format,
        snap_start,
    } = change;
    Ok(Configuration {
        runtime: runtime.unwrap_or(old.runtime),
        role: role.unwrap_or(old.role),
        handler: handler.unwrap_or(old.handler),
        description: description.unwrap_or(old.description),
        timeout_s: timeout_s.unwrap_or(old.timeout_s),
        memory: memory.unwrap_or(old.memory),
        environment: environment.or(old.environment),
        architecture: old.architecture,
        log_group: log_group.or(old.log_group),
        log_format: old.log_format.changed(log_format)?,
        snap_start: snap_start.unwrap_or(old.snap_start),
    })
}
