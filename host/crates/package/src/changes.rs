//! How a package differs from the one that was signed.

use std::fmt;

use crate::error::shown;
use crate::listing::{Listed, Listing};

/// So many changes are named.
const NAMED_MAX: usize = 5;

/// One sentence for each change, without its full stop.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes(pub Vec<String>);

impl Changes {
    /// What became of the files of `signed`.
    pub fn between(signed: &Listing, found: &Listing) -> Self {
        let mut changes = Vec::new();
        let mut added: Vec<(&String, &Listed)> =
            found.files.iter().filter(|(name, _)| !signed.files.contains_key(*name)).collect();
        for (name, was) in &signed.files {
            let own = shown(name.as_bytes());
            let Some(is) = found.files.get(name) else {
                // The same content under a name that was not there: renamed.
                let renamed = added.iter().position(|(_, is)| is.content == was.content);
                changes.push(match renamed.map(|at| added.remove(at)) {
                    Some((new, _)) => format!("`{own}` was renamed to `{}`", shown(new.as_bytes())),
                    None => format!("`{own}` was removed"),
                });
                continue;
            };
            if is.content != was.content {
                changes.push(format!("`{own}` was changed"));
            }
            if is.mode != was.mode {
                changes.push(format!("the mode of `{own}` was changed from {:03o} to {:03o}", was.mode, is.mode));
            }
        }
        changes.extend(added.iter().map(|(name, _)| format!("`{}` was added", shown(name.as_bytes()))));
        Self(changes)
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = self.0.iter().take(NAMED_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
        match self.0.len().saturating_sub(NAMED_MAX) {
            0 => f.write_str(&named),
            more => write!(f, "{named}, and {more} changes more"),
        }
    }
}
