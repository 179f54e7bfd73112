//! `lamina fsck --data DIR`: look at a data directory that nobody has open, and mend
//! what can be.

use std::path::PathBuf;
use std::process::ExitCode;

use lamina_upkeep::{Error, Finding, Fsck, Report};
use serde_json::json;

use crate::cli::Ctx;
use crate::cli::failure::{Done, Failure};
use crate::cli::output::{printable, style};
use crate::cli::progress::Progress;
use crate::cli::secret_keys::SecretKeysArgs;
use crate::cli::target::DATA_DEFAULT;
use crate::platform::SecretKeys;

/// Check a data directory, and mend what can be
///
/// The platform must be stopped. Exit codes: 0 nothing is wrong (any more), 1
/// something is, 2 the directory could not be looked at.
#[derive(Debug, clap::Args)]
pub(crate) struct FsckArgs {
    /// The directory
    #[arg(long, value_name = "DIR", default_value = DATA_DEFAULT, env = "LAMINA_DATA", hide_env_values = true)]
    data: PathBuf,
    /// Mend what can be; without it nothing is changed
    #[arg(long)]
    repair: bool,
    #[command(flatten)]
    secrets: SecretKeysArgs,
}

impl FsckArgs {
    /// Does it.
    pub(crate) fn run(self, ctx: &Ctx) -> Done {
        let secrets = match self.secrets.read(ctx).map_err(Failure::into_usage)? {
            SecretKeys::Given(ring) => Some(ring),
            SecretKeys::Beside => None,
        };
        let asked = Fsck { data: self.data, secrets, repair: self.repair };
        let mut progress = None;
        let report = lamina_upkeep::fsck(&asked, |bytes, total| {
            let length = usize::try_from(total).unwrap_or(usize::MAX);
            let bar = progress.get_or_insert_with(|| Progress::bytes("fsck", length));
            bar.advance(usize::try_from(bytes).unwrap_or(usize::MAX));
        });
        if let Some(progress) = progress {
            progress.clear();
        }
        let report = report.map_err(|error| told(&error))?;
        say(&report, &asked, ctx)?;
        Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Why it could not be looked at.
fn told(error: &Error) -> Failure {
    let failure = Failure::new(error.to_string()).into_usage();
    match error {
        Error::Records(lamina_kv::Error::InUse(_)) => failure.next("stop the platform first"),
        Error::NoDirectory(_) => failure.next("name the directory that `lamina serve` was given: --data DIR"),
        _ => failure,
    }
}

fn say(report: &Report, asked: &Fsck, ctx: &Ctx) -> Result<(), Failure> {
    if ctx.output.is_json() {
        let mut value = json!(report);
        value["Clean"] = report.is_clean().into();
        return ctx.output.json(&value);
    }
    for finding in &report.findings {
        for line in lines(finding) {
            ctx.output.line(line)?;
        }
    }
    for note in &report.notes {
        ctx.output.note(format_args!("note: {}", printable(note)));
    }
    let known = |number: Option<u64>| number.map_or_else(|| "?".to_owned(), |number| number.to_string());
    let (sequence, records) = (known(report.sequence), known(report.records));
    let Report { artifacts, artifact_bytes, audit_entries, .. } = report;
    ctx.output.line(format_args!(
        "{records} records up to transaction {sequence}, {artifacts} artifacts of {artifact_bytes} bytes, \
         {audit_entries} entries of the audit log"
    ))?;
    let left = report.findings.iter().filter(|finding| !finding.repaired).collect::<Vec<_>>();
    if left.is_empty() {
        return ctx.output.line(format_args!("{}nothing is wrong{}", style::GOOD, style::PLAIN));
    }
    ctx.output.line(format_args!("{}{} findings are left{}", style::ERROR, left.len(), style::PLAIN))?;
    if !asked.repair && left.iter().any(|finding| finding.repair.is_some()) {
        ctx.output.note(format_args!("next: lamina fsck --data {} --repair", asked.data.display()));
    }
    Ok(())
}

/// A finding for people.
fn lines(finding: &Finding) -> Vec<String> {
    let (strong, plain) = (style::STRONG, style::PLAIN);
    let mut lines = vec![format!("{strong}{}{plain}: {}", printable(&finding.place), printable(&finding.what))];
    if let Some(repair) = &finding.repair {
        let label = if finding.repaired { "repaired" } else { "--repair" };
        lines.push(format!("  {label}: {}", printable(repair)));
    }
    if let Some(next) = &finding.next {
        lines.push(format!("  next: {}", printable(next)));
    }
    lines
}
