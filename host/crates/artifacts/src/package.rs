//! The directory a guest sees at `/var/task`.

use cap_std::fs::Dir;
use lamina_types::Digest;

use crate::error::{Error, io};
use crate::store::{Artifacts, content_path, package_path};

/// The name under which a component lies in its package.
const BOOTSTRAP: &str = "bootstrap.wasm";

impl Artifacts {
    /// A directory that holds the component as `bootstrap.wasm` and nothing else:
    /// a second name of the checked artifact, or a copy where the file system has
    /// no hard links. Made on demand; derived, so never synced. Dropped half-way,
    /// it is made nevertheless.
    pub async fn package_dir(&self, component: &Digest) -> Result<Dir, Error> {
        let digest = *component;
        self.blocking(move |this| {
            let folder = package_path(&digest);
            let path = format!("{folder}/{BOOTSTRAP}");
            if !this.is_good(&path, &digest) {
                let bytes = this.read(&digest)?;
                this.folder.make(&folder).map_err(io(format!("making {folder}")))?;
                if !this.link(&digest, &path) {
                    this.replace(&folder, &path, &bytes)?;
                }
            }
            this.folder.dir().open_dir(&folder).map_err(io(format!("opening {folder}")))
        })
        .await
    }

    /// Gives the content this name too, in place of what had it.
    fn link(&self, digest: &Digest, path: &str) -> bool {
        let (_, content) = content_path(digest);
        // Renaming one name of a file to another of the same file does nothing,
        // so that a race leaves the temporary name behind, to be dropped here.
        let linked = self.temporary(|name| self.folder.link(&content, name));
        linked.is_ok_and(|(temporary, ())| self.folder.rename(temporary.name(), path).is_ok())
    }
}
