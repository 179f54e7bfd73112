//! `lamina serve`: run the platform.

use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use lamina_api::{Network, STREAM_BYTES_PER_S_MIN};
use lamina_deploy::Signing;
use lamina_types::{AccountId, Region};
use serde_json::json;
use tokio::sync::oneshot;

use crate::cli::failure::{Done, Failure};
use crate::cli::limits::LimitArgs;
use crate::cli::output::{Output, style};
use crate::cli::secret_keys::SecretKeysArgs;
use crate::cli::signals::Signals;
use crate::cli::target::DATA_DEFAULT;
use crate::cli::{Ctx, logging, platform_runtime};
use crate::{platform, serve};

/// Run the platform
///
/// SIGTERM and SIGINT let running calls end; a second one quits at once.
#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    /// Directory with everything the platform keeps; made if it is not there
    #[arg(long, value_name = "DIR", default_value = DATA_DEFAULT, env = "LAMINA_DATA", hide_env_values = true)]
    data: PathBuf,
    /// Address to listen on; port 0 takes a free one. The URL goes to DIR/endpoint
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4700", env = "LAMINA_LISTEN", hide_env_values = true)]
    listen: SocketAddr,
    /// Address of a second listener for /metrics (Prometheus), /health and /ready, which
    /// asks for no signature; `off` for none. The URL goes to DIR/admin
    #[arg(
        long,
        value_name = "ADDR",
        default_value = "127.0.0.1:0",
        env = "LAMINA_ADMIN_LISTEN",
        hide_env_values = true
    )]
    admin_listen: AdminListen,
    /// Account in ARNs
    #[arg(long, value_name = "ID", default_value = "000000000000", env = "LAMINA_ACCOUNT", hide_env_values = true)]
    account: AccountId,
    /// Region in ARNs and signatures
    #[arg(long, default_value = "us-east-1", env = "LAMINA_REGION", hide_env_values = true)]
    region: Region,
    /// What is done with code that no trusted key has signed
    #[arg(long, value_enum, default_value = "enforce", env = "LAMINA_SIGNING", hide_env_values = true)]
    signing: SigningMode,
    /// Refuse functions whose Runtime is one of Lambda's that there is none of here
    /// (java, dotnet, ruby), instead of when they are called
    #[arg(long, env = "LAMINA_STRICT_RUNTIMES", hide_env_values = true)]
    strict_runtimes: bool,
    /// Fuel that a call may burn: so much for each GB of MemorySize and second of
    /// Timeout; about one unit a wasm instruction
    #[arg(long, value_name = "N", default_value_t = serve::FUEL_PER_GB_SECOND, env = "LAMINA_FUEL_PER_GB_SECOND", hide_env_values = true, value_parser = clap::value_parser!(u64).range(1..))]
    fuel_per_gb_second: u64,
    /// Bytes a second that a streamed answer is sent with after its first 6 MiB:
    /// Lambda's are 2097152 [default: as they come]
    #[arg(long, value_name = "N", env = "LAMINA_STREAM_BYTES_PER_S", hide_env_values = true, value_parser = clap::value_parser!(u64).range(STREAM_BYTES_PER_S_MIN..))]
    stream_bytes_per_s: Option<u64>,
    #[command(flatten)]
    secrets: SecretKeysArgs,
    #[command(flatten)]
    reached: ReachedArgs,
    #[command(flatten)]
    limits: LimitArgs,
}

/// How clients reach it.
#[derive(Debug, clap::Args)]
struct ReachedArgs {
    /// PEM file with the certificate for TLS, and after it its chain; read again
    /// when it changes. Function URLs need the name *.lambda-url.REGION.HOST in it
    #[arg(long, value_name = "PEM", requires = "tls_key", env = "LAMINA_TLS_CERT", hide_env_values = true)]
    tls_cert: Option<PathBuf>,
    /// PEM file with the certificate's key
    #[arg(long, value_name = "PEM", requires = "tls_cert", env = "LAMINA_TLS_KEY", hide_env_values = true)]
    tls_key: Option<PathBuf>,
    /// HOST in function URLs, http(s)://URL-ID.lambda-url.REGION.HOST
    #[arg(long, value_name = "HOST", default_value = serve::URL_HOST, env = "LAMINA_URL_HOST", hide_env_values = true, value_parser = host_name)]
    url_host: String,
    /// Networks of proxies whose connections begin with a PROXY header (version 1 or
    /// 2), which says where they come from; without it they are closed
    #[arg(long, value_name = "CIDR", value_delimiter = ',', env = "LAMINA_PROXY_PROTOCOL", hide_env_values = true)]
    proxy_protocol: Vec<Network>,
}

impl ReachedArgs {
    fn files(&self) -> Option<serve::TlsFiles> {
        let (cert, key) = self.tls_cert.clone().zip(self.tls_key.clone())?;
        Some(serve::TlsFiles { cert, key })
    }
}

/// A host name, as DNS has it.
fn host_name(text: &str) -> Result<String, String> {
    let is_label =
        |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if text.len() <= 180 && text.split('.').all(is_label) {
        return Ok(text.to_ascii_lowercase());
    }
    Err("a host name has labels of letters, digits and hyphens, parted by dots".to_owned())
}

/// Where the second listener is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct AdminListen(Option<SocketAddr>);

impl std::str::FromStr for AdminListen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self(None)),
            text => text
                .parse()
                .map(|address| Self(Some(address)))
                .map_err(|_| format!("`{text}` is no address: give one like 127.0.0.1:9100, or off")),
        }
    }
}

/// What is done with code that no trusted key has signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SigningMode {
    /// It is refused
    Enforce,
    /// It runs, and a line in the log says so
    Warn,
    /// Signatures are not looked at
    Off,
}

impl From<SigningMode> for Signing {
    fn from(mode: SigningMode) -> Self {
        match mode {
            SigningMode::Enforce => Self::Enforce,
            SigningMode::Warn => Self::Warn,
            SigningMode::Off => Self::Off,
        }
    }
}

/// How a run of the platform ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Everything that ran could end.
    Drained,
    /// Something was cut off after the grace period.
    Cut,
    /// A second signal came.
    Quit,
}

impl ServeArgs {
    /// Does it, until a signal comes.
    pub(crate) fn run(self, ctx: &Ctx) -> Done {
        logging::start(&ctx.environment, logging::SERVING)?;
        warn_of(self.signing, ctx.output);
        let runtime = platform_runtime()?;
        let end = runtime.block_on(self.serve(ctx));
        // What was cut off may still hold a thread; the process does not wait for it.
        runtime.shutdown_background();
        match end? {
            End::Drained => Ok(ExitCode::SUCCESS),
            End::Cut => Err(Failure::new("the platform stopped before everything that ran had ended")),
            End::Quit => Err(Failure::new("the platform quit at the second signal, before everything had ended")),
        }
    }

    async fn serve(self, ctx: &Ctx) -> Result<End, Failure> {
        let output = ctx.output;
        let mut signals = Signals::catch()?;
        let data = self.data.clone();
        let secrets = self.secrets.read(ctx)?;
        let otlp = lamina_otlp::Config::of(|name| ctx.environment.get(name), |path| std::fs::read(path));
        let otlp = otlp.map_err(|refused| Failure::usage(refused.to_string()))?;
        let config = serve::Config {
            data: self.data,
            listen: self.listen,
            admin_listen: self.admin_listen.0,
            account: self.account,
            region: self.region,
            signing: self.signing.into(),
            strict_runtimes: self.strict_runtimes,
            fuel_per_gb_second: self.fuel_per_gb_second,
            stream_bytes_per_s: self.stream_bytes_per_s.and_then(NonZeroU64::new),
            secrets,
            calls: self.limits.calls(),
            instances_max: self.limits.instances_max(),
            bundles_bytes_max: self.limits.bundles_bytes_max(),
            limits: self.limits.limits(),
            body_bytes_max: self.limits.body_bytes_max(),
            tls: self.reached.files(),
            url_host: self.reached.url_host,
            proxies: self.reached.proxy_protocol,
            otlp,
        };
        let serving = tokio::select! {
            started = serve::start(config) => started.map_err(|error| not_started(&error, &data))?,
            () = signals.next() => return Ok(End::Quit),
        };
        if let Err(failure) = say_where(&serving, &data, output)
            && !failure.is_silent()
        {
            return Err(failure);
        }
        let (stop, stopped) = oneshot::channel::<()>();
        let told = async {
            signals.next().await;
            output.note("draining: running calls may end; signal again to quit at once");
            drop(stop);
            signals.next().await;
        };
        // Told by the sender's end, not by a value.
        let run = serving.run(async { drop(stopped.await) });
        tokio::select! {
            drained = run => Ok(if drained { End::Drained } else { End::Cut }),
            () = told => Ok(End::Quit),
        }
    }
}

/// Why the platform did not start, and what to do.
pub(crate) fn not_started(error: &serve::Error, data: &Path) -> Failure {
    let failure = Failure::new(error.to_string());
    let within = |failure: Failure| failure.while_doing(format_args!("data directory {}", data.display()));
    match error {
        serve::Error::Listen { .. } => {
            failure.next("choose another address: --listen 127.0.0.1:0 takes a free port, and so does --admin-listen")
        }
        serve::Error::Platform(platform::Error::Records(lamina_kv::Error::InUse(_))) => {
            failure.next("stop the other platform, or give this one a directory of its own: --data DIR")
        }
        serve::Error::Tls(serve::TlsError::File { .. }) => failure.next("check --tls-cert and --tls-key"),
        serve::Error::Tls(_) => failure.next(
            "give PEM files: --tls-cert with the certificate and its chain, --tls-key with the key it was made for",
        ),
        serve::Error::Platform(platform::Error::Runtime(_) | platform::Error::Task(_)) => failure,
        // They name the file, and what to do.
        serve::Error::Platform(platform::Error::HostKey(_) | platform::Error::Secrets(_)) => failure,
        serve::Error::Platform(platform::Error::Records(lamina_kv::Error::Newer { .. })) => within(failure)
            .next("run the version of lamina that made it, or a later one, or give another directory: --data DIR"),
        serve::Error::Platform(platform::Error::Records(lamina_kv::Error::Format(_))) => within(failure)
            .next("if it is a data directory, restore its file `format`; if not, give another one: --data DIR"),
        serve::Error::Platform(platform::Error::Records(lamina_kv::Error::Damaged { .. })) => {
            within(failure).next("see what can be mended: lamina fsck --data DIR; or restore a backup: lamina restore")
        }
        serve::Error::Platform(_) | serve::Error::Endpoint { .. } => {
            let step = about_directory(failure.text());
            within(failure).next(step)
        }
    }
}

/// What to do about a directory, by what the operating system said; the errors
/// under the platform's own keep its words only.
fn about_directory(text: &str) -> &'static str {
    let says = |words: &str| text.contains(words);
    if says("Permission denied") || says("Operation not permitted") {
        "the directory belongs to another user: run this as that user, or give one of your own: --data DIR"
    } else if says("File exists") || says("Not a directory") {
        "there is a file in its place: give a directory: --data DIR"
    } else if says("Read-only file system") {
        "give a directory where you may write: --data DIR"
    } else if says("No space left") || says("quota exceeded") {
        "make room on its disk"
    } else {
        "see whether its disk is well, restore it from a backup, or give another directory: --data DIR"
    }
}

fn warn_of(signing: SigningMode, output: Output) {
    match signing {
        SigningMode::Enforce => {}
        SigningMode::Warn => output.warning("code that nobody trusted has signed WILL RUN (--signing warn)"),
        SigningMode::Off => output.warning("signatures are NOT CHECKED, anybody's code will run (--signing off)"),
    }
}

fn say_where(serving: &serve::Serving, data: &Path, output: Output) -> Result<(), Failure> {
    let endpoint = serving.endpoint();
    let credentials = data.join("credentials.json");
    if output.is_json() {
        let admin = serving.admin();
        return output.json(&json!({ "Endpoint": endpoint, "Admin": admin, "Data": data, "Credentials": credentials }));
    }
    let (strong, plain) = (style::STRONG, style::PLAIN);
    output.line(format_args!("listening on {strong}{endpoint}{plain}, credentials in {}", credentials.display()))?;
    if let Some(admin) = serving.admin() {
        output.note(format_args!("metrics, health and readiness: {admin}/metrics, /health, /ready"));
    }
    output.note(format_args!("try: lamina status --data {}", data.display()));
    Ok(())
}
