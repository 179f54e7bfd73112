//! The files of the certificate and its key: read at start, and again when they change.

use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lamina_api::{Tls, TlsError};
use lamina_types::Region;

/// How often the files are looked at.
const PERIOD: Duration = Duration::from_secs(1);
/// No chain of certificates is longer, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Where certificate and key are, both in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and after it those up to an authority's.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// Why the certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("reading {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A file is no such thing.
    #[error("{path} is longer than {FILE_BYTES_MAX} bytes")]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// What is in them.
    #[error("{files}: {error}")]
    Content {
        /// The file, or both.
        files: String,
        /// What is wrong.
        error: TlsError,
    },
}

/// What the files held when they were last read.
#[derive(Debug, Default, PartialEq, Eq)]
struct Content {
    cert: Vec<u8>,
    key: Vec<u8>,
}

/// A certificate that follows its files.
#[derive(Debug)]
pub(super) struct Followed {
    /// What the server shows.
    pub(super) tls: Arc<Tls>,
    files: TlsFiles,
    tried: Content,
}

impl Followed {
    /// Reads the files.
    pub(super) fn load(files: TlsFiles) -> Result<Self, Error> {
        let tried = Content::read(&files)?;
        let tls = Tls::new(&tried.cert, &tried.key).map_err(|error| Error::content(&files, error))?;
        Ok(Self { tls: Arc::new(tls), files, tried })
    }

    /// The certificate's file, for a client on this machine.
    pub(super) fn cert(&self) -> &Path {
        &self.files.cert
    }

    /// Says which name function URLs need, and when the certificate has it not.
    pub(super) fn check_names(&self, region: &Region, host: &str) {
        let names = format!("lambda-url.{region}.{host}");
        if self.tls.covers(&format!("a.{names}")) {
            tracing::info!("function URLs are names like *.{names}, for which the certificate is good");
        } else {
            tracing::warn!(
                "the certificate is not good for *.{names}, as function URLs are named: they can be called by path \
                 only (https://HOST/_url/URL-ID/); give one with that name, or another --url-host"
            );
        }
    }

    /// Reads the files again and again, and shows what is in them when it changed.
    /// What is of no use is said once, and the certificate before stays.
    pub(super) async fn follow(mut self) -> Infallible {
        let mut unreadable = None;
        loop {
            tokio::time::sleep(PERIOD).await;
            let files = self.files.clone();
            let read = tokio::task::spawn_blocking(move || Content::read(&files)).await;
            match read {
                Ok(Ok(content)) if content == self.tried => unreadable = None,
                Ok(Ok(content)) => {
                    unreadable = None;
                    self.show(content);
                }
                Ok(Err(error)) => {
                    let text = error.to_string();
                    if unreadable.as_ref() != Some(&text) {
                        tracing::warn!(error = text, "the certificate stays as it was");
                        unreadable = Some(text);
                    }
                }
                Err(error) => tracing::error!(%error, "the certificate's files were not read"),
            }
        }
    }

    fn show(&mut self, content: Content) {
        match self.tls.replace(&content.cert, &content.key) {
            Ok(()) => tracing::info!(file = %self.files.cert.display(), "a new certificate is shown"),
            Err(error) => {
                let error = Error::content(&self.files, error);
                tracing::warn!(%error, "the certificate stays as it was");
            }
        }
        self.tried = content;
    }
}

impl Content {
    fn read(files: &TlsFiles) -> Result<Self, Error> {
        Ok(Self { cert: read(&files.cert)?, key: read(&files.key)? })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::File { path: path.to_owned(), source };
    if fs::metadata(path).map_err(failed)?.len() > FILE_BYTES_MAX {
        return Err(Error::TooLong { path: path.to_owned() });
    }
    fs::read(path).map_err(failed)
}

impl Error {
    fn content(files: &TlsFiles, error: TlsError) -> Self {
        let files = match &error {
            TlsError::Certificate(_) => files.cert.display().to_string(),
            TlsError::Key(_) => files.key.display().to_string(),
            TlsError::Pair(_) => format!("{} and {}", files.cert.display(), files.key.display()),
        };
        Self::Content { files, error }
    }
}
