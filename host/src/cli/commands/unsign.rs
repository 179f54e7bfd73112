//! `lamina unsign FILE`.

use std::path::PathBuf;
use std::process::ExitCode;

use lamina_types::Digest;
use serde_json::json;

use super::{COMPONENT_BYTES_MAX, about_component};
use crate::cli::Ctx;
use crate::cli::failure::{Done, Failure};
use crate::cli::files;

/// Take all signatures away: the component as it was before the first
#[derive(Debug, clap::Args)]
pub(crate) struct UnsignArgs {
    /// The component
    file: PathBuf,
    /// Write the stripped component here instead of back
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl UnsignArgs {
    /// Does it.
    pub(crate) fn run(self, ctx: &Ctx) -> Done {
        let component = files::read(&self.file, COMPONENT_BYTES_MAX)?;
        let stripped = lamina_signing::unsign(&component).map_err(|error| {
            let failure = Failure::new(format!("unsigning {}: {error}", self.file.display()));
            failure.next(about_component(&error, &component))
        })?;
        let out = self.out.as_ref().unwrap_or(&self.file);
        files::replace(out, &stripped)?;
        let digest = Digest::of(&stripped);
        if ctx.output.is_json() {
            ctx.output.json(&json!({ "File": out, "FileSha256": digest.to_string() }))?;
        } else {
            ctx.output.line(format_args!("{}: unsigned, the file's sha256 is {digest}", out.display()))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
