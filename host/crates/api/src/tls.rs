//! The certificate that the server shows, which can be changed while it runs.
//!
//! TLS 1.2 and 1.3 by rustls, with ALPN for HTTP/2 and 1.1. Knows no files.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{self, CipherSuite, CommonState, ProtocolVersion, ServerConfig, version};

/// Certificates of a chain; longer ones are a mistake.
const CHAIN_MAX: usize = 16;

/// Why a certificate cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// What was given as the certificate, and its chain.
    #[error("no certificate: {0}")]
    Certificate(String),
    /// What was given as the key.
    #[error("no private key: {0}")]
    Key(String),
    /// Both are what they should be, but not one another's, or of no use.
    #[error("the certificate and the key cannot be used together: {0}")]
    Pair(rustls::Error),
}

/// What the server shows, and with what it proves that it is its own.
pub struct Tls {
    current: Mutex<Arc<Shown>>,
}

struct Shown {
    config: Arc<ServerConfig>,
    leaf: CertificateDer<'static>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    /// Of a chain of certificates, the server's own first, and its key, both in PEM.
    pub fn new(chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        Ok(Self { current: Mutex::new(Arc::new(shown(chain, key)?)) })
    }

    /// Shows another certificate to whoever connects from now on. One that is of no
    /// use changes nothing.
    pub fn replace(&self, chain: &[u8], key: &[u8]) -> Result<(), TlsError> {
        let shown = Arc::new(shown(chain, key)?);
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = shown;
        Ok(())
    }

    /// Whether the certificate is good for this host name.
    pub fn covers(&self, name: &str) -> bool {
        let Ok(name) = ServerName::try_from(name) else { return false };
        let shown = self.shown();
        ParsedCertificate::try_from(&shown.leaf).is_ok_and(|leaf| verify_server_name(&leaf, &name).is_ok())
    }

    /// What takes a handshake now.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.shown().config.clone().into()
    }

    fn shown(&self) -> Arc<Shown> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What both sides of a connection have agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spoken {
    version: ProtocolVersion,
    suite: CipherSuite,
}

impl Spoken {
    /// Of a connection whose handshake is done.
    pub(crate) fn of(connection: &CommonState) -> Option<Self> {
        let suite = connection.negotiated_cipher_suite()?.suite();
        Some(Self { version: connection.protocol_version()?, suite })
    }

    /// The version, as Lambda's `x-amzn-tls-version` has it.
    pub(crate) const fn version(self) -> &'static str {
        match self.version {
            ProtocolVersion::TLSv1_3 => "TLSv1.3",
            ProtocolVersion::TLSv1_2 => "TLSv1.2",
            // Not spoken here.
            _ => "unknown",
        }
    }

    /// The cipher suite by OpenSSL's name, as `x-amzn-tls-cipher-suite` has it.
    pub(crate) const fn suite(self) -> &'static str {
        match self.suite {
            CipherSuite::TLS13_AES_128_GCM_SHA256 => "TLS_AES_128_GCM_SHA256",
            CipherSuite::TLS13_AES_256_GCM_SHA384 => "TLS_AES_256_GCM_SHA384",
            CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => "TLS_CHACHA20_POLY1305_SHA256",
            CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 => "ECDHE-ECDSA-AES128-GCM-SHA256",
            CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 => "ECDHE-ECDSA-AES256-GCM-SHA384",
            CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 => "ECDHE-ECDSA-CHACHA20-POLY1305",
            CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 => "ECDHE-RSA-AES128-GCM-SHA256",
            CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 => "ECDHE-RSA-AES256-GCM-SHA384",
            CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 => "ECDHE-RSA-CHACHA20-POLY1305",
            // None of the provider's.
            _ => "unknown",
        }
    }
}

fn shown(chain: &[u8], key: &[u8]) -> Result<Shown, TlsError> {
    let chain: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(chain).take(CHAIN_MAX + 1).collect();
    let chain = chain.map_err(|error| TlsError::Certificate(error.to_string()))?;
    let leaf = match chain.first() {
        None => return Err(TlsError::Certificate("there is no BEGIN CERTIFICATE in it".to_owned())),
        Some(_) if chain.len() > CHAIN_MAX => {
            return Err(TlsError::Certificate(format!("there are more than {CHAIN_MAX} in it")));
        }
        Some(leaf) => leaf.clone(),
    };
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| {
        TlsError::Key(match error {
            pem::Error::NoItemsFound => "there is no BEGIN PRIVATE KEY in it".to_owned(),
            error => error.to_string(),
        })
    })?;
    let provider = Arc::new(ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(TlsError::Pair)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // A client that comes back is spared the asymmetric part, and we are spared a
    // store of sessions.
    config.ticketer = ring::Ticketer::new().map_err(TlsError::Pair)?;
    Ok(Shown { config: Arc::new(config), leaf })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suite_has_a_name() {
        for suite in ring::default_provider().cipher_suites {
            for version in [ProtocolVersion::TLSv1_2, ProtocolVersion::TLSv1_3] {
                let spoken = Spoken { version, suite: suite.suite() };
                assert!(spoken.suite() != "unknown" && spoken.version() != "unknown", "{spoken:?}");
            }
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let check = |chain: &str, key: &str, expect: &str| {
            let error = Tls::new(chain.as_bytes(), key.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(expect), "{error}");
        };
        let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        check("", key, "there is no BEGIN CERTIFICATE in it");
        check("-----BEGIN CERTIFICATE-----\nAAAA\n", key, "no certificate: ");
        check(certificate, "", "there is no BEGIN PRIVATE KEY in it");
        check(certificate, key, "cannot be used together");
        check(&certificate.repeat(17), key, "more than 16");
    }
}
