//! The files of a data directory that a backup may hold, by their names.

use lamina_types::Digest;

pub(crate) const FORMAT: &str = "format";
pub(crate) const HOST_KEY: &str = "host.key";
pub(crate) const SECRETS_KEY: &str = crate::keys::secrets_file::NAME;
pub(crate) const MANIFEST: &str = "manifest.json";
/// Why a backup that has no manifest has none; no file of a data directory.
pub(crate) const BROKE_OFF: &str = "broke-off.txt";
pub(crate) const JOURNAL: &str = "journal";
pub(crate) const AUDIT: &str = "audit";
pub(crate) const LOGS: &str = "logs";
pub(crate) const HEADS: &str = "audit/heads";
pub(crate) const ARTIFACTS: &str = "artifacts";
pub(crate) const CONTENT: &str = "artifacts/sha256";

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Format,
    HostKey,
    SecretsKey,
    Journal,
    Export,
    AuditLog,
    AuditHeads,
    Artifact(Digest),
    Manifest,
}

impl Place {
    /// What the name stands for; `None` for every name that a backup does not have,
    /// those that lead elsewhere among them.
    pub(crate) fn of(name: &str) -> Option<Self> {
        match name {
            FORMAT => return Some(Self::Format),
            HOST_KEY => return Some(Self::HostKey),
            SECRETS_KEY => return Some(Self::SecretsKey),
            HEADS => return Some(Self::AuditHeads),
            MANIFEST => return Some(Self::Manifest),
            _ => {}
        }
        if let Some(name) = name.strip_prefix("artifacts/sha256/") {
            let (head, rest) = name.split_once('/')?;
            let digest = format!("{head}{rest}").parse().ok()?;
            return (head.len() == 2).then_some(Self::Artifact(digest));
        }
        let numbered = |folder: &str, ending: &str| {
            let number = name.strip_prefix(folder)?.strip_prefix('/')?.strip_suffix(ending)?;
            (number.len() == 20 && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(())
        };
        let journal = numbered(JOURNAL, ".journal").map(|()| Self::Journal);
        let export = || numbered(JOURNAL, ".export").map(|()| Self::Export);
        journal.or_else(export).or_else(|| numbered(AUDIT, ".log").map(|()| Self::AuditLog))
    }
}

/// The name of an artifact.
pub(crate) fn artifact(digest: &Digest) -> String {
    let hex = digest.to_string();
    let (head, rest) = hex.split_at(2);
    format!("{CONTENT}/{head}/{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_a_data_directory_are_known() {
        let digest = Digest::of(b"x");
        assert_eq!(Place::of(&artifact(&digest)), Some(Place::Artifact(digest)));
        assert_eq!(Place::of("journal/00000000000000000001.journal"), Some(Place::Journal));
        assert_eq!(Place::of("journal/00000000000000000001.export"), Some(Place::Export));
        assert_eq!(Place::of("audit/00000000000000000001.log"), Some(Place::AuditLog));
        assert_eq!(Place::of("audit/heads"), Some(Place::AuditHeads));
        let upper = artifact(&digest).to_uppercase().replace("ARTIFACTS/SHA256", CONTENT);
        let shifted = format!("{CONTENT}/{}/{}", &digest.to_string()[..3], &digest.to_string()[3..]);
        for name in [
            "",
            ".",
            "..",
            "/format",
            "../format",
            "./format",
            "format/",
            "lock",
            "sled/db",
            "credentials.json",
            "journal/1.journal",
            "journal/../00000000000000000001.journal",
            "journal/0000000000000000000x.journal",
            "journal/+0000000000000000001.journal",
            "audit/00000000000000000001.journal",
            "artifacts/sha256/../x",
            &upper,
            &shifted,
        ] {
            assert_eq!(Place::of(name), None, "{name}");
        }
    }
}
