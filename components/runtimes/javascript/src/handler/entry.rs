//! Which file and which function a handler's name means.

use super::Failure;
use crate::loader;
use crate::package::files;
use crate::package::resolve::{Asked, Mode, Target};

/// Where the package is.
const TASK: &str = "/var/task";
/// What a file may end in, in the order in which Lambda looks.
const ENDINGS: [&str; 7] = ["", ".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"];

/// A handler's name, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parts<'a> {
    /// The folder with a slash at its end, or nothing.
    folder: &'a str,
    module: &'a str,
    /// The path of the function in what the module exports.
    pub(crate) function: &'a str,
}

/// `folder/module.function`, where the function may be a path of names.
pub(crate) fn parts(handler: &str) -> Result<Parts<'_>, Failure> {
    if handler.contains("..") {
        return Err(Failure::new(
            "MalformedHandlerName",
            format!(
                "'{handler}' is not a valid handler name. Use absolute paths when specifying root directories in handler names."
            ),
        ));
    }
    let (folder, name) = handler.rfind('/').map_or(("", handler), |at| handler.split_at(at + 1));
    match name.split_once('.') {
        Some((module, function)) => Ok(Parts { folder, module, function }),
        None => Err(Failure::new("MalformedHandlerName", "Bad handler")),
    }
}

/// The handler's file.
pub(crate) fn find(handler: &str) -> Result<String, Failure> {
    let parts = parts(handler)?;
    // A bundle knows it by the whole name, asked for by nobody.
    if let Some(path) = loader::bundled_handler(handler) {
        return Ok(path);
    }
    let path = files::join(TASK, &format!("{}{}", parts.folder, parts.module));
    let ended = ENDINGS.iter().map(|ending| format!("{path}{ending}")).find(|path| files::is_file(path));
    if let Some(path) = ended {
        return Ok(path);
    }
    let from = format!("{TASK}/noop.js");
    match loader::resolve(Asked { specifier: parts.module, from: &from, mode: Mode::Require }) {
        Ok(Target::File(path)) => Ok(path),
        _ => Err(Failure::new(
            "ImportModuleError",
            format!("Error: Cannot find module '{}'\nRequire stack:\n- /var/runtime/index.mjs", parts.module),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        for (handler, folder, module, function) in [
            ("index.handler", "", "index", "handler"),
            ("src/app.handler", "src/", "app", "handler"),
            ("a/b/c.d.e.f", "a/b/", "c", "d.e.f"),
        ] {
            assert_eq!(parts(handler).expect(handler), Parts { folder, module, function });
        }
        assert_eq!(parts("index").unwrap_err().message, "Bad handler");
        assert!(parts("../index.handler").unwrap_err().message.starts_with("'../index.handler' is not a valid"));
    }
}
