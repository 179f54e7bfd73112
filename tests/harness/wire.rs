//! Connections whose bytes a test writes itself: plain, or within TLS.

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::http::within;
use crate::platform::Platform;

/// What carries a connection's bytes.
pub trait Wire: AsyncRead + AsyncWrite + Debug + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Debug + Send + Unpin> Wire for T {}

/// Writes all bytes to the other side. TLS keeps what the socket does not take at once,
/// and says that it is written.
pub async fn send(stream: &mut (impl AsyncWrite + Unpin + ?Sized), bytes: &[u8]) -> std::io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

/// Where to connect, and how.
#[derive(Debug, Clone)]
pub struct Door {
    /// `HOST:PORT`.
    pub authority: String,
    /// The file with its authority, where it speaks TLS.
    authorities: Option<PathBuf>,
}

impl Door {
    /// Without TLS.
    pub fn plain(authority: &str) -> Self {
        Self { authority: authority.to_owned(), authorities: None }
    }

    /// As the platform has it.
    pub fn of(platform: &Platform) -> Self {
        Self { authority: platform.client.authority.clone(), authorities: platform.authorities() }
    }

    /// `http`, or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.authorities.is_some() { "https" } else { "http" }
    }

    /// Connects; by TLS this protocol is asked for, and must be given.
    pub async fn connect(&self, protocol: &str) -> Box<dyn Wire> {
        let authority = &self.authority;
        let stream = TcpStream::connect(authority).await.unwrap_or_else(|error| panic!("{authority}: {error}"));
        stream.set_nodelay(true).expect("an option of a socket");
        let Some(authorities) = &self.authorities else { return Box::new(stream) };
        let name = ServerName::try_from("localhost").expect("a name");
        let connector = TlsConnector::from(Arc::new(believing(authorities, protocol)));
        let stream = within("a handshake", connector.connect(name, stream)).await.expect("a handshake");
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(protocol.as_bytes()));
        Box::new(stream)
    }
}

fn believing(authorities: &Path, protocol: &str) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(authorities).expect("the authority's certificate");
    roots.add(certificate).expect("a certificate that can be believed");
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    config
}
