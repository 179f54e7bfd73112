//! Deleting a function, or one version of it.

use lamina_types::FunctionName;

use crate::error::Error;
use crate::registry::Registry;

impl Registry {
    /// Deletes one version, or the function with its versions, tags, policy and
    /// URL. A version that is not there is no error, as on Lambda. Versions of a
    /// function made anew under the same name count from 1 again.
    pub async fn delete(&self, name: &FunctionName, version: Option<u64>) -> Result<(), Error> {
        let name = name.clone();
        let change = move |draft: &mut crate::draft::Draft<'_>| {
            let mut parts = draft.parts(&name)?;
            match version {
                None => draft.remove(&name),
                Some(number) => {
                    parts.versions.remove(&number);
                    parts.management.remove(&number);
                    draft.put(parts)?;
                }
            }
            Ok(())
        };
        self.write(change).await
    }
}
