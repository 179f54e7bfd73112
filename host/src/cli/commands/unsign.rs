//! `lamina unsign FILE`.

use std::path::PathBuf;
use std::process::ExitCode;

use lamina_types::Digest;
use serde_json::json;

use super::{COMPONENT_BYTES_MAX, about_component, zip};
use crate::cli::Ctx;
use crate::cli::failure::{Done, Failure};
use crate::cli::files;

/// Take all signatures away: the component or zip as it was before the first
#[derive(Debug, clap::Args)]
pub(crate) struct UnsignArgs {
    /// The component or zip
    file: PathBuf,
    /// Write what is stripped here instead of back
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl UnsignArgs {
    /// Does it.
    pub(crate) fn run(self, ctx: &Ctx) -> Done {
        let component = files::read(&self.file, COMPONENT_BYTES_MAX)?;
        let stripped = if zip::is_zip(&component) { zip::unsign(&component) } else { unsign(&component) };
        let stripped =
            stripped.map_err(|failure| failure.while_doing(format_args!("unsigning {}", self.file.display())))?;
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

fn unsign(component: &[u8]) -> Result<Vec<u8>, Failure> {
    let stripped = lamina_signing::unsign(component);
    stripped.map_err(|error| Failure::new(error.to_string()).next(about_component(&error, component)))
}
