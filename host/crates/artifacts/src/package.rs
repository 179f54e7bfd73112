//! The directory a guest sees at `/var/task`.

use cap_std::fs::Dir;
use lamina_types::Digest;

use crate::error::{Error, io};
use crate::store::{Artifacts, PACKAGES, content_path};

/// The name under which a component lies in its package.
const BOOTSTRAP: &str = "bootstrap.wasm";

impl Artifacts {
    /// A directory that holds the component as `bootstrap.wasm` and nothing else:
    /// a second name of the checked artifact, or a copy where the file system has
    /// no hard links. Made on demand; derived, so never synced.
    pub async fn package_dir(&self, component: &Digest) -> Result<Dir, Error> {
        let digest = *component;
        self.blocking(move |this| {
            let folder = format!("{PACKAGES}/{digest}");
            let path = format!("{folder}/{BOOTSTRAP}");
            let is_good = this.dir.read(&path).is_ok_and(|bytes| Digest::of(&bytes) == digest);
            if !is_good {
                let bytes = this.read(&digest)?;
                this.dir.create_dir_all(&folder).map_err(io(format!("making {folder}")))?;
                if !this.link(&digest, &path) {
                    this.replace(&folder, &path, &bytes)?;
                }
            }
            this.dir.open_dir(&folder).map_err(io(format!("opening {folder}")))
        })
        .await
    }

    /// Gives the content this name too, in place of what had it.
    fn link(&self, digest: &Digest, path: &str) -> bool {
        let temporary = self.temporary();
        let (_, content) = content_path(digest);
        let linked = self.dir.hard_link(&content, &self.dir, &temporary).is_ok()
            && self.dir.rename(&temporary, &self.dir, path).is_ok();
        // Renaming one name of a file to another of the same file does nothing,
        // so that a race leaves the temporary name behind.
        let _ = self.dir.remove_file(&temporary);
        linked
    }
}
