//! The managed runtimes that are installed, and which of them a function runs on.

use std::collections::BTreeMap;

use lamina_types::{Digest, InstalledRuntime, Language, RuntimeKind, RuntimeManagement};

/// Why a function's code runs on nothing here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoRuntime {
    /// Its language has no runtime yet.
    #[error(
        "no managed runtime for {0} is installed on this platform: its operator runs `lamina runtime build {0}` and `lamina runtime install {0}`"
    )]
    NotInstalled(Language),
    /// It asks for a runtime that there is none of here.
    #[error("this platform has no managed runtime of that name: it runs nodejs, python and provided ones")]
    Foreign,
    /// It is to be a component of its own, and holds none.
    #[error("its package holds no component: a provided runtime runs the file bootstrap.wasm")]
    NoComponent,
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct Runtimes {
    pub(crate) versions: BTreeMap<Digest, InstalledRuntime>,
    pub(crate) current: BTreeMap<Language, Digest>,
}

impl Runtimes {
    /// The installed version with this component.
    pub fn get(&self, component: &Digest) -> Option<&InstalledRuntime> {
        self.versions.get(component)
    }

    /// All installed versions, in the order of their digests.
    pub fn versions(&self) -> impl Iterator<Item = &InstalledRuntime> {
        self.versions.values()
    }

    /// The version that functions of this language run on unless they say otherwise.
    pub fn current(&self, language: Language) -> Option<&InstalledRuntime> {
        self.versions.get(self.current.get(&language)?)
    }

    /// Whether it is the current one of its language.
    pub fn is_current(&self, version: &InstalledRuntime) -> bool {
        self.current.get(&version.language) == Some(&version.component)
    }

    /// The version that a function of this `Runtime` runs on.
    pub(crate) fn of(&self, runtime: &str, management: &RuntimeManagement) -> Result<&InstalledRuntime, NoRuntime> {
        let language = match RuntimeKind::of(runtime) {
            RuntimeKind::Own => return Err(NoRuntime::NoComponent),
            RuntimeKind::Foreign => return Err(NoRuntime::Foreign),
            RuntimeKind::Managed(language) => language,
        };
        let stays = management.version.and_then(|version| self.get(&version));
        let stays = stays.filter(|version| version.language == language);
        stays.or_else(|| self.current(language)).ok_or(NoRuntime::NotInstalled(language))
    }
}
