//! Certificates for tests, by Debian's openssl: an authority of their own, and what
//! it has signed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::{debian, process};

/// Time for one command.
const OPENSSL_MAX: Duration = Duration::from_secs(60);

/// A certificate with its key and its authority, each a PEM file.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The certificate.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// The certificate of the authority that signed it.
    pub authority: PathBuf,
}

impl Certificate {
    /// Makes one in this folder, for these names and addresses (`DNS:a.b`, `IP:1.2.3.4`).
    pub fn new(folder: &Path, names: &[&str]) -> Self {
        fs::create_dir_all(folder).expect("a folder for certificates");
        let file = |name: &str| folder.join(name);
        let (authority, authority_key) = (file("authority.pem"), file("authority.key"));
        openssl(
            &["req", "-x509", "-days", "2", "-subj", "/CN=An authority of tests"],
            &[
                ("-newkey", "ec".as_ref()),
                ("-pkeyopt", "ec_paramgen_curve:P-256".as_ref()),
                ("-out", &authority),
                ("-keyout", &authority_key),
            ],
        );
        let (cert, key, request, extensions) = (file("cert.pem"), file("key.pem"), file("cert.csr"), file("cert.ext"));
        openssl(
            &["req", "-new", "-subj", "/CN=A platform under test"],
            &[
                ("-newkey", "ec".as_ref()),
                ("-pkeyopt", "ec_paramgen_curve:P-256".as_ref()),
                ("-out", &request),
                ("-keyout", &key),
            ],
        );
        let text = format!("subjectAltName={}\nextendedKeyUsage=serverAuth\n", names.join(","));
        fs::write(&extensions, text).expect("a file of extensions");
        openssl(
            &["x509", "-req", "-days", "2", "-set_serial", "7"],
            &[
                ("-in", &request),
                ("-CA", &authority),
                ("-CAkey", &authority_key),
                ("-extfile", &extensions),
                ("-out", &cert),
            ],
        );
        Self { cert, key, authority }
    }

    /// What a platform on the loopback needs, its function URLs included.
    pub fn local(folder: &Path) -> Self {
        Self::new(folder, &["IP:127.0.0.1", "DNS:localhost", "DNS:*.lambda-url.us-east-1.localhost"])
    }

    /// Puts this certificate and key in the place of another's.
    pub fn replace(&self, other: &Self) {
        // Each at once, as certbot does; a server may see one before the other.
        for (from, to) in [(&self.cert, &other.cert), (&self.key, &other.key)] {
            let beside = to.with_extension("new");
            fs::copy(from, &beside).expect("a copy of a file");
            fs::rename(&beside, to).expect("a file in its place");
        }
        fs::copy(&self.authority, &other.authority).expect("a copy of a file");
    }
}

fn openssl(words: &[&str], options: &[(&str, &Path)]) {
    let mut command = Command::new(debian::program("openssl", "openssl"));
    command.args(words);
    if words[0] == "req" {
        command.arg("-nodes");
    }
    for (name, value) in options {
        command.arg(name).arg(value);
    }
    process::run(&mut command, OPENSSL_MAX).ok();
}
