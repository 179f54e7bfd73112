//! Resource policies, a statement at a time.

use std::sync::Arc;

use lamina_types::records::Statement;
use lamina_types::{FunctionName, RevisionId, limits};

use crate::audit::Event;
use crate::draft::Draft;
use crate::entry::Parts;
use crate::error::{Error, Revised};
use crate::records::Policy;
use crate::registry::Registry;

/// A statement to be added.
#[derive(Debug, Clone)]
pub struct Permission {
    /// The function whose policy it joins.
    pub name: FunctionName,
    /// The statement.
    pub statement: Statement,
    /// The policy's revision the caller has seen, if the change depends on it.
    pub revision: Option<RevisionId>,
}

impl Registry {
    /// Adds a statement to a function's policy.
    pub async fn add_permission(&self, permission: Permission) -> Result<(), Error> {
        self.write(|draft| add(draft, permission)).await
    }

    /// Removes a statement; with the last one the policy goes.
    pub async fn remove_permission(
        &self,
        name: &FunctionName,
        sid: &str,
        revision: Option<RevisionId>,
    ) -> Result<(), Error> {
        let (name, sid) = (name.clone(), sid.to_owned());
        self.write(move |draft| remove(draft, &name, &sid, revision.as_ref())).await
    }
}

fn guard(parts: &Parts, revision: Option<&RevisionId>) -> Result<(), Error> {
    match revision {
        Some(given) if parts.policy.as_ref().is_none_or(|policy| policy.revision != *given) => {
            Err(Error::StaleRevision(Revised::Policy))
        }
        _ => Ok(()),
    }
}

fn event(action: &'static str, name: &FunctionName, statement: &Statement) -> Event {
    let statement = serde_json::to_value(statement).unwrap_or_default();
    Event::new(action).with("function", name.as_str()).with("statement", statement)
}

fn add(draft: &mut Draft<'_>, permission: Permission) -> Result<(), Error> {
    let Permission { name, statement, revision } = permission;
    let mut parts = draft.parts(&name)?;
    let mut statements = parts.policy.as_ref().map(|policy| policy.statements.clone()).unwrap_or_default();
    if statements.iter().any(|one| one.sid == statement.sid) {
        return Err(Error::StatementExists(name));
    }
    guard(&parts, revision.as_ref())?;
    draft.audit(event("PermissionAdded", &name, &statement));
    statements.push(statement);
    // As it is stored: the document that clients see has other names for the
    // same members and differs by little.
    let max = limits::POLICY_BYTES_MAX;
    if serde_json::to_vec(&statements).map_or(usize::MAX, |json| json.len()) > max {
        return Err(Error::PolicyTooLong { max });
    }
    parts.policy = Some(Arc::new(Policy { statements, revision: draft.revision() }));
    draft.put(parts).map(|_| ())
}

fn remove(draft: &mut Draft<'_>, name: &FunctionName, sid: &str, revision: Option<&RevisionId>) -> Result<(), Error> {
    let mut parts = draft.parts(name)?;
    let old = parts.policy.clone().ok_or_else(|| Error::PolicyNotFound(name.clone()))?;
    let statements: Vec<Statement> = old.statements.iter().filter(|one| one.sid != sid).cloned().collect();
    if statements.len() == old.statements.len() {
        return Err(Error::StatementNotFound(name.clone()));
    }
    guard(&parts, revision)?;
    if let Some(removed) = old.statements.iter().find(|one| one.sid == sid) {
        draft.audit(event("PermissionRemoved", name, removed));
    }
    let policy = Policy { statements, revision: draft.revision() };
    parts.policy = Some(policy).filter(|policy| !policy.statements.is_empty()).map(Arc::new);
    draft.put(parts).map(|_| ())
}
