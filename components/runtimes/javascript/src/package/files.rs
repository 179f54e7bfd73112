//! Files and their paths. Paths are absolute, with `/` between the parts.

use std::fs;

/// What is at a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    File,
    Folder,
    Nothing,
}

pub(crate) fn kind(path: &str) -> Kind {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Kind::Folder,
        Ok(_) => Kind::File,
        Err(_) => Kind::Nothing,
    }
}

pub(crate) fn is_file(path: &str) -> bool {
    kind(path) == Kind::File
}

/// The content of a file; `None` where there is none.
pub(crate) fn read(path: &str) -> Option<Vec<u8>> {
    fs::read(path).ok()
}

/// The folder that something is in; `None` for the root.
pub(crate) fn parent(path: &str) -> Option<&str> {
    match path.rsplit_once('/')? {
        ("", "") => None,
        ("", _) => Some("/"),
        (folder, _) => Some(folder),
    }
}

/// The part after the last `/`.
pub(crate) fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The ending with its dot, of the name alone; empty where there is none.
pub(crate) fn ending(path: &str) -> &str {
    let name = name(path);
    match name.rfind('.') {
        Some(at) if at > 0 => &name[at..],
        _ => "",
    }
}

/// `path` as seen from `folder`, without `.`, `..` and empty parts.
pub(crate) fn join(folder: &str, path: &str) -> String {
    let start = if path.starts_with('/') { "" } else { folder };
    let mut parts: Vec<&str> = Vec::new();
    for part in start.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let mut joined = String::with_capacity(folder.len() + path.len() + 1);
    for part in parts {
        joined.push('/');
        joined.push_str(part);
    }
    if joined.is_empty() { "/".to_owned() } else { joined }
}

/// A path as a URL, as Node escapes it.
pub(crate) fn to_url(path: &str) -> String {
    let mut url = String::with_capacity(path.len() + 7);
    url.push_str("file://");
    for byte in path.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-_.!~*'()/;:@&=+$,".contains(&byte);
        if plain { url.push(char::from(byte)) } else { url.push_str(&format!("%{byte:02X}")) }
    }
    url
}

/// The path of a `file:` URL, without query and fragment; `None` where it is none.
pub(crate) fn from_url(url: &str) -> Option<String> {
    let rest = url.strip_prefix("file://")?;
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    unescape(rest)
}

/// Percent-escapes undone; `None` where what comes out is not UTF-8.
pub(crate) fn unescape(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = match (first, after) {
            (b'%', [high, low, ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                digit(high).zip(digit(low)).map(|(high, low)| (high * 16 + low) as u8)
            }
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_and_taken_apart() {
        for (folder, path, expected) in [
            ("/var/task", "./a.js", "/var/task/a.js"),
            ("/var/task/b", "../a", "/var/task/a"),
            ("/var/task", "/opt//x/./y", "/opt/x/y"),
            ("/", "..", "/"),
        ] {
            assert_eq!(join(folder, path), expected);
        }
        assert_eq!((parent("/a/b"), parent("/a"), parent("/")), (Some("/a"), Some("/"), None));
        assert_eq!((ending("/a.b/c"), ending("/a/c.test.mjs"), ending("/a/.js")), ("", ".mjs", ""));
    }

    #[test]
    fn urls_and_paths_are_two_forms_of_one_thing() {
        for path in ["/var/task/index.mjs", "/var/task/a b/c#d?e%f/\u{e9}.mjs"] {
            assert_eq!(from_url(&to_url(path)).as_deref(), Some(path));
        }
        assert_eq!(to_url("/a b"), "file:///a%20b");
        assert_eq!(from_url("file:///a%2?x=1").as_deref(), Some("/a%2"));
        assert_eq!(from_url("file:///a%ff"), None);
    }
}
