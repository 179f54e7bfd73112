//! Zips that hold a component and nothing else: it is the component that is signed.

use lamina_signing::{Error, SecretKey};

use crate::error::ZipError;
use crate::package::{Entry, Package};
use crate::write::Writer;

/// A component's name in a zip that holds nothing else.
pub const BOOTSTRAP: &str = "bootstrap.wasm";
/// Lambda's other name for it: counts when its bytes are WebAssembly.
const BOOTSTRAP_BARE: &str = "bootstrap";
const WASM: &[u8] = b"\0asm";

impl<'a> Package<'a> {
    /// The only file of the zip, if it is named as a component must be.
    pub fn bootstrap(&self) -> Option<&Entry<'a>> {
        let mut files = self.entries.iter().filter(|entry| !entry.is_folder);
        let only = files.next()?;
        (files.next().is_none() && [BOOTSTRAP, BOOTSTRAP_BARE].contains(&only.name)).then_some(only)
    }

    /// The component, if the zip holds nothing but one: its name is a component's,
    /// and its bytes are WebAssembly's.
    pub fn component(&self) -> Result<Option<Vec<u8>>, ZipError> {
        let Some(only) = self.bootstrap() else { return Ok(None) };
        let content = only.content()?;
        Ok(content.starts_with(WASM).then(|| content.into_owned()))
    }
}

/// A zip of the component alone, the component signed. The same component and keys
/// give the same bytes.
pub fn sign_component(component: &[u8], key: &SecretKey) -> Result<Vec<u8>, Error> {
    let signed = lamina_signing::sign(component, key)?;
    let mut writer = Writer::new();
    // A name that may be, in a zip that is empty.
    let _ = writer.file(BOOTSTRAP, 0o644, &signed);
    Ok(writer.finish())
}
