//! A zip with another signature entry, or without one; all else stays byte for byte.

use crate::package::{Entry, Package};
use crate::signed::SIGNATURE_NAME;
use crate::write::{self, Method};

impl Entry<'_> {
    /// Whether it is where a package's signatures are.
    pub(crate) fn is_signature(&self) -> bool {
        !self.is_folder && self.name == SIGNATURE_NAME
    }
}

impl Package<'_> {
    /// The zip, its signature entry replaced by this content, at the zip's end, or
    /// removed. The content is stored, so that no library has a say in the bytes.
    pub(crate) fn spliced(&self, signature: Option<&[u8]>) -> Vec<u8> {
        let mut order: Vec<&Entry<'_>> = self.entries.iter().filter(|entry| !entry.is_signature()).collect();
        order.sort_by_key(|entry| entry.span.start);
        let mut zip = Vec::with_capacity(self.zip.len() + signature.map_or(0, <[u8]>::len));
        let mut moved = Vec::with_capacity(order.len());
        for entry in &order {
            moved.push((entry.span.start, zip.len()));
            zip.extend_from_slice(self.zip.get(entry.span.clone()).unwrap_or_default());
        }
        let mut directory = Vec::new();
        for entry in self.entries.iter().filter(|entry| !entry.is_signature()) {
            let mut central = entry.central.to_vec();
            let at = moved.binary_search_by_key(&entry.span.start, |(from, _)| *from);
            let to = at.ok().and_then(|at| moved.get(at)).map_or(0, |(_, to)| *to);
            write::place(&mut central, to);
            directory.extend_from_slice(&central);
        }
        if let Some(content) = signature {
            let mut written = write::entry(SIGNATURE_NAME, 0o644, content, Method::Stored);
            write::place(&mut written.central, zip.len());
            zip.extend_from_slice(&written.local);
            directory.extend_from_slice(&written.central);
        }
        let (at, entries) = (zip.len(), order.len() + usize::from(signature.is_some()));
        zip.extend_from_slice(&directory);
        zip.extend_from_slice(&write::end(entries, directory.len(), at, self.comment.len()));
        zip.extend_from_slice(self.comment);
        zip
    }
}
