//! The operator's keys for secrets at rest: from a file, a command, or the
//! environment.

use std::path::{Path, PathBuf};
use std::process::Command;

use lamina_upkeep::keys::secrets_file;

use crate::cli::Ctx;
use crate::cli::failure::Failure;
use crate::platform::SecretKeys;

/// What a command may print, in bytes.
const OUTPUT_BYTES_MAX: usize = 64 << 10;
const VARIABLE: &str = "LAMINA_SECRETS_KEY";

/// Where the keys come from.
#[derive(Debug, clap::Args)]
pub(crate) struct SecretKeysArgs {
    /// File with the keys that seal secrets at rest: lines of base64 of 32 bytes, the
    /// first seals. Without it (or LAMINA_SECRETS_KEY) a key is made beside the data
    #[arg(long, value_name = "FILE", env = "LAMINA_SECRETS_KEY_FILE", hide_env_values = true)]
    secrets_key_file: Option<PathBuf>,
    /// Command whose output is such lines
    #[arg(
        long,
        value_name = "COMMAND",
        conflicts_with = "secrets_key_file",
        env = "LAMINA_SECRETS_KEY_COMMAND",
        hide_env_values = true
    )]
    secrets_key_command: Option<String>,
}

impl SecretKeysArgs {
    /// The keys that were given, or none. Never in a message: what was read.
    pub(crate) fn read(&self, ctx: &Ctx) -> Result<SecretKeys, Failure> {
        of(self.secrets_key_file.as_deref(), self.secrets_key_command.as_deref(), ctx)
    }
}

fn of(file: Option<&Path>, command: Option<&str>, ctx: &Ctx) -> Result<SecretKeys, Failure> {
    let given = match (file, command, ctx.environment.get(VARIABLE)) {
        (Some(file), _, _) => {
            let text = std::fs::read_to_string(file).map_err(|error| {
                Failure::new(format!("reading {}: {error}", file.display()))
                    .next("give a file with a key a line: openssl rand -base64 32 > FILE")
            })?;
            (file.display().to_string(), text)
        }
        (None, Some(command), _) => (format!("the output of `{command}`"), output(command)?),
        // Several keys in a variable are parted by white space.
        (None, None, Some(text)) => (VARIABLE.to_owned(), text.split_whitespace().collect::<Vec<_>>().join("\n")),
        (None, None, None) => return Ok(SecretKeys::Beside),
    };
    let (from, text) = given;
    let ring = secrets_file::parse(&text).map_err(|error| {
        Failure::new(format!("the keys of the secrets in {from}: {error}"))
            .next("a key is 32 random bytes in base64: openssl rand -base64 32")
    })?;
    Ok(SecretKeys::Given(ring))
}

fn output(command: &str) -> Result<String, Failure> {
    let failed = |why: String| {
        Failure::new(format!("`{command}` gave no keys for the secrets: {why}")).next("run it by hand and see")
    };
    let output = Command::new("sh").args(["-c", command]).output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    if output.stdout.len() > OUTPUT_BYTES_MAX {
        return Err(failed(format!("it printed more than {OUTPUT_BYTES_MAX} bytes")));
    }
    String::from_utf8(output.stdout).map_err(|_| failed("it printed no text".to_owned()))
}
