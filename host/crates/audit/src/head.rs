//! A signed statement of how far the log went.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

/// The longest line of `heads`, in bytes, with its newline: two numbers of 20
/// digits, 64 of a hash, 88 of a signature, and the names.
pub(crate) const HEAD_BYTES_MAX: usize = 256;

const CONTEXT: &str = "lamina audit head\0";

/// The number and hash of the log's last entry at a time. Printed and parsed as a
/// line of JSON, which has one form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The entry's number.
    pub n: u64,
    /// Its hash, in hexadecimal digits.
    pub hash: String,
    /// When it was signed, in milliseconds since the Unix epoch.
    pub at: u64,
    /// The ed25519 signature, in base64.
    pub signature: String,
}

/// Why a head proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// It is no line that is written for a head.
    #[error("it does not have the form of a head")]
    Form,
    /// The public key is none.
    #[error("the public key is not one of ed25519")]
    Key,
    /// It was changed, or signed with another key.
    #[error("its signature does not fit")]
    Signature,
}

impl Head {
    pub(crate) fn sign(key: &SigningKey, n: u64, hash: String, at: u64) -> Self {
        let signature = STANDARD.encode(key.sign(message(n, &hash, at).as_bytes()).to_bytes());
        Self { n, hash, at, signature }
    }

    /// Whether this key signed it.
    pub fn verify(&self, public_key: &[u8; 32]) -> Result<(), HeadError> {
        let key = VerifyingKey::from_bytes(public_key).map_err(|_| HeadError::Key)?;
        let bytes = STANDARD.decode(&self.signature).map_err(|_| HeadError::Form)?;
        let signature = Signature::from_slice(&bytes).map_err(|_| HeadError::Form)?;
        let message = message(self.n, &self.hash, self.at);
        key.verify_strict(message.as_bytes(), &signature).map_err(|_| HeadError::Signature)
    }

    pub(crate) fn parse(line: &[u8]) -> Result<Self, HeadError> {
        std::str::from_utf8(line).map_err(|_| HeadError::Form)?.parse()
    }
}

fn message(n: u64, hash: &str, at: u64) -> String {
    format!("{CONTEXT}{n} {hash} {at}")
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Head {
    type Err = HeadError;

    fn from_str(text: &str) -> Result<Self, HeadError> {
        if text.len() >= HEAD_BYTES_MAX {
            return Err(HeadError::Form);
        }
        let head: Self = serde_json::from_str(text).map_err(|_| HeadError::Form)?;
        if head.to_string() == text { Ok(head) } else { Err(HeadError::Form) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "916af46bbdf2b748af71403acec8446fcd8c2add19ff7b956233b217ddacfb3f";
    // Computed by another program.
    const SIGNATURE: &str = "9ko0UahUzU4j8gj/DEw34gE+XXhPAQI7GkgxfTI4D9BWK2a7anVq15TnWs5wU7xIts94U9ueT1ng7XvmYAZQCA==";

    fn head() -> (Head, [u8; 32]) {
        let key = SigningKey::from_bytes(&[7; 32]);
        (Head::sign(&key, 1, HASH.to_owned(), 5), key.verifying_key().to_bytes())
    }

    #[test]
    fn a_head_has_the_documented_form() {
        let (head, public_key) = head();
        let expect = format!("{{\"n\":1,\"hash\":\"{HASH}\",\"at\":5,\"signature\":\"{SIGNATURE}\"}}");
        assert_eq!(head.to_string(), expect);
        assert_eq!(expect.parse(), Ok(head.clone()));
        assert_eq!(head.verify(&public_key), Ok(()));
        let longest = Head { n: u64::MAX, at: u64::MAX, ..head };
        assert!(longest.to_string().len() < HEAD_BYTES_MAX);
    }

    #[test]
    fn a_head_that_was_changed_is_refused() {
        let (head, public_key) = head();
        let check = |head: Head, expect| assert_eq!(head.verify(&public_key), Err(expect), "{head}");
        check(Head { n: 2, ..head.clone() }, HeadError::Signature);
        check(Head { at: 6, ..head.clone() }, HeadError::Signature);
        check(Head { hash: HASH.to_uppercase(), ..head.clone() }, HeadError::Signature);
        for signature in ["", "AA==", &SIGNATURE[..86], &SIGNATURE.replace("CA==", "CB==")] {
            check(Head { signature: signature.to_owned(), ..head.clone() }, HeadError::Form);
        }
        let other = SigningKey::from_bytes(&[8; 32]).verifying_key().to_bytes();
        assert_eq!(head.verify(&other), Err(HeadError::Signature));
        // Twice as many bytes as a point has: y = 2 is on no curve point.
        let mut none = [0; 32];
        none[0] = 2;
        assert_eq!(head.verify(&none), Err(HeadError::Key));
    }

    #[test]
    fn a_head_is_written_in_one_way() {
        let text = head().0.to_string();
        for bad in [
            format!("{text} "),
            format!("{text}\n"),
            text.replace("\"at\":5", "\"at\": 5"),
            text.replace("\"n\":1,", ""),
            text.replace("\"n\":1,", "\"n\":1,\"m\":1,"),
            text.replace("\"n\":1", "\"n\":01"),
            text.replace("91", "\\u0039\\u0031"),
            String::new(),
            "x".repeat(10_000),
        ] {
            assert_eq!(bad.parse::<Head>(), Err(HeadError::Form), "{bad}");
        }
    }
}
