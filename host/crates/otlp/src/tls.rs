//! Whom the exporter believes to be the collector, over TLS.

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// TLS that believes the authorities of this PEM text, or else the system's. An error
/// says what is wrong with it.
pub(crate) fn client(authorities: Option<&[u8]>) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    match authorities {
        Some(text) => {
            let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
            let found = found.map_err(|error| format!("it holds no certificates: {error}"))?;
            if found.is_empty() {
                return Err("there is no BEGIN CERTIFICATE in it".to_owned());
            }
            for certificate in found {
                roots.add(certificate).map_err(|error| format!("a certificate in it is of no use: {error}"))?;
            }
        }
        None => {
            let (added, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if added == 0 {
                return Err("this system has no authorities: name a PEM file of the collector's".to_owned());
            }
        }
    }
    of(roots)
}

/// For an endpoint without TLS: nobody is believed.
pub(crate) fn none() -> Result<ClientConfig, String> {
    of(RootCertStore::empty())
}

fn of(roots: RootCertStore) -> Result<ClientConfig, String> {
    let builder = ClientConfig::builder_with_provider(ring::default_provider().into());
    let builder = builder.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
