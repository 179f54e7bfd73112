//! What is true now: an immutable value that readers hold as long as they like.

use std::sync::Arc;

use lamina_signing::PublicKey;
use lamina_types::records::{Credential, State, TrustedKey};
use lamina_types::{FunctionName, FunctionRef, Qualifier, ResolvedFunction, UrlId, Version};

use crate::entry::{FunctionEntry, UrlEntry};
use crate::runtimes::{NoRuntime, Runtimes};
use crate::sorted::SortedMap;

/// Why a function cannot be called by that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// No such function.
    #[error("function {0} does not exist")]
    FunctionNotFound(FunctionName),
    /// The function has no such version, or no such alias.
    #[error("function {name} has no version or alias {qualifier}")]
    QualifierNotFound {
        /// The function.
        name: FunctionName,
        /// As it was given.
        qualifier: Qualifier,
    },
    /// It cannot run: it is being created, or could not be.
    #[error("function {name} is {state:?}")]
    NotReady {
        /// The function.
        name: FunctionName,
        /// Its state, never Active.
        state: State,
    },
    /// There is nothing here that runs its code.
    #[error("function {name} with runtime {runtime} cannot run: {why}")]
    NoRuntime {
        /// The function.
        name: FunctionName,
        /// As its configuration names it.
        runtime: String,
        /// Why.
        why: NoRuntime,
    },
}

/// See the module. A copy shares all it can with the original.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    pub(crate) functions: SortedMap<FunctionName, Arc<FunctionEntry>>,
    pub(crate) urls: SortedMap<UrlId, Arc<UrlEntry>>,
    pub(crate) trusted: Arc<Vec<TrustedKey>>,
    pub(crate) keys: Arc<Vec<PublicKey>>,
    pub(crate) credentials: SortedMap<String, Arc<Credential>>,
    pub(crate) runtimes: Arc<Runtimes>,
    pub(crate) code_bytes: u64,
}

impl Catalog {
    /// The function of this name.
    pub fn function(&self, name: &FunctionName) -> Option<&FunctionEntry> {
        self.functions.get(name).map(Arc::as_ref)
    }

    /// How many functions there are.
    pub fn functions_len(&self) -> usize {
        self.functions.len()
    }

    /// All functions, in the order of their names' bytes.
    pub fn functions(&self) -> impl Iterator<Item = &FunctionEntry> {
        self.functions.values().map(Arc::as_ref)
    }

    /// The functions after this name, in order: the next page.
    pub fn functions_after(&self, name: &FunctionName) -> impl Iterator<Item = &FunctionEntry> {
        self.functions.values_after(name).map(Arc::as_ref)
    }

    /// The version that a caller means. Without a qualifier it is `$LATEST`.
    pub fn resolve(&self, function: &FunctionRef) -> Result<&Arc<ResolvedFunction>, ResolveError> {
        let name = &function.name;
        let entry = self.function(name).ok_or_else(|| ResolveError::FunctionNotFound(name.clone()))?;
        let version = match &function.qualifier {
            None => Some(Version::Latest),
            Some(Qualifier::Version(version)) => Some(*version),
            // None can be made yet.
            Some(Qualifier::Alias(_)) => None,
        };
        let Some((resolved, state)) = version.and_then(|version| entry.resolved(version)) else {
            let qualifier = function.qualifier.clone().unwrap_or(Qualifier::LATEST);
            return Err(ResolveError::QualifierNotFound { name: name.clone(), qualifier });
        };
        match state {
            State::Active => resolved.map_err(|(runtime, why)| ResolveError::NoRuntime {
                name: name.clone(),
                runtime: runtime.to_owned(),
                why,
            }),
            state => Err(ResolveError::NotReady { name: name.clone(), state: state.clone() }),
        }
    }

    /// What runs for each version of each function; those whose runtime is not there are
    /// left out.
    pub fn resolved(&self) -> impl Iterator<Item = Arc<ResolvedFunction>> {
        let versions = self.functions().flat_map(|entry| entry.versions().map(move |version| (entry, version)));
        versions.filter_map(|(entry, version)| Some(entry.resolved(version)?.0.ok()?.clone()))
    }

    /// The function URL of this id.
    pub fn url(&self, id: &UrlId) -> Option<&Arc<UrlEntry>> {
        self.urls.get(id)
    }

    /// The keys whose signatures admit code, in the order of their ids.
    pub fn trusted(&self) -> &[TrustedKey] {
        &self.trusted
    }

    /// The same, ready to verify with.
    pub fn keys(&self) -> &[PublicKey] {
        &self.keys
    }

    /// The credential of this access key id.
    pub fn credential(&self, access_key_id: &str) -> Option<&Credential> {
        self.credentials.get(access_key_id).map(Arc::as_ref)
    }

    /// All credentials, in the order of their access key ids.
    pub fn credentials(&self) -> impl Iterator<Item = &Credential> {
        self.credentials.values().map(Arc::as_ref)
    }

    /// How many credentials there are.
    pub fn credentials_len(&self) -> usize {
        self.credentials.len()
    }

    /// The managed runtimes that are installed.
    pub fn runtimes(&self) -> &Runtimes {
        &self.runtimes
    }

    /// Bytes of code of all versions, as they were uploaded.
    pub fn code_bytes(&self) -> u64 {
        self.code_bytes
    }
}
