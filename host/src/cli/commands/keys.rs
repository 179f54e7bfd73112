//! `lamina keys new KEYFILE`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;

use crate::cli::Ctx;
use crate::cli::failure::Done;
use crate::cli::keyfile::{self, KeyFiles};

/// Make signing keys
#[derive(Debug, clap::Args)]
pub(crate) struct KeysArgs {
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Write a new ed25519 key: KEYFILE (PKCS#8 PEM, for its owner only) and
    /// KEYFILE.pub; files that are there are never overwritten
    New {
        /// Where the secret half goes
        #[arg(value_name = "KEYFILE")]
        file: PathBuf,
    },
}

impl KeysArgs {
    /// Does it.
    pub(crate) fn run(self, ctx: &Ctx) -> Done {
        let KeysCommand::New { file } = self.command;
        let files = KeyFiles::at(&file);
        let id = keyfile::create(&files)?.id();
        if ctx.output.is_json() {
            ctx.output.json(&json!({
                "KeyId": id.as_str(),
                "KeyFile": files.secret,
                "PublicKeyFile": files.public,
            }))?;
        } else {
            ctx.output.line(&id)?;
            let (secret, public) = (files.secret.display(), files.public.display());
            ctx.output.note(format_args!("wrote {secret} (keep it secret) and {public} (give it to platforms)"));
        }
        Ok(ExitCode::SUCCESS)
    }
}
