//! How a platform under test is started.

use std::path::{Path, PathBuf};

use crate::certificates::Certificate;

/// What differs between one start and another. The rest is always the same: a
/// free port, an environment with nothing in it but PATH and a HOME of its own.
#[derive(Debug, Clone)]
pub struct Options {
    /// The command line under test: `env!("CARGO_BIN_EXE_lamina-tested")`.
    pub program: PathBuf,
    /// `enforce` (with one trusted key, the platform's own), `warn` or `off`.
    pub signing: &'static str,
    /// More arguments of `serve`.
    pub arguments: Vec<String>,
    /// The file with the authority of its certificate, for its clients.
    pub authorities: Option<PathBuf>,
    /// More environment variables.
    pub variables: Vec<(String, String)>,
}

impl Options {
    /// Signatures enforced, nothing else said.
    pub fn new(program: &str) -> Self {
        Self {
            program: program.into(),
            signing: "enforce",
            arguments: Vec::new(),
            variables: Vec::new(),
            authorities: None,
        }
    }

    /// More arguments of `serve`.
    pub fn with(self, arguments: &[&str]) -> Self {
        Self { arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(), ..self }
    }

    /// TLS with this certificate, and more arguments of `serve`.
    pub fn tls(self, certificate: &Certificate, arguments: &[&str]) -> Self {
        let files = ["--tls-cert", path(&certificate.cert), "--tls-key", path(&certificate.key)];
        let options = self.with(&[&files[..], arguments].concat());
        Self { authorities: Some(certificate.authority.clone()), ..options }
    }

    /// One more environment variable.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Another treatment of unsigned code.
    pub fn signing(self, signing: &'static str) -> Self {
        Self { signing, ..self }
    }
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a test's own path")
}
