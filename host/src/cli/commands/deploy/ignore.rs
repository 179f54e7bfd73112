//! What of a folder is not deployed.

/// Names that no function needs, wherever they are.
const NAMES: &[&str] = &[
    ".git",
    ".hg",
    ".svn",
    ".DS_Store",
    ".laminaignore",
    "__pycache__",
    "*.pyc",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".venv",
];
/// Paths that no function needs.
const PATHS: &[&str] = &["node_modules/.cache", "node_modules/.package-lock.json"];
/// Lines of one `.laminaignore`.
const LINES_MAX: usize = 1_000;

/// A set of patterns.
#[derive(Debug, Default)]
pub(super) struct Ignore {
    /// Patterns of one part, which any file or folder may have.
    names: Vec<String>,
    /// Patterns of a path from the folder.
    paths: Vec<Vec<String>>,
}

impl Ignore {
    /// What is left out of every folder, and what this `.laminaignore` says besides:
    /// a pattern a line, with `*` for any part of a name; one with a slash before its
    /// end is a path from the folder. Text after `#` at a line's start is none.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut ignore = Self::default();
        NAMES.iter().chain(PATHS).for_each(|pattern| ignore.add(pattern));
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |why: &str| Err(format!("line {} of .laminaignore, `{line}`: {why}", number + 1));
            if number >= LINES_MAX {
                return wrong("there are more than 1000 lines");
            }
            if line.starts_with('!') {
                return wrong("nothing can be taken back in; leave `!` away");
            }
            if line.contains("**") || line.contains(['[', '?', '\\']) {
                return wrong("only `*`, for any part of one name, is special");
            }
            ignore.add(line);
        }
        Ok(ignore)
    }

    fn add(&mut self, pattern: &str) {
        let path = pattern.trim_end_matches('/');
        match path.strip_prefix('/') {
            None if !path.contains('/') => self.names.push(path.to_owned()),
            rooted => self.paths.push(rooted.unwrap_or(path).split('/').map(str::to_owned).collect()),
        }
    }

    /// Whether the file or folder of this path is left out. Asked of a folder first.
    pub(super) fn has(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('/').collect();
        let is_path = |pattern: &Vec<String>| {
            pattern.len() == parts.len() && pattern.iter().zip(&parts).all(|(pattern, part)| matches(pattern, part))
        };
        let is_name = |pattern: &String| parts.last().is_some_and(|name| matches(pattern, name));
        self.names.iter().any(is_name) || self.paths.iter().any(is_path)
    }
}

/// Whether a name fits a pattern in which `*` stands for anything.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(start) else { return false };
    let parts: Vec<&str> = rest.split('*').collect();
    let (last, middle) = parts.split_last().unwrap_or((&"", &[]));
    for part in middle {
        let Some(at) = name.find(part) else { return false };
        name = name.get(at + part.len()..).unwrap_or_default();
    }
    name.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let ignore = Ignore::parse("# a comment\n\n*.md\ntests/\n/dist/*.map\ndocs/api\n").unwrap();
        for path in
            ["README.md", "a/b.md", "tests", "a/tests", "dist/x.map", "docs/api", ".git", "a/__pycache__", "x.pyc"]
        {
            assert!(ignore.has(path), "{path}");
        }
        for path in ["index.mjs", "a/dist/x.map", "dist/a/x.map", "md", "docs", "docs/apis", "testsuite", "x.pyc.txt"] {
            assert!(!ignore.has(path), "{path}");
        }
        assert!(ignore.has("node_modules/.cache") && !ignore.has("a/.cache"));
    }

    #[test]
    fn what_is_no_pattern_is_named() {
        for (text, expect) in [("a\n!b", "line 2 of .laminaignore, `!b`"), ("a/**", "only `*`"), ("[ab]", "only `*`")] {
            let error = Ignore::parse(text).unwrap_err();
            assert!(error.contains(expect), "{error}");
        }
    }

    #[test]
    fn stars() {
        let check =
            |pattern: &str, name: &str, expect: bool| assert_eq!(matches(pattern, name), expect, "{pattern} {name}");
        check("*", "anything", true);
        check("a*", "abc", true);
        check("*c", "abc", true);
        check("a*c", "abc", true);
        check("a*c", "ac", true);
        check("a*b*c", "axbxc", true);
        check("a*b*c", "axc", false);
        check("ab*ba", "aba", false);
        check("a", "ab", false);
    }
}
