//! A fresh instance to its answer in this process, one call after the other: the runtime
//! alone, without a platform and HTTP around it. What the tiers take on a platform, whose
//! caches are cold after each request, is in `tiers.rs`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use bytes::Bytes;
use harness::others;
use lamina_artifacts::{Artifacts, PackageFile};
use lamina_disk::{Folder, System};
use lamina_kit::{Clock, Ids as _, RandomIds, SystemClock};
use lamina_runtime::{Call, CodeCheck, Config, Deps, PackageError, Packages, Refused, Runtime};
use lamina_telemetry::{Logs, LogsConfig, Opening};
use lamina_types::settings::Settings;
use lamina_types::{
    Digest, FunctionRef, Invocation, LogFormat, Managed, MemoryMib, RequestId, ResolvedFunction, Timestamp, Usage,
    Version,
};
use serde_json::Value;
use tempfile::TempDir;

use super::sources::{self, Source};
use super::tiers::OTHERS;
use super::{figure, ms};
use crate::Options;
use crate::report::Figure;

/// How long each function is called.
const TIME: Duration = Duration::from_millis(400);
/// Time for bundles to be made.
const BUNDLE_MAX: Duration = Duration::from_secs(60);

/// All components and packages here are the benchmark's own.
struct Own;

impl CodeCheck for Own {
    fn check(&self, _digest: &Digest, _component: &[u8]) -> Result<(), Refused> {
        Ok(())
    }
}

#[async_trait::async_trait]
impl Packages for Own {
    async fn ready(&self, _package: &Digest) -> Result<(), PackageError> {
        Ok(())
    }
}

/// A runtime, and where it keeps what it needs.
struct Host {
    runtime: Runtime,
    artifacts: Artifacts,
    logs: Logs,
    clock: Arc<dyn Clock>,
    _folders: [TempDir; 2],
}

/// A package and what it is called with.
struct Package {
    name: String,
    language: &'static str,
    handler: &'static str,
    files: Vec<(String, Vec<u8>)>,
    event: String,
}

/// Rust, then each language in each tier: a small handler, and what others wrote.
pub(super) fn run(options: &Options, figures: &mut Vec<Figure>) -> anyhow::Result<()> {
    let mut packages = vec![Package::of(&sources::JAVASCRIPT), Package::of(&sources::PYTHON)];
    let list = others::list();
    for (name, event) in OTHERS {
        let entry = list.iter().find(|entry| entry["name"] == name).context("the list has lost an entry")?;
        packages.push(Package::of_others(entry, event)?);
    }
    let mut logger = packages.last().context("a package")?.with(&sources::PYTHON_LOGGER);
    logger.name.push_str("_logger");
    packages.push(logger);
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    threads.block_on(async {
        let host = Host::new(Config::default())?;
        let sources_only = Host::new(Config { bundles_bytes_max: 0, ..Config::default() })?;
        let time = TIME.min(options.round);
        let rust = host.function(test_guests::component("guest-hello")).await?;
        host.calls("rust", &rust, "{}", time, figures).await?;
        for package in &packages {
            let Package { name, event, .. } = package;
            let function = sources_only.managed(package).await?;
            sources_only.calls(&format!("{name}_sources"), &function, event, time, figures).await?;
            let function = host.managed(package).await?;
            host.runtime.prepare_function(&function).await?;
            if !host.runtime.settled(BUNDLE_MAX).await {
                bail!("{name} has no bundle after {} s", BUNDLE_MAX.as_secs());
            }
            host.calls(&format!("{name}_bundle"), &function, event, time, figures).await?;
            let function = function.with_snapshot();
            host.runtime.snapshot(&Arc::new(function.clone())).await?;
            host.calls(&format!("{name}_snapstart"), &function, event, time, figures).await?;
        }
        Ok(())
    })
}

impl Package {
    fn of(source: &Source) -> Self {
        let is_python = source.file.ends_with(".py");
        Self {
            name: source.name.to_owned(),
            language: if is_python { "python" } else { "javascript" },
            handler: if is_python { "lambda_function.lambda_handler" } else { "index.handler" },
            files: vec![(source.file.to_owned(), source.text.into())],
            event: "{}".to_owned(),
        }
    }

    fn of_others(entry: &Value, event: &str) -> anyhow::Result<Self> {
        let folder = others::folder(entry);
        let mut files = Vec::new();
        read(&folder, "", &mut files)?;
        let is_python = entry["language"] == "python";
        let language = if is_python { "python" } else { "javascript" };
        Ok(Self {
            name: format!("{language}_{}", entry["name"].as_str().unwrap_or_default().replace('-', "_")),
            language,
            handler: if is_python { "app.lambda_handler" } else { "index.handler" },
            files,
            event: event.to_owned(),
        })
    }

    /// The same with this file in place of its own of that name.
    fn with(&self, source: &Source) -> Self {
        let mut files: Vec<_> = self.files.iter().filter(|(name, _)| name != source.file).cloned().collect();
        files.push((source.file.to_owned(), source.text.into()));
        Self { name: self.name.clone(), event: self.event.clone(), files, ..*self }
    }
}

/// All files of a folder, by their paths in it.
fn read(folder: &Path, within: &str, files: &mut Vec<(String, Vec<u8>)>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{within}{}", entry.file_name().display());
        match fs::metadata(entry.path())?.is_dir() {
            true => read(&entry.path(), &format!("{name}/"), files)?,
            false => files.push((name, fs::read(entry.path())?)),
        }
    }
    Ok(())
}

impl Host {
    fn new(config: Config) -> anyhow::Result<Self> {
        let (folder, tmp) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let files = Folder::open(folder.path(), Arc::new(System))?;
        let artifacts = Artifacts::open(files, Arc::new(RandomIds), clock.clone())?;
        let deps = Deps {
            host_key: [7; 32],
            artifacts: artifacts.clone(),
            check: Arc::new(Own),
            packages: Arc::new(Own),
            tmp: cap_std::fs::Dir::open_ambient_dir(tmp.path(), cap_std::ambient_authority())?,
            clock: clock.clone(),
            ids: Arc::new(RandomIds),
        };
        let runtime = Runtime::new(config, deps)?;
        Ok(Self { runtime, artifacts, logs: Logs::new(LogsConfig::default()), clock, _folders: [folder, tmp] })
    }

    async fn function(&self, component: Vec<u8>) -> anyhow::Result<ResolvedFunction> {
        Ok(ResolvedFunction {
            name: "timed".parse().map_err(|error| anyhow!("{error}"))?,
            version: Version::Number(1),
            world: lamina_runtime::inspect(&component)?,
            component: self.artifacts.put(Bytes::from(component)).await?,
            managed: None,
            memory: MemoryMib(512),
            timeout: Duration::from_secs(60),
            environment: Arc::new(BTreeMap::new()),
            log_group: "/aws/lambda/timed".into(),
            log_format: LogFormat::Text,
            settings: Settings::default(),
            region: "us-east-1".parse().map_err(|error| anyhow!("{error}"))?,
            account: "123456789012".parse().map_err(|error| anyhow!("{error}"))?,
            handler: "bootstrap".into(),
            runtime: "provided.al2023".into(),
            snapshot: None,
        })
    }
    /// A function of a built runtime that runs this package.
    async fn managed(&self, package: &Package) -> anyhow::Result<ResolvedFunction> {
        let runtimes = harness::managed::built(&crate::process::lamina());
        let component = fs::read(runtimes.join(format!("{}.wasm", package.language)))?;
        let digest = Digest::of(package.name.as_bytes());
        let files = || package.files.iter().cloned().map(|(name, content)| Ok(PackageFile { name, content }));
        self.artifacts.unpack(&digest, files)?;
        let runtime = if package.language == "python" { "python3.13" } else { "nodejs22.x" };
        let execution_env = format!("AWS_Lambda_{runtime}").into();
        let managed = Managed { package: lamina_types::Package { digest, is_zip: true }, execution_env };
        let function = self.function(component).await?;
        Ok(ResolvedFunction {
            managed: Some(managed),
            handler: package.handler.into(),
            runtime: runtime.into(),
            ..function
        })
    }

    /// Calls it again and again, and keeps what each took with its instance.
    async fn calls(
        &self,
        name: &str,
        function: &ResolvedFunction,
        event: &str,
        time: Duration,
        figures: &mut Vec<Figure>,
    ) -> anyhow::Result<()> {
        let (mut whole, mut restores, mut hooks) = (Vec::new(), Vec::new(), Vec::new());
        let function = Arc::new(function.clone());
        // The first loads the code.
        self.call(&function, event).await?;
        let began = Instant::now();
        while began.elapsed() < time {
            let usage = self.call(&function, event).await?;
            let restore = usage.restore;
            whole.push(ms(usage.duration + restore.map_or(Duration::ZERO, |restore| restore.duration)));
            if let Some(restore) = restore {
                restores.push(ms(restore.duration));
                hooks.push(ms(restore.hooks));
            }
        }
        figures.push(figure(format!("{name}_in_process_ms"), "ms", whole));
        if !restores.is_empty() {
            figures.push(figure(format!("{name}_in_process_restore_ms"), "ms", restores));
            figures.push(figure(format!("{name}_in_process_hooks_ms"), "ms", hooks));
        }
        Ok(())
    }

    async fn call(&self, function: &Arc<ResolvedFunction>, event: &str) -> anyhow::Result<Usage> {
        let code = self.runtime.code(function).await?;
        let request_id = RequestId::from_random(RandomIds.random16());
        let opening = Opening {
            group: &function.log_group,
            stream: code.log_stream(function.version),
            request_id: &request_id,
            version: function.version,
            tail: false,
            observer: None,
            format: function.log_format,
        };
        let log = self.logs.start(opening, self.clock.clone());
        let invocation = Invocation {
            request_id,
            function: FunctionRef { name: function.name.clone(), qualifier: None },
            payload: event.as_bytes().to_vec(),
            trace_id: "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0".to_owned(),
            span: None,
            client_context: None,
            accepted: Timestamp(self.clock.epoch_micros()),
            tail: false,
        };
        let call = Call { code, function: function.clone(), invocation, log, traffic: None, timings: None };
        let outcome = match function.managed {
            Some(_) => self.runtime.managed(call)?.0.await?,
            None => self.runtime.buffered(call)?.await?,
        };
        if let Err(error) = outcome.result {
            bail!("{} failed: {}: {}", function.handler, error.error_type, error.message);
        }
        Ok(outcome.usage)
    }
}
