//! The command line: `lamina COMMAND`.
//!
//! `serve` and `quickstart` run a platform; `keys`, `sign`, `unsign` and `verify`
//! work on files alone; everything else is a client of a platform's REST API.
//! Standard output is a command's answer, standard error is for people.

pub(crate) mod client;
pub(crate) mod commands;
pub(crate) mod environment;
pub(crate) mod failure;
pub(crate) mod files;
pub(crate) mod keyfile;
pub(crate) mod limits;
pub(crate) mod logging;
pub(crate) mod output;
pub(crate) mod progress;
pub(crate) mod secret_keys;
pub(crate) mod signals;
pub(crate) mod since;
pub(crate) mod target;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use serde_json::json;
use tokio::runtime::{Builder, Runtime};

use crate::quickstart;
use commands::{
    audit, backup, delete, deploy, fsck, invoke, keys, list, logs, restore, runtime, secrets, serve, sign, stats,
    status, top, trust, unsign, url, usage, verify,
};
use environment::Environment;
use failure::{Done, Failure};
use output::{Format, Output};

const AFTER_HELP: &str = "\
Environment:
  LAMINA_DATA       data directory, as --data (serve, and every command that calls a platform)
  LAMINA_ENDPOINT   URL of a platform, as --endpoint
  LAMINA_OUTPUT     text, json or (usage) csv, as --output
  LAMINA_KEY        signing key file, as --key of sign and deploy
  LAMINA_RUNTIMES   folder of built runtimes, as --runtimes of runtime build and install
  LAMINA_LISTEN, LAMINA_ADMIN_LISTEN, LAMINA_ACCOUNT, LAMINA_REGION, LAMINA_SIGNING, LAMINA_STRICT_RUNTIMES
  LAMINA_LISTEN, LAMINA_ACCOUNT, LAMINA_REGION, LAMINA_SIGNING, LAMINA_*_MAX, LAMINA_*_MIN, LAMINA_*_MS
                    as the options of serve
  LAMINA_TLS_CERT, LAMINA_TLS_KEY, LAMINA_URL_HOST, LAMINA_PROXY_PROTOCOL
                    as the options of serve
  LAMINA_CA_CERT    authorities of a platform's certificate, as --ca-cert of every command that calls one
  LAMINA_SECRETS_KEY, LAMINA_SECRETS_KEY_FILE, LAMINA_SECRETS_KEY_COMMAND
                    keys that seal secrets at rest, as the options of serve; the first holds them itself
  LAMINA_LOG        which of its own log lines serve writes, such as debug or warn,lamina=info
  OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_CERTIFICATE, OTEL_EXPORTER_OTLP_HEADERS,
  OTEL_EXPORTER_OTLP_COMPRESSION, OTEL_EXPORTER_OTLP_TIMEOUT, OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER_ARG,
  OTEL_METRIC_EXPORT_INTERVAL, OTEL_SDK_DISABLED
                    where serve sends traces and metrics (OTLP over HTTP, protobuf), as OpenTelemetry has them
  AWS_ENDPOINT_URL_LAMBDA, AWS_ENDPOINT_URL, AWS_REGION, AWS_DEFAULT_REGION, AWS_PROFILE,
  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_CONFIG_FILE,
  AWS_SHARED_CREDENTIALS_FILE, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS
                    as the AWS tools read them
  NO_COLOR          no colour on a terminal either

Exit codes: 0 done, 1 not done (a file that cannot be read, a platform that refuses, a function that
failed), 2 a command line that makes no sense. `verify` alone ends with 2, too, when a file or a key
cannot be read, and keeps 1 for what is not verified. With --output json a failure is an object
{\"Error\": {\"Type\", \"Message\", \"Next\"}} on standard output, with the members that there are.";

/// AWS Lambda's functions, API and habits, on signed WebAssembly components.
#[derive(Debug, Parser)]
#[command(name = "lamina", version, after_help = AFTER_HELP, arg_required_else_help = true)]
struct Cli {
    /// Form of the answer on standard output
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t = Format::Text,
        env = "LAMINA_OUTPUT",
        hide_env_values = true
    )]
    output: Format,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::ServeArgs),
    Quickstart(quickstart::QuickstartArgs),
    Keys(keys::KeysArgs),
    Sign(sign::SignArgs),
    Unsign(unsign::UnsignArgs),
    Verify(verify::VerifyArgs),
    Trust(trust::TrustArgs),
    Runtime(runtime::RuntimeArgs),
    Deploy(deploy::DeployArgs),
    Invoke(invoke::InvokeArgs),
    Logs(logs::LogsArgs),
    List(list::ListArgs),
    Delete(delete::DeleteArgs),
    Url(url::UrlArgs),
    Status(status::StatusArgs),
    Audit(audit::AuditArgs),
    Secrets(secrets::SecretsArgs),
    Backup(backup::BackupArgs),
    Restore(restore::RestoreArgs),
    Fsck(fsck::FsckArgs),
    Stats(stats::StatsArgs),
    Usage(usage::UsageArgs),
    Top(top::TopArgs),
}

/// What every command is given.
#[derive(Debug)]
pub(crate) struct Ctx {
    pub(crate) output: Output,
    pub(crate) environment: Environment,
}

/// Reads the command line, does what it says, and answers the exit code.
pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let ctx = Ctx { output: Output::new(cli.output), environment: Environment::Process };
    if cli.output == Format::Csv && !matches!(cli.command, Command::Usage(_)) {
        let failure = Failure::usage("only `lamina usage` prints CSV").next("say --output json, or text");
        return failure.report(ctx.output);
    }
    run(cli.command, &ctx).unwrap_or_else(|failure| failure.report(ctx.output))
}

/// Help, or what is wrong with the command line.
fn usage(error: &clap::Error) -> ExitCode {
    let asked = std::env::args_os().collect::<Vec<OsString>>();
    let output = Output::new(format_of(&asked, &Environment::Process));
    if error.use_stderr() && output.is_json() {
        // The first paragraph says it; the rest is how to use the command.
        let text = error.to_string();
        let message = text.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ").trim_end();
        let told = json!({ "Error": { "Message": message, "Next": "see what there is: lamina --help" } });
        // With standard output gone standard error still tells.
        let _ = output.json(&told);
    }
    // Help is an answer, too. With nowhere to print there is nothing left to do.
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// The form that a command line asks for which cannot be read otherwise.
fn format_of(line: &[OsString], environment: &Environment) -> Format {
    let words = || line.iter().filter_map(|word| word.to_str());
    let apart = words().zip(words().skip(1)).filter_map(|(name, value)| (name == "--output").then_some(value));
    let joined = words().filter_map(|word| word.strip_prefix("--output="));
    let asked = apart.chain(joined).next().map(str::to_owned).or_else(|| environment.get("LAMINA_OUTPUT"));
    if asked.as_deref() == Some("json") { Format::Json } else { Format::Text }
}

fn run(command: Command, ctx: &Ctx) -> Done {
    match command {
        Command::Serve(args) => args.run(ctx),
        Command::Quickstart(args) => args.run(ctx),
        Command::Keys(args) => args.run(ctx),
        Command::Sign(args) => args.run(ctx),
        Command::Unsign(args) => args.run(ctx),
        Command::Verify(args) => args.run(ctx),
        Command::Trust(args) => client_runtime()?.block_on(args.run(ctx)),
        Command::Runtime(args) => client_runtime()?.block_on(args.run(ctx)),
        Command::Deploy(args) => client_runtime()?.block_on(args.run(ctx)),
        Command::Invoke(args) => client_runtime()?.block_on(args.run(ctx)),
        Command::Logs(args) => client_runtime()?.block_on(args.run(ctx)),
        Command::List(args) => client_runtime()?.block_on(args.run(ctx)),
        Command::Delete(args) => client_runtime()?.block_on(args.run(ctx)),
        Command::Url(args) => client_runtime()?.block_on(args.run(ctx)),
        Command::Status(args) => client_runtime()?.block_on(args.run(ctx)),
        Command::Audit(args) => client_runtime()?.block_on(args.run(ctx)),
        Command::Secrets(args) => client_runtime()?.block_on(args.run(ctx)),
        Command::Backup(args) => client_runtime()?.block_on(args.run(ctx)),
        Command::Restore(args) => args.run(ctx),
        Command::Fsck(args) => args.run(ctx),
        Command::Stats(args) => client_runtime()?.block_on(args.run(ctx)),
        Command::Top(args) => client_runtime()?.block_on(args.run(ctx)),
        Command::Usage(args) => client_runtime()?.block_on(args.run(ctx)),
    }
}

/// One thread is enough to call a platform.
fn client_runtime() -> Result<Runtime, Failure> {
    Builder::new_current_thread().enable_all().build().map_err(|error| Failure::io("starting", &error))
}

/// The runtime of a platform: a worker for each core.
pub(crate) fn platform_runtime() -> Result<Runtime, Failure> {
    Builder::new_multi_thread().enable_all().build().map_err(|error| Failure::io("starting", &error))
}

#[cfg(test)]
mod tests;
