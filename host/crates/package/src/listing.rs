//! The canonical listing of a package's files: what a package's signature covers.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use lamina_types::Digest;

use crate::error::ZipError;
use crate::package::Package;

/// The first line of a listing.
pub const LISTING_HEAD: &str = "lamina package 1\n";

/// Each file's mode and content, by name, in the order of the names' bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    pub(crate) files: BTreeMap<String, Listed>,
}

/// What is listed of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Nine bits.
    pub(crate) mode: u16,
    pub(crate) content: Digest,
}

impl Listing {
    /// Lists a package, unpacking and checking every file.
    pub fn of(package: &Package<'_>) -> Result<Self, ZipError> {
        let listed = package.files().into_iter().map(|entry| {
            let content = Digest::of(&entry.content()?);
            Ok((entry.name.to_owned(), Listed { mode: entry.mode, content }))
        });
        Ok(Self { files: listed.collect::<Result<_, ZipError>>()? })
    }

    /// The text; see "Signature of a package" in `host/ARCHITECTURE.md`.
    pub fn text(&self) -> String {
        let mut text = LISTING_HEAD.to_owned();
        for (name, Listed { mode, content }) in &self.files {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{mode:03o} {content} {name}");
        }
        text
    }

    /// The SHA-256 of the text.
    pub fn digest(&self) -> Digest {
        Digest::of(self.text().as_bytes())
    }

    /// Reads a text; `None` when [`Listing::text`] would have written it otherwise.
    pub fn parse(text: &str) -> Option<Self> {
        let mut files = BTreeMap::new();
        for line in text.strip_prefix(LISTING_HEAD)?.split_terminator('\n') {
            let (mode, rest) = line.split_once(' ')?;
            let (content, name) = rest.split_once(' ')?;
            let listed = Listed { mode: u16::from_str_radix(mode, 8).ok()?, content: content.parse().ok()? };
            files.insert(name.to_owned(), listed);
        }
        let listing = Self { files };
        (listing.text() == text).then_some(listing)
    }
}
