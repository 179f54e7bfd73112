//! Trusted keys and credentials.

use lamina_signing::PublicKey;
use lamina_types::records::{Credential, TrustedKey};

use crate::audit::Event;
use crate::draft::Draft;
use crate::error::Error;
use crate::registry::Registry;

/// Trusted keys, and credentials, kept at most.
const KEYS_MAX: usize = 1_000;

/// A key that is trusted now.
#[derive(Debug, Clone)]
pub struct Trusted {
    /// The key, as it is kept.
    pub key: TrustedKey,
    /// Whether it was not trusted before.
    pub is_new: bool,
}

impl Registry {
    /// Trusts a public key, given in PEM. One that is trusted already keeps its
    /// place, and gets the name if one is given.
    pub async fn trust(&self, pem: &str, name: &str) -> Result<Trusted, Error> {
        let (public, name) = (PublicKey::from_pem(pem)?, name.to_owned());
        self.write(move |draft| trust(draft, public, name)).await
    }

    /// Trusts a key no longer. Code it signed is refused at its next load.
    pub async fn revoke(&self, id: &str) -> Result<(), Error> {
        let id = id.to_owned();
        let change = move |draft: &mut Draft<'_>| {
            if !draft.revoke(&id) {
                return Err(Error::KeyUnknown(id));
            }
            draft.audit(Event::new("TrustRevoked").with("key", id));
            Ok(())
        };
        self.write(change).await
    }

    /// Adds an access key of the API, or replaces the one of its id.
    pub async fn add_credential(&self, credential: Credential) -> Result<(), Error> {
        let change = move |draft: &mut Draft<'_>| {
            if draft.catalog().credentials_len() >= KEYS_MAX {
                return Err(Error::TooManyKeys { max: KEYS_MAX });
            }
            draft.audit(Event::new("CredentialAdded").with("credential", credential.access_key_id.clone()));
            draft.put_credential(credential);
            Ok(())
        };
        self.write(change).await
    }
}

fn trust(draft: &mut Draft<'_>, public: PublicKey, name: String) -> Result<Trusted, Error> {
    let id = public.id().as_str().to_owned();
    if let Some(key) = draft.catalog().trusted().iter().find(|key| key.id == id) {
        let mut key = key.clone();
        if !name.is_empty() && name != key.name {
            draft.audit(Event::new("TrustRenamed").with("key", id).with("name", name.clone()));
            key.name = name;
            draft.rename_trusted(&key);
        }
        return Ok(Trusted { key, is_new: false });
    }
    if draft.catalog().trusted().len() >= KEYS_MAX {
        return Err(Error::TooManyKeys { max: KEYS_MAX });
    }
    let key = TrustedKey { id, public_key: hex::encode(public.to_bytes()), name, added: draft.now() };
    draft.audit(Event::new("TrustAdded").with("key", key.id.clone()).with("name", key.name.clone()));
    draft.trust(key.clone(), public);
    Ok(Trusted { key, is_new: true })
}

/// The key behind a record.
pub(crate) fn public_key(key: &TrustedKey) -> Result<PublicKey, Error> {
    let mut bytes = [0; 32];
    let damaged = || Error::Inconsistent(format!("trusted key {} cannot be read", key.id));
    hex::decode_to_slice(&key.public_key, &mut bytes).map_err(|_| damaged())?;
    let public = PublicKey::from_bytes(&bytes)?;
    if public.id().as_str() == key.id { Ok(public) } else { Err(damaged()) }
}

/// A trusted key in PEM, as it was given.
pub fn public_key_pem(key: &TrustedKey) -> Result<String, Error> {
    Ok(public_key(key)?.to_pem()?)
}
