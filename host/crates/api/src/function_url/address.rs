//! How a request says which function URL it is for: by Host header
//! (`ID.lambda-url.REGION.anything`), or by path (`/_url/ID/...`) for clients that
//! cannot resolve such names (reference 9).

use std::borrow::Cow;

use lamina_types::UrlId;

use crate::config::Config;

const PATH: &str = "/_url/";
const LABEL: &str = "lambda-url";

/// A request that is for a function URL, if there is one of that id.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Addressed {
    /// `None` for a text that is no id, and so nobody's.
    pub(crate) id: Option<UrlId>,
    /// How many bytes of the path name the URL: 0 when the host does.
    pub(crate) prefix: usize,
}

/// Finds out whether a request is for a function URL.
pub(crate) fn address(host: Option<&str>, path: &str, region: &str) -> Option<Addressed> {
    if let Some(label) = host.and_then(|host| label(host, region)) {
        return Some(Addressed { id: id(label), prefix: 0 });
    }
    let rest = path.strip_prefix(PATH)?;
    let text = rest.split('/').next().unwrap_or_default();
    Some(Addressed { id: id(text), prefix: PATH.len() + text.len() })
}

/// The first label of a function URL's host. Host names know no case.
fn label<'a>(host: &'a str, region: &str) -> Option<&'a str> {
    let (label, rest) = host.split_once('.')?;
    let rest = without(rest, LABEL)?.strip_prefix('.')?;
    let rest = without(rest, region)?.strip_prefix('.')?;
    (!rest.is_empty()).then_some(label)
}

fn without<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| text.get(prefix.len()..).unwrap_or_default())
}

fn id(text: &str) -> Option<UrlId> {
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        return text.to_ascii_lowercase().parse().ok();
    }
    text.parse().ok()
}

/// The URL that answers show, with the port by which the client came: `host` is
/// what it asked for.
pub(crate) fn url(id: &UrlId, host: &str, config: &Config) -> String {
    let port = host.rsplit_once(':').map(|(_, port)| port);
    let port = port.filter(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
    let (domain, scheme) = (own_domain(id, config), config.scheme());
    match port {
        Some(port) => format!("{scheme}://{domain}:{port}/"),
        None => format!("{scheme}://{domain}/"),
    }
}

/// A URL's domain: the one that was asked for by Host, else its own.
pub(super) fn domain<'a>(host: Option<&'a str>, id: &UrlId, config: &Config) -> Cow<'a, str> {
    match host.filter(|host| label(host, config.region.as_str()).is_some()) {
        Some(host) => host.rsplit_once(':').map_or(host, |(name, _)| name).into(),
        None => own_domain(id, config).into(),
    }
}

fn own_domain(id: &UrlId, config: &Config) -> String {
    format!("{id}.{LABEL}.{}.{}", config.region, config.url_host)
}

/// What is left of the path when the URL's own part is taken away.
pub(super) fn path(path: &str, prefix: usize) -> &str {
    match path.get(prefix..) {
        Some("") | None => "/",
        Some(rest) => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "abcdefghijklmnopqrstuvwxyz234567";

    fn check(host: &str, target: &str, expect: Option<(Option<&str>, &str)>) {
        let found = address(Some(host), target, "us-east-1");
        let found = found.map(|found| (found.id, path(target, found.prefix)));
        let expect = expect.map(|(id, path)| (id.map(|id| id.parse().unwrap()), path));
        assert_eq!(found, expect, "{host} {target}");
    }

    #[test]
    fn by_host() {
        for rest in
            ["lambda-url.us-east-1.localhost", "lambda-url.us-east-1.localhost:8080", "LAMBDA-URL.us-east-1.a.b"]
        {
            check(&format!("{ID}.{rest}"), "/a/b", Some((Some(ID), "/a/b")));
        }
        check(&format!("{}.lambda-url.us-east-1.localhost", ID.to_uppercase()), "/", Some((Some(ID), "/")));
        check("nobody.lambda-url.us-east-1.localhost", "/", Some((None, "/")));
        // The host says it all: the path is the function's own.
        check(&format!("{ID}.lambda-url.us-east-1.x"), "/_url/a/b", Some((Some(ID), "/_url/a/b")));
    }

    #[test]
    fn by_path() {
        let host = "127.0.0.1:8080";
        check(host, &format!("/_url/{ID}/a/b"), Some((Some(ID), "/a/b")));
        check(host, &format!("/_url/{ID}/"), Some((Some(ID), "/")));
        check(host, &format!("/_url/{ID}"), Some((Some(ID), "/")));
        check(host, &format!("/_url/{ID}//a%2Fb"), Some((Some(ID), "//a%2Fb")));
        check(host, "/_url/nobody/a", Some((None, "/a")));
        check(host, "/_url/", Some((None, "/")));
    }

    #[test]
    fn everything_else_is_the_api() {
        for (host, path) in [
            ("127.0.0.1:8080", "/2015-03-31/functions"),
            ("localhost", "/_url"),
            ("localhost", "/"),
            (&format!("{ID}.lambda-url.eu-west-1.localhost"), "/"),
            (&format!("{ID}.lambda-url.us-east-1"), "/"),
            (&format!("{ID}.lambda-url.us-east-1."), "/"),
            ("", "/"),
        ] {
            check(host, path, None);
        }
        assert_eq!(address(None, "/", "us-east-1"), None);
    }

    #[test]
    fn urls_have_the_clients_port() {
        let id: UrlId = ID.parse().unwrap();
        let mut config = Config::new("us-east-1".parse().unwrap(), "000000000000".parse().unwrap());
        let own = format!("{ID}.lambda-url.us-east-1.localhost");
        assert_eq!(url(&id, "127.0.0.1:8080", &config), format!("http://{own}:8080/"));
        assert_eq!(url(&id, "[::1]:8080", &config), format!("http://{own}:8080/"));
        assert_eq!(url(&id, "[::1]", &config), format!("http://{own}/"));
        assert_eq!(url(&id, "lamina.example", &config), format!("http://{own}/"));
        assert_eq!(domain(Some("127.0.0.1:1"), &id, &config), own);
        let other = format!("{ID}.lambda-url.us-east-1.example.org");
        assert_eq!(domain(Some(&format!("{other}:1")), &id, &config), other);
        config.url_host = "example.org".to_owned();
        assert_eq!(url(&id, "lamina.example:1", &config), format!("http://{other}:1/"));
    }
}
