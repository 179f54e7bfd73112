//! Creating a function.

use std::collections::BTreeMap;
use std::sync::Arc;

use lamina_types::records::{Code, Configuration, State};
use lamina_types::{FunctionName, Version};

use crate::change::{admitted, change, publish, put_code, tags};
use crate::draft::Draft;
use crate::entry::Parts;
use crate::error::Error;
use crate::records::{FunctionRecord, Side};
use crate::registry::{Change, Registry};

/// A function to be.
#[derive(Debug, Clone)]
pub struct NewFunction {
    /// Its name.
    pub name: FunctionName,
    /// Its configuration.
    pub configuration: Configuration,
    /// Its code, already stored.
    pub code: Code,
    /// Its tags, settings among them.
    pub tags: BTreeMap<String, String>,
    /// Whether to make version 1 of it at once.
    pub publish: bool,
}

impl Registry {
    /// Creates a function, Pending until the change is completed. With `publish`
    /// the answer shows version 1, Pending likewise.
    pub async fn create_function(&self, new: NewFunction) -> Result<Change, Error> {
        self.write(|draft| create(draft, new)).await
    }
}

fn create(draft: &mut Draft<'_>, new: NewFunction) -> Result<Change, Error> {
    let NewFunction { name, configuration, code, tags, publish } = new;
    if draft.catalog().function(&name).is_some() {
        return Err(Error::FunctionExists(name));
    }
    let max = draft.context.config.functions_max;
    if draft.catalog().functions_len() >= max {
        return Err(Error::TooManyFunctions { max });
    }
    tags::check(&tags)?;
    let function = FunctionRecord {
        serving: Side { configuration, code },
        change: None,
        state: State::Pending,
        update: None,
        revision: draft.revision(),
        last_modified: draft.now(),
        version_last: 0,
        publishing: None,
    };
    let mut parts = Parts { tags: Arc::new(tags), ..Parts::new(name, function) };
    let version = if publish { publish::with_change(draft, &mut parts)? } else { Version::Latest };
    draft.audit(admitted(&parts));
    let entry = put_code(draft, parts)?;
    change(&entry, version)
}
