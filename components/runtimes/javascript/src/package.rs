//! A function's package as Node sees it: files, manifests, and which module is meant.

pub(crate) mod bundle;
pub(crate) mod files;
pub(crate) mod format;
pub(crate) mod lexer;
pub(crate) mod manifest;
pub(crate) mod resolve;
