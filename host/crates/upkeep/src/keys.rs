//! The keys that are derived from this host's own, and the file of the keys that
//! seal secrets.

pub mod secrets_file;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The key that groups of the journal and exports are authenticated with.
pub fn journal_key(host_key: &[u8; 32]) -> [u8; 32] {
    derive(host_key, b"lamina journal v1")
}

/// The seed of the key that signs heads of the audit log, and backups.
pub fn audit_key(host_key: &[u8; 32]) -> [u8; 32] {
    derive(host_key, b"lamina audit v1")
}

/// One key for one purpose: whoever learns it learns neither the host's key nor
/// the key of another purpose.
#[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104)")]
fn derive(host_key: &[u8; 32], purpose: &[u8]) -> [u8; 32] {
    let mut derivation = Hmac::<Sha256>::new_from_slice(host_key).expect("a key of 32 bytes");
    derivation.update(purpose);
    derivation.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_purpose_and_every_host_has_its_own_key() {
        let keys = [journal_key(&[1; 32]), audit_key(&[1; 32]), journal_key(&[2; 32]), audit_key(&[2; 32])];
        for (at, key) in keys.iter().enumerate() {
            assert!(!keys[..at].contains(key), "{at}");
        }
        assert_eq!(journal_key(&[1; 32]), keys[0]);
    }
}
