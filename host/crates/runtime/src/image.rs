//! Compiled images on disk: made by this host, and loaded only when this host's
//! own key proves it, over the very bytes that are then loaded.
//!
//! The format is drawn in `host/ARCHITECTURE.md`. This module holds the only
//! `unsafe` under `host/`.

mod snapshot;

use std::fs::File;
use std::hash::{Hash, Hasher};
use std::io::Write as _;
use std::os::fd::AsRawFd as _;

use hmac::{Hmac, KeyInit, Mac};
use lamina_types::Digest;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

pub(crate) use snapshot::SnapshotKey;

const MAGIC: &[u8; 8] = b"LAMIMG01";
const MAC_BYTES: usize = 32;
const HEADER_BYTES: usize = 8 + 32 + 32 + 8;

/// The key that authenticates images: this host's own.
#[derive(Clone)]
pub(crate) struct ImageKey(Hmac<Sha256>);

/// An engine and its settings: an image runs on no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint(Digest);

/// Why an image is not loaded; it is thrown away and made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ImageError {
    #[error("it is not an image, or is cut short")]
    Format,
    #[error("this host's key did not make it, or it was changed")]
    Mac,
    #[error("it was made for another component or engine")]
    Foreign,
    #[error("the engine does not take it")]
    Engine,
}

impl ImageKey {
    /// A key for images derived from the host's secret.
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104)")]
    pub(crate) fn derive(host_key: &[u8; 32]) -> Self {
        let mut derivation = Hmac::<Sha256>::new_from_slice(host_key).expect("a key of 32 bytes");
        derivation.update(b"lamina image v1");
        let key = derivation.finalize().into_bytes();
        Self(Hmac::new_from_slice(&key).expect("a key of 32 bytes"))
    }
}

impl Fingerprint {
    pub(crate) fn of(engine: &Engine) -> Self {
        struct Bytes(Sha256);
        impl Hasher for Bytes {
            fn write(&mut self, bytes: &[u8]) {
                self.0.update(bytes);
            }

            fn finish(&self) -> u64 {
                0
            }
        }
        let mut bytes = Bytes(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut bytes);
        Self(Digest::from_bytes(bytes.0.finalize().into()))
    }

    pub(crate) fn digest(self) -> Digest {
        self.0
    }

    /// The name of a component's image among the derived files.
    pub(crate) fn image_name(self, component: &Digest) -> String {
        let fingerprint = self.0.to_string();
        format!("{component}-{}.image", &fingerprint[..16])
    }
}

/// Code that an engine of this host has made.
pub(crate) struct Compiled(Vec<u8>);

impl Compiled {
    /// Compiles a component.
    pub(crate) fn of(compiler: &Engine, component: &[u8]) -> wasmtime::Result<Self> {
        compiler.precompile_component(component).map(Self)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.0.len()
    }

    /// Loads it.
    pub(crate) fn load(&self, engine: &Engine) -> wasmtime::Result<Component> {
        deserialize(engine, &self.0)
    }
}

/// Compiles the component and seals the result. `compiler` may be another engine than
/// the one that loads it: their images are the same.
pub(crate) fn compile(
    (compiler, engine): (&Engine, &Engine),
    key: &ImageKey,
    component: &Digest,
    bytes: &[u8],
) -> wasmtime::Result<(Component, Vec<u8>)> {
    let compiled = compiler.precompile_component(bytes)?;
    // Loaded from here, and not from the image, for the engine's own words.
    let loaded = deserialize(engine, &compiled)?;
    let mut image = Vec::with_capacity(HEADER_BYTES + compiled.len() + MAC_BYTES);
    image.extend_from_slice(MAGIC);
    image.extend_from_slice(Fingerprint::of(engine).0.as_bytes());
    image.extend_from_slice(component.as_bytes());
    image.extend_from_slice(&(compiled.len() as u64).to_le_bytes());
    image.extend_from_slice(&compiled);
    let mac = key.0.clone().chain_update(&image).finalize().into_bytes();
    image.extend_from_slice(&mac);
    Ok((loaded, image))
}

/// Loads a sealed image. The bytes are in memory: nobody can change them
/// between the check and the load.
pub(crate) fn open(engine: &Engine, key: &ImageKey, component: &Digest, image: &[u8]) -> Result<Component, ImageError> {
    let body = proven(engine, key, component, image)?;
    deserialize(engine, body).map_err(|_| ImageError::Engine)
}

/// The same, of a component that is to be loaded again; where memory cannot be shared
/// it is loaded once.
pub(crate) fn open_kept(
    engine: &Engine,
    key: &ImageKey,
    component: &Digest,
    image: &[u8],
) -> Result<(Component, Option<Kept>), ImageError> {
    let body = proven(engine, key, component, image)?;
    if let Ok(kept) = Kept::of(body)
        && let Ok(loaded) = kept.load(engine)
    {
        return Ok((loaded, Some(kept)));
    }
    Ok((deserialize(engine, body).map_err(|_| ImageError::Engine)?, None))
}

/// Code that this host compiled, in memory that nobody can change any more: what is
/// loaded from it shares its pages.
pub(crate) struct Kept(File);

impl Kept {
    fn of(body: &[u8]) -> std::io::Result<Self> {
        let mut file = File::from(memfd_create("lamina image", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
        file.write_all(body)?;
        fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
        Ok(Self(file))
    }

    /// The component once more. Its instances' places of the pool are its own.
    #[expect(unsafe_code, reason = "JUSTIFICATION: the engine cannot tell code it compiled from other bytes")]
    pub(crate) fn load(&self, engine: &Engine) -> wasmtime::Result<Component> {
        // SAFETY: as for `deserialize`; the file is sealed.
        unsafe { Component::deserialize_file(engine, format!("/proc/self/fd/{}", self.0.as_raw_fd())) }
    }
}

/// What the host's key proves of an image: the code itself.
fn proven<'a>(engine: &Engine, key: &ImageKey, component: &Digest, image: &'a [u8]) -> Result<&'a [u8], ImageError> {
    let body_and_header = image.len().checked_sub(MAC_BYTES).ok_or(ImageError::Format)?;
    let (sealed, mac) = image.split_at(body_and_header);
    if sealed.len() < HEADER_BYTES || !sealed.starts_with(MAGIC) {
        return Err(ImageError::Format);
    }
    // Before anything else is read: what the key did not make is not looked at.
    key.0.clone().chain_update(sealed).verify_slice(mac).map_err(|_| ImageError::Mac)?;
    let (header, body) = sealed.split_at(HEADER_BYTES);
    let length = (body.len() as u64).to_le_bytes();
    if header[72..80] != length {
        return Err(ImageError::Format);
    }
    if header[8..40] != *Fingerprint::of(engine).0.as_bytes() || header[40..72] != *component.as_bytes() {
        return Err(ImageError::Foreign);
    }
    Ok(body)
}

#[expect(unsafe_code, reason = "JUSTIFICATION: the engine cannot tell code it compiled from other bytes")]
fn deserialize(engine: &Engine, body: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `body` is the output of `precompile_component` for this engine's
    // fingerprint: it comes from there, or the caller authenticated it with a key
    // that only this host has and that seals nothing else. It is memory that nobody
    // else can write.
    unsafe { Component::deserialize(engine, body) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_untouched_images_load() {
        let config = crate::Config::default();
        let engine = crate::engine::build(&config, crate::engine::Kind::Components).unwrap();
        let key = ImageKey::derive(&[7; 32]);
        let bytes = wat::parse_str("(component (core module (func (export \"f\"))))").unwrap();
        let digest = Digest::of(&bytes);
        let (_, image) = compile((&engine, &engine), &key, &digest, &bytes).unwrap();
        assert!(open(&engine, &key, &digest, &image).is_ok());
        let (_, kept) = open_kept(&engine, &key, &digest, &image).unwrap();
        let kept = kept.unwrap();
        assert!(kept.load(&engine).is_ok());
        assert!(kept.0.try_clone().unwrap().write_all(b"other").is_err(), "it is sealed");
        let check = |image: &[u8], key: &ImageKey, digest: &Digest| open(&engine, key, digest, image).err();
        assert_eq!(check(&image, &ImageKey::derive(&[8; 32]), &digest), Some(ImageError::Mac));
        assert_eq!(check(&image, &key, &Digest::of(b"other")), Some(ImageError::Foreign));
        assert_eq!(check(&[], &key, &digest), Some(ImageError::Format));
        let step = image.len() / 500 + 1;
        for at in (0..image.len()).step_by(step).chain(image.len() - 40..image.len()) {
            let mut damaged = image.clone();
            damaged[at] ^= 1;
            let error = check(&damaged, &key, &digest);
            assert!(matches!(error, Some(ImageError::Mac | ImageError::Format)), "byte {at}: {error:?}");
            assert!(check(&image[..at], &key, &digest).is_some(), "cut at {at}");
        }
    }
}
