//! Which version of which runtime runs a function, as INIT_START says it.

use lamina_types::{ResolvedFunction, RuntimeVersion};

use crate::code::Loaded;
use crate::image::Fingerprint;
use crate::runtime::{Runtime, Shared};

/// The engine's release line: what a component of an author's own runs on.
const REVISION: u32 = 48;

impl Shared {
    /// The same, worked out once for what is loaded for one version alone.
    pub(crate) fn runtime_version<'a>(&self, loaded: &'a Loaded, function: &ResolvedFunction) -> &'a RuntimeVersion {
        loaded.runtime_version.get_or_init(|| runtime_version(self, function))
    }
}

impl Runtime {
    /// What runs a function: for a component of the author's own this engine, else the
    /// managed runtime.
    pub fn runtime_version(&self, function: &ResolvedFunction) -> RuntimeVersion {
        runtime_version(&self.shared, function)
    }
}

fn runtime_version(shared: &Shared, function: &ResolvedFunction) -> RuntimeVersion {
    let digest = match function.managed {
        Some(_) => function.component,
        None => Fingerprint::of(shared.engine()).digest(),
    };
    RuntimeVersion::new(&function.runtime, REVISION, &function.region, &digest)
}

#[cfg(test)]
mod tests {
    /// The release is the engine's, as the workspace pins it.
    #[test]
    fn the_revision_is_the_engines_release() {
        let manifest = include_str!("../../../../Cargo.toml");
        let pinned = format!("wasmtime = {{ version = \"={}.", super::REVISION);
        assert!(manifest.contains(&pinned), "{pinned} is not there");
    }
}
