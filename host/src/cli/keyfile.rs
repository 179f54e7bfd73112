//! Keys in files: PKCS#8 and SPKI in PEM.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use lamina_signing::{PublicKey, SecretKey};
use zeroize::{Zeroize as _, Zeroizing};

use super::failure::Failure;
use super::files;
use super::output::Output;

/// A PEM of one key has about 120 bytes.
const PEM_BYTES_MAX: usize = 16 << 10;

/// A key pair's files.
#[derive(Debug, Clone)]
pub(crate) struct KeyFiles {
    /// The secret half.
    pub(crate) secret: PathBuf,
    /// The public half: the same name with `.pub`.
    pub(crate) public: PathBuf,
}

impl KeyFiles {
    /// The files of the key at this path.
    pub(crate) fn at(secret: &Path) -> Self {
        let mut public = OsString::from(secret);
        public.push(".pub");
        Self { secret: secret.to_owned(), public: public.into() }
    }
}

/// Makes a key and writes both files, the secret one readable by its owner only.
/// Nothing is left behind when it fails.
pub(crate) fn create(files: &KeyFiles) -> Result<PublicKey, Failure> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| Failure::new(format!("reading randomness: {error}")))?;
    let key = SecretKey::from_random(&random);
    random.zeroize();
    let encoding = |error: lamina_signing::KeyError| Failure::new(error.to_string());
    let public = key.public();
    let public_pem = public.to_pem().map_err(encoding)?;
    files::create(&files.secret, 0o600, key.to_pem().map_err(encoding)?.as_bytes())?;
    if let Err(failure) = files::create(&files.public, 0o644, public_pem.as_bytes()) {
        // It is the file made above: nobody's key is lost.
        let _ = std::fs::remove_file(&files.secret);
        return Err(failure);
    }
    Ok(public)
}

/// Reads a secret key; what was read is wiped.
pub(crate) fn secret(path: &Path, output: Output) -> Result<SecretKey, Failure> {
    let bytes = Zeroizing::new(files::read(path, PEM_BYTES_MAX)?);
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| not_a_key(path, "it is no text").next("make a key: lamina keys new KEYFILE"))?;
    let key = SecretKey::from_pem(text).map_err(|error| {
        let failure = not_a_key(path, &error.to_string());
        match PublicKey::from_pem(text) {
            Ok(_) => failure.next("this is the public half: give the KEYFILE without .pub"),
            Err(_) => failure.next("make a key: lamina keys new KEYFILE"),
        }
    })?;
    if files::open_to_others(path) {
        output.warning(format_args!("others can read {0}: chmod 600 {0}", path.display()));
    }
    Ok(key)
}

/// Reads a public key.
pub(crate) fn public(path: &Path) -> Result<PublicKey, Failure> {
    let bytes = Zeroizing::new(files::read(path, PEM_BYTES_MAX)?);
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| not_a_key(path, "it is no text").next("give the KEYFILE.pub that lamina keys new wrote"))?;
    PublicKey::from_pem(text).map_err(|error| {
        let failure = not_a_key(path, &error.to_string());
        match SecretKey::from_pem(text) {
            Ok(_) => failure.next(format!("this is the secret half: give {}", KeyFiles::at(path).public.display())),
            Err(_) => failure.next("give the KEYFILE.pub that lamina keys new wrote"),
        }
    })
}

fn not_a_key(path: &Path, why: &str) -> Failure {
    Failure::new(format!("reading {}: {why}", path.display()))
}
