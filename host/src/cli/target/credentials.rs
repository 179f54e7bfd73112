//! Credentials: of a data directory, of the environment, of a profile.

use std::fs::File;
use std::io;
use std::path::Path;

use aws_credential_types::Credentials;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::endpoint::OF_ANOTHER_USER;
use super::{Aws, process};
use crate::cli::failure::Failure;
use crate::cli::files;

const FILE_BYTES_MAX: usize = 64 << 10;

/// What `DIR/credentials.json` holds and a `credential_process` prints.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Printed {
    version: u32,
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
}

/// Reads the shape of a `credential_process`. The error never quotes it.
pub(super) fn parse(bytes: &[u8]) -> Result<Credentials, String> {
    let printed: Printed =
        serde_json::from_slice(bytes).map_err(|_| "it is no JSON of Version, AccessKeyId and SecretAccessKey")?;
    if printed.version != 1 {
        return Err(format!("its Version is {}, not 1", printed.version));
    }
    made(printed.access_key_id, printed.secret_access_key, printed.session_token)
}

/// Keys as they may stand in a header.
pub(super) fn made(id: String, secret: String, token: Option<String>) -> Result<Credentials, String> {
    let visible = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !visible(&id) || !visible(&secret) || !token.as_deref().is_none_or(visible) {
        return Err("the access key, the secret key or the token is empty or has odd characters".to_owned());
    }
    Ok(Credentials::new(id, secret, token, None, "lamina"))
}

/// `DIR/credentials.json`.
pub(super) fn of_data(data: &Path) -> Result<Credentials, Failure> {
    let path = data.join("credentials.json");
    let bytes = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Failure::new(format!("the platform's credentials are not there: {}", path.display()))
                .next(format!("start the platform, which writes them: lamina serve --data {}", data.display())));
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Err(Failure::io(format_args!("reading {}", path.display()), &error).next(OF_ANOTHER_USER));
        }
        _ => Zeroizing::new(files::read(&path, FILE_BYTES_MAX)?),
    };
    parse(&bytes).map_err(|why| Failure::new(format!("reading {}: {why}", path.display())))
}

/// The credentials for any other platform. A profile that was asked for on the
/// command line counts more than the environment.
pub(super) async fn elsewhere(aws: &Aws<'_>) -> Result<Credentials, Failure> {
    let Aws { environment, profile, profile_asked } = aws;
    if !profile_asked && let Some(id) = environment.get("AWS_ACCESS_KEY_ID") {
        let secret = environment.get("AWS_SECRET_ACCESS_KEY").ok_or_else(|| {
            Failure::new("AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not").next("set both, or neither")
        })?;
        return made(id, secret, environment.get("AWS_SESSION_TOKEN"))
            .map_err(|why| Failure::new(format!("reading AWS_ACCESS_KEY_ID and its fellows: {why}")));
    }
    if let Some(setting) = profile.borrows() {
        return Err(Failure::new(format!("{profile} has {setting}: this command does not assume roles"))
            .next("choose a profile with keys of its own or a credential_process, or give --data DIR"));
    }
    if let Some(keys) = profile.keys() {
        return keys.map_err(|why| Failure::new(format!("reading {profile}: {why}")));
    }
    if let Some(command) = profile.credential_process() {
        return process::run(command).await;
    }
    if profile.exists() {
        return Err(Failure::new(format!("{profile} has no credentials that this command can use"))
            .next("give it aws_access_key_id and aws_secret_access_key, or a credential_process"));
    }
    Err(Failure::new("there are no credentials for this endpoint").next(
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile with --profile, or give the data directory of \
         a platform on this machine with --data",
    ))
}
