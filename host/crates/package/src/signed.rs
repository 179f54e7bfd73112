//! Signing, stripping and verifying a package: one entry covers all the others.
//!
//! The entry holds the signatures and, after them, the listing that was signed, so
//! that a package which was changed afterwards can be told what was. It is neither
//! listed nor unpacked: nothing of it reaches the function.

use lamina_signing::{KeyId, PackageSignatures, PackageSigners, PublicKey, SecretKey, Verified};
use lamina_types::Digest;

use crate::changes::Changes;
use crate::error::{Fault, ZipError};
use crate::listing::Listing;
use crate::package::Package;
use crate::record::ENTRIES_MAX;

/// The entry that holds the signatures.
pub const SIGNATURE_NAME: &str = "META-INF/lamina.sig";

/// Why a package is not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The zip itself.
    #[error(transparent)]
    Zip(#[from] ZipError),
    /// It has as many signatures as it can.
    #[error("the package has {0} signatures already, the most it can carry")]
    Full(usize),
    /// What is there as its signature is none.
    #[error("the package's signature is malformed: {0}")]
    Malformed(String),
    /// There is none to take away.
    #[error("the package is not signed")]
    NotSigned,
    /// There is nothing to sign.
    #[error("the package holds no file")]
    Empty,
}

/// Why none of the given keys vouches for a package.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The zip itself.
    #[error(transparent)]
    Zip(#[from] ZipError),
    /// No signature.
    #[error("the package is not signed")]
    NotSigned,
    /// The signature is not as the format has it.
    #[error("the package's signature is malformed: {0}")]
    Malformed(String),
    /// Signed, by others.
    #[error("the package is not signed by a trusted key; it is signed by {}", list(.signers))]
    OtherSigners {
        /// The ids it claims; unverified.
        signers: Vec<KeyId>,
    },
    /// Names a given key, which has not signed this.
    #[error("the signature of key {signer} is not one of that key: it was changed after it was made")]
    Forged {
        /// The given key.
        signer: KeyId,
    },
    /// Signed by a given key, and changed since.
    #[error("the package was changed after key {signer} signed it: {changes}")]
    Changed {
        /// The given key.
        signer: KeyId,
        /// What was.
        changes: Changes,
    },
}

fn list(signers: &[KeyId]) -> String {
    match signers {
        [] => "keys that are not named".to_owned(),
        signers => signers.iter().map(KeyId::as_str).collect::<Vec<_>>().join(", "),
    }
}

/// A package, signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The zip with its signature entry, or a detached signature.
    pub bytes: Vec<u8>,
    /// The digest of the listing that was signed.
    pub content: Digest,
    /// Everyone whose signature it carries now.
    pub signers: Vec<KeyId>,
}

/// The content of a signature entry, or of a detached signature.
struct Signature {
    signatures: PackageSignatures,
    listing: Listing,
}

impl Signature {
    /// Reads it; the reason when it is malformed.
    fn decode(bytes: &[u8]) -> Result<Self, String> {
        let (signatures, text) = PackageSignatures::decode(bytes).map_err(|error| match error {
            lamina_signing::Error::Malformed(what) => what.to_owned(),
            other => other.to_string(),
        })?;
        if Digest::of(text) != signatures.listing() {
            return Err("the listing in it is not the one that was signed".to_owned());
        }
        let listing = std::str::from_utf8(text).ok().and_then(Listing::parse);
        let listing = listing.ok_or("the listing in it is not in its only form")?;
        Ok(Self { signatures, listing })
    }
}

/// The content of the package's signature entry.
fn entry(package: &Package<'_>) -> Result<Option<Vec<u8>>, ZipError> {
    let entry = package.entries.iter().find(|entry| entry.is_signature());
    entry.map(|entry| entry.content().map(std::borrow::Cow::into_owned)).transpose()
}

/// Adds the key's signature to `earlier`, and lists the package.
fn signature(
    package: &Package<'_>,
    earlier: Option<&[u8]>,
    key: &SecretKey,
) -> Result<(Vec<u8>, PackageSignatures), SignError> {
    let listing = Listing::of(package)?;
    if listing.files.is_empty() {
        return Err(SignError::Empty);
    }
    let text = listing.text();
    let digest = Digest::of(text.as_bytes());
    let earlier = earlier.map(Signature::decode).transpose().map_err(SignError::Malformed)?;
    let signed = PackageSignatures::signed(earlier.map(|one| one.signatures), &digest, key);
    let signatures = signed.map_err(|error| match error {
        lamina_signing::Error::Full(count) => SignError::Full(count),
        other => SignError::Malformed(other.to_string()),
    })?;
    Ok(([signatures.encode().as_slice(), text.as_bytes()].concat(), signatures))
}

/// Adds the key's signature to a package. Signing again with the same key gives the
/// same bytes; signatures that no longer fit the files are dropped.
pub fn sign(zip: &[u8], key: &SecretKey) -> Result<Signed, SignError> {
    let package = Package::read(zip)?;
    let earlier = entry(&package)?;
    if earlier.is_none() && package.entries.len() >= ENTRIES_MAX {
        return Err(ZipError::whole(Fault::Entries).into());
    }
    let (content, signatures) = signature(&package, earlier.as_deref(), key)?;
    let bytes = package.spliced(Some(&content));
    Ok(Signed { bytes, content: signatures.listing(), signers: signatures.claimed() })
}

/// Signs a package whose zip stays as it is: the signature, with those of `earlier`,
/// is to be kept beside it.
pub fn sign_detached(zip: &[u8], earlier: Option<&[u8]>, key: &SecretKey) -> Result<Signed, SignError> {
    let (bytes, signatures) = signature(&Package::read(zip)?, earlier, key)?;
    Ok(Signed { bytes, content: signatures.listing(), signers: signatures.claimed() })
}

/// Puts a detached signature into the zip, in place of one that is there.
pub fn attach(zip: &[u8], signature: &[u8]) -> Result<Vec<u8>, SignError> {
    Signature::decode(signature).map_err(SignError::Malformed)?;
    Ok(Package::read(zip)?.spliced(Some(signature)))
}

/// Takes all signatures away: the zip as it was before the first.
pub fn unsign(zip: &[u8]) -> Result<Vec<u8>, SignError> {
    let package = Package::read(zip)?;
    if !package.entries.iter().any(super::package::Entry::is_signature) {
        return Err(SignError::NotSigned);
    }
    Ok(package.spliced(None))
}

/// The ids the package claims to be signed by. Unverified: for messages only.
pub fn signers(zip: &[u8]) -> Result<Vec<KeyId>, VerifyError> {
    let Some(content) = entry(&Package::read(zip)?)? else { return Ok(Vec::new()) };
    let signature = Signature::decode(&content).map_err(VerifyError::Malformed)?;
    Ok(signature.signatures.claimed())
}

/// Finds which of the keys vouch for every file of the package, its name and its
/// mode; an error when none does. `detached` counts instead of the package's entry.
pub fn verify(package: &Package<'_>, detached: Option<&[u8]>, keys: &[PublicKey]) -> Result<Verified, VerifyError> {
    let own = if detached.is_none() { entry(package)? } else { None };
    let content = detached.or(own.as_deref()).ok_or(VerifyError::NotSigned)?;
    let Signature { signatures, listing } = Signature::decode(content).map_err(VerifyError::Malformed)?;
    let PackageSigners { good, bad } = signatures.check(keys);
    let Some(signer) = good.first() else {
        return Err(match bad {
            Some(signer) => VerifyError::Forged { signer },
            None => VerifyError::OtherSigners { signers: signatures.claimed() },
        });
    };
    let found = Listing::of(package)?;
    if found != listing {
        return Err(VerifyError::Changed { signer: signer.clone(), changes: Changes::between(&listing, &found) });
    }
    Ok(Verified { signers: good, content: signatures.listing() })
}
