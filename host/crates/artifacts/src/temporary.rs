//! A file under a temporary name, on its way to its own.

use std::io;

use lamina_disk::{File, Folder};

use crate::error::{Error, io as doing};
use crate::store::{Artifacts, TMP};

/// A file of ours in `tmp/`; the name is gone when this is dropped.
pub(crate) struct Temporary {
    folder: Folder,
    name: String,
}

impl Temporary {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Temporary {
    /// What is left when that fails is cleared at the next start.
    fn drop(&mut self) {
        let _ = self.folder.remove(&self.name);
    }
}

impl Artifacts {
    /// A name that nothing has.
    pub(crate) fn temporary_name(&self) -> String {
        format!("{TMP}/{:032x}", u128::from_be_bytes(self.ids.random16()))
    }

    /// Makes something under a name that nothing has.
    pub(crate) fn temporary<T>(&self, make: impl FnOnce(&str) -> io::Result<T>) -> io::Result<(Temporary, T)> {
        let name = self.temporary_name();
        let made = make(&name)?;
        Ok((Temporary { folder: self.folder.clone(), name }, made))
    }

    /// A new empty file.
    pub(crate) fn create(&self) -> Result<(Temporary, File), Error> {
        self.temporary(|name| self.folder.create(name)).map_err(doing("making a temporary file"))
    }

    /// Gives a file that was written its name in this folder, in place of what had
    /// it. It fails with nothing changed; or, when the last sync fails, with the
    /// new file there and not known to stay.
    pub(crate) fn publish(&self, temporary: &Temporary, file: &File, folder: &str, path: &str) -> Result<(), Error> {
        let write = || {
            // By our clock, like every other time that it is compared with.
            let _ = self.folder.touch(temporary.name(), self.now());
            file.sync()?;
            let gate = self.gate();
            self.folder.rename(temporary.name(), path)?;
            drop(gate);
            self.folder.sync_dir(folder)
        };
        write().map_err(doing(format!("writing {path}")))
    }

    /// Writes a whole file in place of another, or of none. See `publish`.
    pub(crate) fn replace(&self, folder: &str, path: &str, bytes: &[u8]) -> Result<(), Error> {
        let (temporary, file) = self.create()?;
        file.write_at(0, bytes).map_err(doing(format!("writing {path}")))?;
        self.publish(&temporary, &file, folder, path)
    }
}
