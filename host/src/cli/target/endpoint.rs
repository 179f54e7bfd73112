//! Where a platform listens, and the file that says so: `DIR/endpoint`, the URL
//! on its first line, the region on its second, and on a third the file with the
//! certificate that it shows.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use http::Uri;
use http::uri::{Authority, Scheme};

use crate::cli::failure::Failure;

/// What to do about a data directory that cannot be read.
pub(super) const OF_ANOTHER_USER: &str = "the data directory belongs to another user: run this as that user, or give \
     --endpoint and credentials of your own";

/// The URL of a platform: `http://HOST:PORT` or `https://HOST:PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    scheme: Scheme,
    authority: Authority,
}

impl Endpoint {
    /// `http` or `https`.
    pub(crate) fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// Whether it is reached by TLS.
    pub(crate) fn is_tls(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// `HOST:PORT`.
    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

impl FromStr for Endpoint {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let not_one = |why: &str| {
            Failure::usage(format!("`{text}` is not an endpoint: {why}")).next("give one like http://127.0.0.1:4700")
        };
        let uri: Uri = text.trim().parse().map_err(|_| not_one("it is no URL"))?;
        let scheme = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS => scheme.clone(),
            _ => return Err(not_one("it does not begin with http:// or https://")),
        };
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(not_one("it has a path"));
        }
        let authority = uri.authority().cloned().ok_or_else(|| not_one("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(not_one("it names a user"));
        }
        Ok(Self { scheme, authority })
    }
}

/// What `DIR/endpoint` says.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) endpoint: Endpoint,
    pub(super) region: Option<String>,
    /// The file with the certificate.
    pub(super) certificate: Option<PathBuf>,
}

/// Reads `DIR/endpoint`.
pub(super) fn read(data: &Path) -> Result<Told, Failure> {
    let path = data.join("endpoint");
    let text = std::fs::read_to_string(&path).map_err(|error| {
        let start = format!("start the platform: lamina serve --data {}", data.display());
        match error.kind() {
            io::ErrorKind::NotFound => {
                let text =
                    format!("no platform has been started on {}: there is no {}", data.display(), path.display());
                Failure::new(text).next(format!("{start}; or say where it is with --data or --endpoint"))
            }
            io::ErrorKind::PermissionDenied => {
                Failure::io(format_args!("reading {}", path.display()), &error).next(OF_ANOTHER_USER)
            }
            _ => Failure::io(format_args!("reading {}", path.display()), &error).next(start),
        }
    })?;
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let url = lines.next().unwrap_or_default();
    let endpoint = url
        .parse()
        .map_err(|failure: Failure| failure.while_doing(format_args!("reading {}", path.display())).into_failed())?;
    let (region, certificate) = (lines.next().map(str::to_owned), lines.next().map(PathBuf::from));
    Ok(Told { endpoint, region, certificate })
}
