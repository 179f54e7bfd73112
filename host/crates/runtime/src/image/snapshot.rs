//! Snapshots on disk: images that hold what an instance had in memory, its environment
//! among it, and are therefore encrypted as well. Drawn in `host/ARCHITECTURE.md`.

use chacha20poly1305::aead::{AeadInOut as _, KeyInit as _};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use lamina_types::{Digest, Package, SnapshotId};
use sha2::Sha256;
use wasmtime::Engine;

use super::{Compiled, Fingerprint, ImageError};
use crate::packages::DERIVED_VERSION;

const MAGIC: &[u8; 8] = b"LAMSNP02";
const NONCE_BYTES: usize = 24;
const HEADER_BYTES: usize = 8 + 8 + 32 + 32 + 32 + 32 + NONCE_BYTES;

/// The keys that seal snapshots and name their files: this host's own.
#[derive(Clone)]
pub(crate) struct SnapshotKey {
    cipher: XChaCha20Poly1305,
    names: Hmac<Sha256>,
}

impl SnapshotKey {
    /// The keys for snapshots derived from the host's secret.
    pub(crate) fn derive(host_key: &[u8; 32]) -> Self {
        let key = derived(host_key, b"lamina snapshot v1");
        let names = derived(host_key, b"lamina snapshot name v1");
        Self { cipher: XChaCha20Poly1305::new(&key.into()), names: mac(&names) }
    }

    /// The name of a snapshot's file. What the version sees is in it by this key alone:
    /// who has the file must not guess at it.
    pub(crate) fn file_name(&self, id: &SnapshotId) -> String {
        let (component, package) = (id.code.component, package_of(id));
        format!("{component}-{package}-{}.snapshot", &self.seen(id).to_string()[..32])
    }

    fn seen(&self, id: &SnapshotId) -> Digest {
        Digest::from_bytes(self.names.clone().chain_update(id.seen.as_bytes()).finalize().into_bytes().into())
    }

    /// What a snapshot is for: bound to it by the cipher.
    fn header(&self, engine: &Engine, id: &SnapshotId) -> Vec<u8> {
        let mut header = Vec::with_capacity(HEADER_BYTES);
        header.extend_from_slice(MAGIC);
        header.extend_from_slice(&DERIVED_VERSION.to_le_bytes());
        for digest in [Fingerprint::of(engine).0, id.code.component, package_of(id), self.seen(id)] {
            header.extend_from_slice(digest.as_bytes());
        }
        header
    }

    /// Encrypts an image. `nonce` is never given twice.
    pub(crate) fn seal(
        &self,
        engine: &Engine,
        id: &SnapshotId,
        image: Compiled,
        nonce: [u8; NONCE_BYTES],
    ) -> Option<Vec<u8>> {
        let mut sealed = self.header(engine, id);
        sealed.extend_from_slice(&nonce);
        let mut body = image.0;
        self.cipher.encrypt_in_place(&XNonce::from(nonce), &sealed, &mut body).ok()?;
        sealed.extend_from_slice(&body);
        Some(sealed)
    }

    /// The image in a file that these keys sealed for this snapshot and engine.
    pub(crate) fn open(&self, engine: &Engine, id: &SnapshotId, file: &[u8]) -> Result<Compiled, ImageError> {
        let (head, body) = file.split_at_checked(HEADER_BYTES).ok_or(ImageError::Format)?;
        let (facts, nonce) = head.split_at(HEADER_BYTES - NONCE_BYTES);
        if !facts.starts_with(MAGIC) {
            return Err(ImageError::Format);
        }
        if facts != self.header(engine, id) {
            return Err(ImageError::Foreign);
        }
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| ImageError::Format)?;
        let mut body = body.to_vec();
        self.cipher.decrypt_in_place(&XNonce::from(nonce), head, &mut body).map_err(|_| ImageError::Mac)?;
        Ok(Compiled(body))
    }
}

/// The package; the component itself where there is none.
fn package_of(id: &SnapshotId) -> Digest {
    id.code.package.map_or(id.code.component, |Package { digest, .. }| digest)
}

fn derived(host_key: &[u8; 32], label: &[u8]) -> [u8; 32] {
    mac(host_key).chain_update(label).finalize().into_bytes().into()
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104)")]
fn mac(key: &[u8; 32]) -> Hmac<Sha256> {
    <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key).expect("a key of 32 bytes")
}

#[cfg(test)]
mod tests {
    use lamina_types::CodeId;

    use super::*;

    #[test]
    fn only_our_own_untouched_snapshots_open() {
        let config = crate::Config::default();
        let engine = crate::engine::build(&config, crate::engine::Kind::Components).unwrap();
        let key = SnapshotKey::derive(&[7; 32]);
        let bytes = wat::parse_str("(component (core module (func (export \"f\"))))").unwrap();
        let id = |component: &[u8], package: Option<&[u8]>, seen: &[u8]| SnapshotId {
            code: CodeId {
                component: Digest::of(component),
                package: package.map(|package| Package { digest: Digest::of(package), is_zip: true }),
            },
            seen: Digest::of(seen),
        };
        let own = id(b"c", Some(b"p"), b"s");
        let image = Compiled::of(&engine, &bytes).unwrap();
        let sealed = key.seal(&engine, &own, image, [5; NONCE_BYTES]).unwrap();
        assert!(key.open(&engine, &own, &sealed).unwrap().load(&engine).is_ok());
        let check = |key: &SnapshotKey, id: &SnapshotId, file: &[u8]| key.open(&engine, id, file).err();
        assert_eq!(check(&SnapshotKey::derive(&[8; 32]), &own, &sealed), Some(ImageError::Foreign));
        for other in [id(b"x", Some(b"p"), b"s"), id(b"c", Some(b"x"), b"s"), id(b"c", Some(b"p"), b"x")] {
            assert_eq!(check(&key, &other, &sealed), Some(ImageError::Foreign));
            assert_ne!(key.file_name(&other), key.file_name(&own));
        }
        assert_eq!(check(&key, &own, &[]), Some(ImageError::Format));
        let step = sealed.len() / 500 + 1;
        for at in (0..HEADER_BYTES).chain((HEADER_BYTES..sealed.len()).step_by(step)) {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert!(check(&key, &own, &damaged).is_some(), "byte {at}");
            assert!(check(&key, &own, &sealed[..at]).is_some(), "cut at {at}");
        }
        assert!(!sealed.windows(8).any(|window| window == &own.seen.as_bytes()[..8]), "nothing to guess at");
    }
}
