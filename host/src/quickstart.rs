//! `lamina quickstart`: the whole platform at work, from source to a streamed
//! answer.
//!
//! Nothing in it is a shortcut: it runs the same functions as the commands do,
//! and they go through the API of a platform that serves in this process.

pub(crate) mod build;
mod farewell;
mod languages;
mod narrator;
mod prepare;
mod refusals;
mod story;
mod streaming;
mod workplace;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lamina_kit::Tasks;
use lamina_types::{AccountId, NameError, Region};
use tokio::sync::oneshot;

use crate::cli::client::Client;
use crate::cli::commands::runtime::PlaceArgs;
use crate::cli::commands::serve::not_started;
use crate::cli::failure::{Done, Failure};
use crate::cli::signals::Signals;
use crate::cli::target::Target;
use crate::cli::{Ctx, logging, platform_runtime};
use crate::serve;
use languages::LeftOut;
use narrator::Narrator;
use prepare::Material;
use workplace::Workplace;

/// See it work: build functions in three languages, sign, serve, deploy, call, stream
///
/// Stays up with the functions' URLs until interrupted, unless --once is given.
/// Exit code 0 only if every step worked. A language whose interpreter cannot be built
/// here is left out, and named with the reason.
#[derive(Debug, clap::Args)]
pub(crate) struct QuickstartArgs {
    /// End when all is done
    #[arg(long)]
    once: bool,
    /// Directory for the platform's data; must be empty or not there [default: a
    /// temporary one, removed at the end]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    #[command(flatten)]
    runtimes: PlaceArgs,
}

impl QuickstartArgs {
    /// Does it.
    pub(crate) fn run(self, ctx: &Ctx) -> Done {
        logging::start(&ctx.environment, logging::QUIET)?;
        let runtime = platform_runtime()?;
        let mut narrator = Narrator::new(ctx.output);
        let done = runtime.block_on(self.perform(ctx, &mut narrator));
        runtime.shutdown_background();
        done.map(|()| ExitCode::SUCCESS).map_err(|failure| {
            narrator.failed(&failure);
            failure.told()
        })
    }

    async fn perform(&self, ctx: &Ctx, narrator: &mut Narrator) -> Result<(), Failure> {
        let mut signals = Signals::catch()?;
        let place = Workplace::make(self.data.as_deref())?;
        let store = self.runtimes.store(&ctx.environment)?;
        let material = tokio::select! {
            material = prepare::prepare(ctx, narrator, (&place, store)) => material,
            () = signals.next() => Err(interrupted()),
        };
        let done = match material {
            Ok(material) => {
                let show = Show { once: self.once, narrator, signals: &mut signals, place: &place, material };
                show.serve(self.listen).await
            }
            Err(failure) => Err(failure),
        };
        if let Err(failure) = place.close(done.is_ok()) {
            ctx.output.warning(failure.text());
        }
        match done? {
            left_out if left_out.is_empty() => Ok(()),
            left_out => Err(languages::incomplete(&left_out)),
        }
    }
}

/// Everything that needs the platform.
struct Show<'a> {
    once: bool,
    narrator: &'a mut Narrator,
    signals: &'a mut Signals,
    place: &'a Workplace,
    material: Material,
}

impl Show<'_> {
    /// Runs the platform, from its start to its end.
    async fn serve(mut self, listen: SocketAddr) -> Result<LeftOut, Failure> {
        self.narrator.begin("start the platform on an empty data directory, signatures enforced")?;
        let config = config(&self.place.data, listen)?;
        let serving = serve::start(config).await.map_err(|error| not_started(&error, &self.place.data))?;
        self.narrator.detail(format_args!("{} on {}", serving.endpoint(), self.place.data.display()))?;
        self.narrator.done()?;
        let client = Client::new(Target::of_data(&self.place.data)?)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let (end, ended) = oneshot::channel();
        let tasks = Tasks::new();
        tasks.spawn(async move {
            let drained = serving.run(async { drop(stopped.await) }).await;
            // Whoever asked has quit.
            let _ = end.send(drained);
        });
        let told = self.tell(&client).await;
        // However it ended, what runs may end, too.
        drop(stop);
        let drained = tokio::select! {
            drained = ended => drained.unwrap_or(false),
            () = self.signals.next() => false,
        };
        told?;
        if drained {
            Ok(languages::left_out(&self.material.spoken))
        } else {
            Err(Failure::new("the platform stopped before everything that ran had ended"))
        }
    }

    /// Tells the story, and stays up if it is to.
    async fn tell(&mut self, client: &Client) -> Result<(), Failure> {
        let functions = tokio::select! {
            functions = story::tell(self.narrator, client, &self.material) => functions?,
            () = self.signals.next() => return Err(interrupted()),
        };
        if languages::left_out(&self.material.spoken).is_empty() {
            self.narrator.finish(client, self.place, &functions)?;
        }
        if !self.once {
            farewell::say(self.narrator, client, self.place).await?;
            self.signals.next().await;
            self.narrator.aside("draining: running calls may end; signal again to quit at once")?;
        }
        Ok(())
    }
}

fn config(data: &Path, listen: SocketAddr) -> Result<serve::Config, Failure> {
    let bad = |error: NameError| Failure::new(error.to_string());
    Ok(serve::Config {
        data: data.to_owned(),
        listen,
        admin_listen: None,
        account: "000000000000".parse::<AccountId>().map_err(bad)?,
        region: "us-east-1".parse::<Region>().map_err(bad)?,
        signing: lamina_deploy::Signing::Enforce,
        strict_runtimes: false,
        fuel_per_gb_second: serve::FUEL_PER_GB_SECOND,
        calls: lamina_invoke::Config::DEFAULT,
        limits: lamina_api::Limits::DEFAULT,
        body_bytes_max: serve::BODY_BYTES_MAX,
        tls: None,
        url_host: serve::URL_HOST.to_owned(),
        proxies: Vec::new(),
        stream_bytes_per_s: None,
        secrets: crate::platform::SecretKeys::Beside,
        otlp: None,
        instances_max: serve::INSTANCES_MAX,
    })
}

fn interrupted() -> Failure {
    Failure::new("interrupted")
}
