//! `lamina backup FILE`: everything a platform keeps, in one file, while it runs.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use http::Method;
use lamina_upkeep::{Error, Manifest, Refusal};
use serde_json::json;

use crate::cli::Ctx;
use crate::cli::client::{Call, Client, Download};
use crate::cli::failure::{Done, Failure};
use crate::cli::files::unwritable;
use crate::cli::progress::Progress;
use crate::cli::target::TargetArgs;

/// Write everything a running platform keeps to a file
///
/// The file holds the platform's keys and secrets: keep it as you keep those.
#[derive(Debug, clap::Args)]
pub(crate) struct BackupArgs {
    /// The file; it must not exist
    file: PathBuf,
    /// Only what changed since this backup; given several times, since the last of
    /// them, without the code that is in any of them
    #[arg(long, value_name = "FILE")]
    since: Vec<PathBuf>,
    #[command(flatten)]
    target: TargetArgs,
}

/// What earlier backups hold.
#[derive(Default)]
struct Earlier {
    /// The last transaction.
    since: u64,
    /// Artifacts.
    have: BTreeSet<String>,
    /// Who made them.
    public_key: Option<String>,
}

impl Earlier {
    fn read(files: &[PathBuf]) -> Result<Self, Failure> {
        let mut earlier = Self::default();
        for file in files {
            let manifest = Manifest::of(file).map_err(|error| {
                Failure::new(error.to_string()).next("name a backup that `lamina backup` wrote, or make a whole one")
            })?;
            earlier.since = earlier.since.max(manifest.sequence);
            earlier.have.extend(manifest.artifacts().map(|digest| digest.to_string()));
            let key = earlier.public_key.get_or_insert_with(|| manifest.public_key.clone());
            if *key != manifest.public_key {
                return Err(Failure::usage(format!("{} is the backup of another platform", file.display())));
            }
        }
        Ok(earlier)
    }
}

impl BackupArgs {
    /// Does it.
    pub(crate) async fn run(self, ctx: &Ctx) -> Done {
        if self.file.exists() {
            return Err(Failure::usage(format!("{} exists already, and is not written over", self.file.display()))
                .next("choose another name, or move the old file away"));
        }
        let earlier = Earlier::read(&self.since)?;
        let client = Client::find(&self.target, &ctx.environment).await?;
        let asked = json!({ "Since": earlier.since, "Have": earlier.have });
        let call = Call::new(Method::POST, &["lamina", "v1", "backup"]).json(&asked);
        let answer = client.download(call).await?;
        let part = part(&self.file);
        let written = write(answer, &part).await.and_then(|bytes| {
            let manifest = finish(&part, &self.file, &earlier)?;
            Ok((bytes, manifest))
        });
        let (bytes, manifest) = written.inspect_err(|_| {
            // The first error is the one to tell.
            let _ = std::fs::remove_file(&part);
        })?;
        let artifacts = manifest.artifacts().count();
        let Manifest { sequence, since, .. } = manifest;
        if ctx.output.is_json() {
            let told = json!({ "Sequence": sequence, "Since": since, "Bytes": bytes, "Artifacts": artifacts });
            ctx.output.json(&told)?;
            return Ok(ExitCode::SUCCESS);
        }
        let (name, from) = (self.file.display(), if since == 0 { String::new() } else { format!(" since {since}") });
        ctx.output
            .line(format_args!("{name}: up to transaction {sequence}{from}, {artifacts} artifacts, {bytes} bytes"))?;
        ctx.output.note("it holds the platform's keys and secrets: keep it as you keep those");
        Ok(ExitCode::SUCCESS)
    }
}

/// Where the file is written before it is whole.
fn part(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

/// Writes the answer to a file that its owner alone may read; answers its size.
async fn write(mut answer: Download<'_>, part: &Path) -> Result<u64, Failure> {
    let failed = |error: io::Error| unwritable(part, &error);
    // Left by a run that was killed; never written through what others may have put there.
    match std::fs::remove_file(part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(part).map_err(failed)?;
    let length = answer.length.unwrap_or_default();
    let progress = Progress::bytes("backup", usize::try_from(length).unwrap_or(usize::MAX));
    let mut bytes = 0;
    while let Some(piece) = answer.next().await? {
        file.write_all(&piece).map_err(failed)?;
        bytes += piece.len() as u64;
        progress.advance(piece.len());
    }
    file.sync_all().map_err(failed)?;
    progress.clear();
    Ok(bytes)
}

/// Sees that it is a backup of the platform that made the earlier ones, and gives it
/// its name.
fn finish(part: &Path, file: &Path, earlier: &Earlier) -> Result<Manifest, Failure> {
    let manifest = Manifest::of(part).map_err(|error| match error {
        // The platform's own words.
        Error::Refused { reason: Refusal::BrokeOff(reason), .. } => {
            Failure::new(format!("the platform could not make the backup: {reason}"))
        }
        error => Failure::new(error.to_string()),
    })?;
    if earlier.public_key.as_ref().is_some_and(|key| *key != manifest.public_key) {
        return Err(Failure::new("the platform is another one than that of the earlier backup")
            .next("make a whole one: without --since"));
    }
    let failed = |error: io::Error| unwritable(file, &error);
    std::fs::rename(part, file).map_err(failed)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    Ok(manifest)
}
