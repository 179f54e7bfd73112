//! Where a platform listens, and the file that says so: `DIR/endpoint`, the URL
//! on its first line and the region on its second.

use std::fmt;
use std::io;
use std::path::Path;
use std::str::FromStr;

use http::Uri;
use http::uri::Authority;

use crate::cli::failure::Failure;

/// What to do about a data directory that cannot be read.
pub(super) const OF_ANOTHER_USER: &str = "the data directory belongs to another user: run this as that user, or give \
     --endpoint and credentials of your own";

/// The URL of a platform: `http://HOST:PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    authority: Authority,
}

impl Endpoint {
    /// `HOST:PORT`.
    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.authority)
    }
}

impl FromStr for Endpoint {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let not_one = |why: &str| {
            Failure::usage(format!("`{text}` is not an endpoint: {why}")).next("give one like http://127.0.0.1:4700")
        };
        let uri: Uri = text.trim().parse().map_err(|_| not_one("it is no URL"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => {
                return Err(Failure::usage(format!("`{text}` asks for TLS, which this command does not speak yet"))
                    .next(
                        "give the http:// endpoint of the platform, through a tunnel where the network is not yours",
                    ));
            }
            _ => return Err(not_one("it does not begin with http://")),
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(not_one("it has a path"));
        }
        let authority = uri.authority().cloned().ok_or_else(|| not_one("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(not_one("it names a user"));
        }
        Ok(Self { authority })
    }
}

/// Reads `DIR/endpoint`: the endpoint, and the region where it is said.
pub(super) fn read(data: &Path) -> Result<(Endpoint, Option<String>), Failure> {
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
    Ok((endpoint, lines.next().map(str::to_owned)))
}
