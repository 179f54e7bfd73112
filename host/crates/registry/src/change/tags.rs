//! Tags, and the settings among them.

use std::collections::BTreeMap;
use std::sync::Arc;

use lamina_types::settings::Settings;
use lamina_types::{FunctionName, limits};

use crate::error::Error;
use crate::registry::Registry;

/// All tags of a function as JSON, in bytes: with room in their record. Reached
/// before 50 tags only by long ones outside ASCII.
const TAGS_BYTES_MAX: usize = 60 << 10;

impl Registry {
    /// Adds tags to a function's, or changes their values. Settings are in force
    /// at once, for `$LATEST`.
    pub async fn tag(&self, name: &FunctionName, tags: BTreeMap<String, String>) -> Result<(), Error> {
        self.change_tags(name, |all| all.extend(tags)).await
    }

    /// Removes tags; those that are not there are passed over.
    pub async fn untag(&self, name: &FunctionName, keys: Vec<String>) -> Result<(), Error> {
        self.change_tags(name, move |all| all.retain(|key, _| !keys.contains(key))).await
    }

    async fn change_tags(
        &self,
        name: &FunctionName,
        change: impl FnOnce(&mut BTreeMap<String, String>) + Send + 'static,
    ) -> Result<(), Error> {
        let name = name.clone();
        let write = move |draft: &mut crate::draft::Draft<'_>| {
            let mut parts = draft.parts(&name)?;
            let mut tags = parts.tags.as_ref().clone();
            change(&mut tags);
            check(&tags)?;
            parts.tags = Arc::new(tags);
            draft.put(parts).map(|_| ())
        };
        self.write(write).await
    }
}

/// Whether a function may have these tags.
pub(crate) fn check(tags: &BTreeMap<String, String>) -> Result<(), Error> {
    let bytes: usize = serde_json::to_vec(tags).map_or(usize::MAX, |json| json.len());
    if tags.len() > limits::TAGS_MAX || bytes > TAGS_BYTES_MAX {
        return Err(Error::TooManyTags { max: limits::TAGS_MAX });
    }
    Settings::from_tags(tags)?;
    Ok(())
}
