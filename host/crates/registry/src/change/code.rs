//! Giving a function other code.

use lamina_types::records::{Code, FunctionView};
use lamina_types::{FunctionName, RevisionId, Version};

use crate::change::{admitted, begin, change, guard, publish, put_code, settled};
use crate::draft::Draft;
use crate::error::Error;
use crate::records::Side;
use crate::registry::{Change, Registry};

/// A function's next code.
#[derive(Debug, Clone)]
pub struct CodeUpdate {
    /// The function.
    pub name: FunctionName,
    /// The code, already stored.
    pub code: Code,
    /// `x86_64` or `arm64`, if it changes.
    pub architecture: Option<String>,
    /// Whether to publish a version of it at once.
    pub publish: bool,
    /// The revision the caller has seen, if the update depends on it.
    pub revision: Option<RevisionId>,
}

impl Registry {
    /// Begins an update of the code. The old code serves until it is completed.
    pub async fn update_code(&self, update: CodeUpdate) -> Result<Change, Error> {
        self.write(|draft| update_code(draft, update)).await
    }

    /// What [`Registry::update_code`] would answer now, without doing it.
    pub fn preview_code(&self, update: CodeUpdate) -> Result<FunctionView, Error> {
        self.preview(|draft| update_code(draft, update)).map(|change| change.view)
    }
}

fn update_code(draft: &mut Draft<'_>, update: CodeUpdate) -> Result<Change, Error> {
    let mut parts = draft.parts(&update.name)?;
    settled(&parts)?;
    guard(&parts, update.revision.as_ref())?;
    let mut configuration = parts.function.shown().configuration.clone();
    if let Some(architecture) = update.architecture {
        configuration.architecture = architecture;
    }
    begin(draft, &mut parts, Side { configuration, code: update.code });
    let version = if update.publish { publish::with_change(draft, &mut parts)? } else { Version::Latest };
    draft.audit(admitted(&parts));
    let entry = put_code(draft, parts)?;
    change(&entry, version)
}
