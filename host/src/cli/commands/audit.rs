//! `lamina audit show|verify|export`: who changed what, through the API. The chain
//! and its head are checked here, not by the platform that wrote them.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Subcommand;
use lamina_audit::{Chain, Entry, Head};
use serde_json::{Value, json};

use crate::cli::Ctx;
use crate::cli::client::{Call, Client};
use crate::cli::failure::{Done, Failure};
use crate::cli::target::TargetArgs;

/// Entries asked for at a time.
const PAGE: usize = 1_000;

/// See who changed trust, policies and code, and that nobody changed the log
#[derive(Debug, clap::Args)]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Print the entries
    Show {
        /// Print what comes after this entry
        #[arg(long, value_name = "N", default_value_t = 0)]
        after: u64,
        #[command(flatten)]
        target: TargetArgs,
    },
    /// Check the whole chain, and print its signed head to keep elsewhere
    Verify {
        /// A head that was printed before: the log must still hold it
        #[arg(long, value_name = "HEAD")]
        expect: Option<String>,
        #[command(flatten)]
        target: TargetArgs,
    },
    /// Write the entries to a file, a line each, as they are chained
    Export {
        /// The file; it must not exist
        file: PathBuf,
        #[command(flatten)]
        target: TargetArgs,
    },
}

/// A page of the log, as the platform answers it.
struct Page {
    lines: Vec<String>,
    head: Option<Head>,
    public_key: [u8; 32],
}

impl AuditArgs {
    /// Does it.
    pub(crate) async fn run(self, ctx: &Ctx) -> Done {
        match self.command {
            AuditCommand::Show { after, target } => {
                let client = Client::find(&target, &ctx.environment).await?;
                show(&client, after, ctx).await?;
            }
            AuditCommand::Verify { expect, target } => {
                let expect = expect.as_deref().map(head).transpose()?;
                let client = Client::find(&target, &ctx.environment).await?;
                verify(&client, expect.as_ref(), ctx).await?;
            }
            AuditCommand::Export { file, target } => {
                let client = Client::find(&target, &ctx.environment).await?;
                export(&client, &file, ctx).await?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn page(client: &Client, after: u64) -> Result<Page, Failure> {
    let (after, limit) = (after.to_string(), PAGE.to_string());
    let call = Call::get(&["lamina", "v1", "audit"]).query("After", &after).query("Limit", &limit);
    let answer = client.call(call).await?.json()?;
    let unreadable = || Failure::new("the platform's answer is not an audit log");
    let entries = answer.get("Entries").and_then(Value::as_array).ok_or_else(unreadable)?;
    let lines = entries.iter().map(|line| line.as_str().map(str::to_owned).ok_or_else(unreadable));
    let key = answer.get("PublicKey").and_then(Value::as_str).and_then(|text| STANDARD.decode(text).ok());
    let head = answer.get("Head").and_then(Value::as_str).map(head).transpose()?;
    let public_key = key.and_then(|bytes| bytes.try_into().ok()).ok_or_else(unreadable)?;
    Ok(Page { lines: lines.collect::<Result<_, _>>()?, head, public_key })
}

fn head(text: &str) -> Result<Head, Failure> {
    text.parse().map_err(|error| {
        Failure::new(format!("not a head of an audit log: {error}")).next("give one that `lamina audit verify` printed")
    })
}

async fn show(client: &Client, after: u64, ctx: &Ctx) -> Result<(), Failure> {
    let mut after = after;
    let mut rows = Vec::new();
    loop {
        let page = page(client, after).await?;
        for line in &page.lines {
            let entry: Entry =
                serde_json::from_str(line).map_err(|error| Failure::new(format!("not an entry: {error}")))?;
            after = entry.n;
            if ctx.output.is_json() {
                ctx.output.json_line(&entry)?;
            } else {
                rows.push(row(&entry));
            }
        }
        if page.lines.is_empty() {
            break;
        }
    }
    if !ctx.output.is_json() {
        ctx.output.table(&["N", "TIME", "PRINCIPAL", "ACTION", "DETAIL"], &rows)?;
        if rows.is_empty() {
            ctx.output.note("nothing that an auditor asks for has happened yet");
        }
    }
    Ok(())
}

fn row(entry: &Entry) -> Vec<String> {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let detail: Vec<String> = entry.detail.iter().map(|(name, value)| format!("{name}={}", plain(value))).collect();
    let time = lamina_types::Timestamp::from_millis(entry.at).to_iso_millis();
    vec![entry.n.to_string(), time, entry.principal.clone(), entry.action.clone(), detail.join(" ")]
}

/// The whole chain, from the first entry on, against a head that was signed later
/// than every entry read.
async fn verify(client: &Client, expect: Option<&Head>, ctx: &Ctx) -> Result<(), Failure> {
    let changed = |why: String| {
        Failure::new(format!("the audit log was changed: {why}"))
            .next("keep the data directory as it is, and compare it with a backup: lamina fsck --data DIR")
    };
    let mut chain = Chain::new();
    let mut met = expect.is_none();
    loop {
        let page = page(client, chain.last().0).await?;
        for line in &page.lines {
            let (n, hash) = chain.next(line).map_err(|error| changed(error.to_string()))?;
            met |= expect.is_some_and(|expect| expect.n == n && expect.hash == hash);
        }
        if !page.lines.is_empty() {
            continue;
        }
        if let Some(expect) = expect {
            expect.verify(&page.public_key).map_err(|error| changed(format!("the head that was kept: {error}")))?;
        }
        if !met {
            return Err(changed("it does not hold the entry of the head that was kept".to_owned()));
        }
        let Some(head) = page.head else { return done(chain.last().0, None, ctx) };
        head.verify(&page.public_key).map_err(|error| changed(error.to_string()))?;
        let (n, hash) = chain.last();
        // Entries may have come since the page was cut.
        if head.n < n || head.n == n && head.hash != hash {
            return Err(changed("its head is not the end of its entries".to_owned()));
        }
        if head.n == n {
            return done(n, Some(&head), ctx);
        }
    }
}

fn done(entries: u64, head: Option<&Head>, ctx: &Ctx) -> Result<(), Failure> {
    let text = head.map(ToString::to_string);
    if ctx.output.is_json() {
        return ctx.output.json(&json!({ "Verified": true, "Entries": entries, "Head": text }));
    }
    ctx.output.line(format_args!("verified: {entries} entries, unchanged"))?;
    if let Some(text) = text {
        ctx.output.line(format_args!("{text}"))?;
        ctx.output.note("keep this head elsewhere: lamina audit verify --expect HEAD finds what was cut or rewritten");
    }
    Ok(())
}

async fn export(client: &Client, file: &PathBuf, ctx: &Ctx) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::new(format!("writing {}: {error}", file.display()));
    let mut out = std::io::BufWriter::new(std::fs::File::create_new(file).map_err(failed)?);
    let mut chain = Chain::new();
    loop {
        let page = page(client, chain.last().0).await?;
        for line in &page.lines {
            chain.next(line).map_err(|error| Failure::new(format!("the audit log was changed: {error}")))?;
            writeln!(out, "{line}").map_err(failed)?;
        }
        if page.lines.is_empty() {
            break;
        }
    }
    out.flush().map_err(failed)?;
    let entries = chain.last().0;
    if ctx.output.is_json() {
        return ctx.output.json(&json!({ "Entries": entries, "File": file }));
    }
    ctx.output.line(format_args!("{entries} entries in {}", file.display()))
}
