//! Which platform a command talks to: where it listens, in which region, and
//! with which credentials.
//!
//! The flags come first, then `LAMINA_*`, then AWS's own variables and profiles,
//! and last `./lamina-data`. A platform that was found by its data directory
//! brings its region and credentials along; any other is reached as the AWS
//! tools would.

mod credentials;
mod endpoint;
mod process;
mod profile;

use std::path::{Path, PathBuf};

use aws_credential_types::Credentials;

use super::environment::Environment;
use super::failure::Failure;
use profile::Profile;

pub(crate) use endpoint::Endpoint;

/// Where `lamina serve` keeps its data unless it is told.
pub(crate) const DATA_DEFAULT: &str = "lamina-data";
const REGION_DEFAULT: &str = "us-east-1";

/// Options of every command that talks to a platform.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Platform")]
pub(crate) struct TargetArgs {
    /// Data directory of a platform on this machine: its endpoint and credentials
    /// are there [env: LAMINA_DATA] [default: ./lamina-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// URL of any other platform; credentials come from the AWS environment or
    /// profile, unless --data is given too [env: LAMINA_ENDPOINT,
    /// AWS_ENDPOINT_URL_LAMBDA, AWS_ENDPOINT_URL]
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// Region to sign for [env: AWS_REGION, AWS_DEFAULT_REGION] [default: what
    /// the data directory or the profile says, or us-east-1]
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// AWS profile with endpoint_url, region and credentials [env: AWS_PROFILE]
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// PEM file with the authorities that may have signed the platform's certificate
    /// [env: LAMINA_CA_CERT] [default: the system's, or for a platform on this
    /// machine its own certificate]
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_cert: Option<PathBuf>,
}

/// A platform, found.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) endpoint: Endpoint,
    pub(crate) region: String,
    pub(crate) credentials: Credentials,
    /// The data directory, if it was found by one.
    pub(crate) data: Option<PathBuf>,
    pub(crate) trust: Trust,
}

/// By whom a platform's certificate must be signed, where it shows one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trust {
    /// The authorities that the system believes.
    System,
    /// Those of a PEM file.
    Authorities(PathBuf),
    /// By anybody, if it is the first one of this PEM file.
    Certificate(PathBuf),
}

/// Where the endpoint comes from.
enum Place {
    Url(String),
    Data(PathBuf),
}

impl Target {
    /// Finds the platform. Runs the profile's `credential_process` where the
    /// credentials come from one; dropped half-way, that process is killed.
    pub(crate) async fn find(args: &TargetArgs, environment: &Environment) -> Result<Self, Failure> {
        let mut target = match (near(args, environment), &args.data) {
            (Some(Place::Data(data)), _) => Self::of_data(&data)?,
            (Some(Place::Url(url)), Some(data)) => Self { endpoint: url.parse()?, ..Self::of_data(data)? },
            (Some(Place::Url(url)), None) => Aws::load(args, environment)?.target(&url).await?,
            (None, _) => {
                let aws = Aws::load(args, environment)?;
                match aws.endpoint_url() {
                    Some(url) => aws.target(&url).await?,
                    None if aws.profile.is_named() => return Err(aws.no_endpoint()),
                    None => Self::of_data(Path::new(DATA_DEFAULT))?,
                }
            }
        };
        let authorities = args.ca_cert.clone().or_else(|| environment.get("LAMINA_CA_CERT").map(PathBuf::from));
        if let Some(authorities) = authorities {
            target.trust = Trust::Authorities(authorities);
        }
        if let Some(region) = &args.region {
            target.region.clone_from(region);
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if target.region.is_empty() || !target.region.chars().all(plain) {
            return Err(Failure::usage(format!("`{}` is not a region", target.region)));
        }
        Ok(target)
    }

    /// The platform that runs on this data directory.
    pub(crate) fn of_data(data: &Path) -> Result<Self, Failure> {
        let told = endpoint::read(data)?;
        Ok(Self {
            endpoint: told.endpoint,
            region: told.region.unwrap_or_else(|| REGION_DEFAULT.to_owned()),
            credentials: credentials::of_data(data)?,
            data: Some(data.to_owned()),
            trust: told.certificate.map_or(Trust::System, Trust::Certificate),
        })
    }
}

/// What the flags and our own variables say.
fn near(args: &TargetArgs, environment: &Environment) -> Option<Place> {
    if let Some(url) = &args.endpoint {
        return Some(Place::Url(url.clone()));
    }
    if let Some(data) = &args.data {
        return Some(Place::Data(data.clone()));
    }
    // A profile on the command line is nearer than a variable.
    if args.profile.is_some() {
        return None;
    }
    let url = environment.get("LAMINA_ENDPOINT").map(Place::Url);
    url.or_else(|| environment.get("LAMINA_DATA").map(|data| Place::Data(data.into())))
}

/// What the AWS tools are told.
struct Aws<'a> {
    environment: &'a Environment,
    profile: Profile,
    /// Whether the profile was named on the command line.
    profile_asked: bool,
}

impl<'a> Aws<'a> {
    fn load(args: &TargetArgs, environment: &'a Environment) -> Result<Self, Failure> {
        let profile = Profile::load(args.profile.as_deref(), environment)?;
        Ok(Self { environment, profile, profile_asked: args.profile.is_some() })
    }

    /// Whether endpoints of variables and profiles are not to be used.
    fn ignores_endpoints(&self) -> bool {
        self.environment.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_some_and(|value| value == "true")
    }

    /// The profile that was chosen leads nowhere. The data directory that would
    /// be taken without one is not what was meant.
    fn no_endpoint(&self) -> Failure {
        let profile = &self.profile;
        if self.ignores_endpoints() {
            return Failure::new(format!("{profile} is chosen, and AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is true"))
                .next("unset that variable, or name the platform with --endpoint or --data");
        }
        Failure::new(format!("{profile} names no endpoint for Lambda"))
            .next("give it endpoint_url = http://HOST:PORT, or name the platform with --endpoint or --data")
    }

    fn endpoint_url(&self) -> Option<String> {
        if self.ignores_endpoints() {
            return None;
        }
        let of_profile = || self.profile.endpoint_url().map(str::to_owned);
        let variables = self.environment.first(&["AWS_ENDPOINT_URL_LAMBDA", "AWS_ENDPOINT_URL"]);
        if self.profile_asked { of_profile().or(variables) } else { variables.or_else(of_profile) }
    }

    /// The platform at this URL, with what the AWS tools would use for it.
    async fn target(&self, url: &str) -> Result<Target, Failure> {
        let region = self.environment.first(&["AWS_REGION", "AWS_DEFAULT_REGION"]);
        let region = region.or_else(|| self.profile.region().map(str::to_owned));
        Ok(Target {
            endpoint: url.parse()?,
            region: region.unwrap_or_else(|| REGION_DEFAULT.to_owned()),
            credentials: credentials::elsewhere(self).await?,
            data: None,
            trust: Trust::System,
        })
    }
}

#[cfg(test)]
mod tests;
