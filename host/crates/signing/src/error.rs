//! Why a file cannot be signed, a key cannot be read, or code is not admitted.

use crate::key::KeyId;

/// The file cannot carry a signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not a component.
    #[error("the file is not a WebAssembly component: {0}")]
    NotComponent(&'static str),
    /// Its sections do not fill it.
    #[error("the component is damaged at byte {offset}: {what}")]
    Damaged {
        /// Where, from the start of the file.
        offset: usize,
        /// What is wrong there.
        what: &'static str,
    },
    /// The signature section is not as this format has it.
    #[error("the signature section is malformed: {0}")]
    Malformed(&'static str),
    /// It has as many signatures as it can.
    #[error("the component has {0} signatures already, the most it can carry")]
    Full(usize),
    /// There is none to take away.
    #[error("the component is not signed")]
    NotSigned,
}

/// A key that cannot be read. The text never holds key material.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not the private key of this format.
    #[error("not an ed25519 private key: expected PKCS#8 in PEM, beginning with -----BEGIN PRIVATE KEY-----")]
    Secret,
    /// Not the public key of this format.
    #[error("not an ed25519 public key: expected SPKI in PEM, beginning with -----BEGIN PUBLIC KEY-----")]
    Public,
    /// A point that no honest key has.
    #[error("the ed25519 public key is weak and is refused")]
    Weak,
    /// The key cannot be written.
    #[error("the key cannot be encoded")]
    Encoding,
}

/// Why none of the given keys vouches for the component.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The file itself.
    #[error(transparent)]
    File(#[from] Error),
    /// No signature.
    #[error("the component is not signed")]
    NotSigned,
    /// Signed, by others.
    #[error("the component is not signed by a trusted key; it is signed by {}", list(.signers))]
    OtherSigners {
        /// The ids the file claims; unverified.
        signers: Vec<KeyId>,
    },
    /// Signed by a given key, and changed since.
    #[error("the signature of key {signer} does not fit the component: it was changed after it was signed")]
    Changed {
        /// The given key.
        signer: KeyId,
    },
}

fn list(signers: &[KeyId]) -> String {
    match signers {
        [] => "keys that are not named".to_owned(),
        signers => signers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}
