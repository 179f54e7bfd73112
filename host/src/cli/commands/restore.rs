//! `lamina restore FILE... --data DIR`: a data directory from backups.

use std::path::PathBuf;
use std::process::ExitCode;

use lamina_upkeep::{Error, Refusal};
use serde_json::json;

use crate::cli::Ctx;
use crate::cli::failure::{Done, Failure};
use crate::cli::progress::Progress;

/// Make a data directory from backups
///
/// Everything is checked, and the directory is there whole or not at all.
#[derive(Debug, clap::Args)]
pub(crate) struct RestoreArgs {
    /// A whole backup, and perhaps what was made --since it, in their order
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The directory to make
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

impl RestoreArgs {
    /// Does it.
    pub(crate) fn run(self, ctx: &Ctx) -> Done {
        let total: u64 = self.files.iter().filter_map(|file| file.metadata().ok()).map(|found| found.len()).sum();
        let progress = Progress::bytes("restore", usize::try_from(total).unwrap_or(usize::MAX));
        let read = |bytes: u64| progress.advance(usize::try_from(bytes).unwrap_or(usize::MAX));
        let restored = lamina_upkeep::restore(&self.files, &self.data, read).map_err(|error| told(&error))?;
        progress.clear();
        if ctx.output.is_json() {
            ctx.output.json(&json!({
                "Sequence": restored.sequence,
                "Records": restored.records,
                "Files": restored.files,
                "Bytes": restored.bytes,
                "Data": self.data,
            }))?;
            return Ok(ExitCode::SUCCESS);
        }
        let (data, records, sequence) = (self.data.display(), restored.records, restored.sequence);
        ctx.output.line(format_args!("{data}: {records} records, up to transaction {sequence}"))?;
        if !restored.has_secrets_key {
            ctx.output.note("the keys of its secrets are not in the backup: give them with --secrets-key-file");
        }
        ctx.output.note(format_args!("try: lamina serve --data {data}"));
        Ok(ExitCode::SUCCESS)
    }
}

fn told(error: &Error) -> Failure {
    let failure = Failure::new(error.to_string());
    match error {
        // They say what to do.
        Error::Exists(_) => failure.into_usage(),
        Error::Refused { reason: Refusal::Increment(_) | Refusal::Whole | Refusal::Order { .. }, .. } => {
            failure.into_usage()
        }
        Error::Refused { reason: Refusal::Gap { .. }, .. } => failure.next("give all backups, in their order"),
        Error::Refused { reason: Refusal::Content(_) | Refusal::Header | Refusal::Signature, .. } => {
            failure.next("take another copy of the file, or an earlier backup")
        }
        Error::Unsound(_) => failure.next("give all backups that this one was made --since, or take another one"),
        _ => failure,
    }
}
