//! Cargo manifests, as far as the rules need them: a table's lines by its heading.

use crate::tree::{File, files};

/// A manifest.
#[derive(Debug)]
pub(crate) struct Manifest {
    pub(crate) path: String,
    /// Headings with the lines below them.
    tables: Vec<(String, Vec<String>)>,
}

impl Manifest {
    fn parse(file: &File) -> Self {
        let mut tables = Vec::new();
        let source = file.source();
        for line in source.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            match line.strip_prefix('[') {
                Some(heading) => tables.push((heading.trim_matches(['[', ']']).to_owned(), Vec::new())),
                None => {
                    let (_, lines) = tables.last_mut().unwrap_or_else(|| panic!("{}: {line}", file.path));
                    lines.push(line.to_owned());
                }
            }
        }
        Self { path: file.path.clone(), tables }
    }

    /// The tables of this heading: several for `bin`, `test` and the like.
    pub(crate) fn tables(&self, heading: &str) -> impl Iterator<Item = &[String]> {
        self.tables.iter().filter(move |(own, _)| own == heading).map(|(_, lines)| lines.as_slice())
    }

    /// A value of a table, without its quotes.
    pub(crate) fn value(&self, heading: &str, key: &str) -> Option<&str> {
        self.tables(heading).flatten().find_map(|line| {
            let (own, value) = line.split_once('=')?;
            (own.trim() == key).then(|| value.trim().trim_matches('"'))
        })
    }

    /// The package's name; `None` for a workspace alone.
    pub(crate) fn package(&self) -> Option<&str> {
        self.value("package", "name")
    }

    /// Lines of all tables whose heading ends in this, with the name that each is about.
    pub(crate) fn dependencies(&self, heading: &str) -> Vec<(String, String)> {
        let named = |line: &String| {
            let name = line.split(['.', '=', ' ']).next().unwrap_or_default();
            (name.trim_matches('"').to_owned(), line.clone())
        };
        self.tables(heading).flatten().map(named).collect()
    }

    /// The folder it is in, with a slash at its end.
    pub(crate) fn folder(&self) -> &str {
        self.path.strip_suffix("Cargo.toml").unwrap_or_default()
    }
}

/// Every manifest of the tree.
pub(crate) fn manifests() -> Vec<Manifest> {
    files("Cargo.toml").iter().map(Manifest::parse).collect()
}
