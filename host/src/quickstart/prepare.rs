//! What can be done without a platform: build, make a key, sign.

use std::path::PathBuf;

use lamina_signing::SecretKey;

use super::languages::Spoken;
use super::narrator::Narrator;
use super::workplace::Workplace;
use super::{build, languages};
use crate::cli::Ctx;
use crate::cli::commands::runtime::Store;
use crate::cli::commands::sign;
use crate::cli::failure::Failure;
use crate::cli::keyfile;

/// What there is to deploy.
#[derive(Debug)]
pub(super) struct Material {
    /// The public half of the key.
    pub(super) public_key: PathBuf,
    pub(super) hello: Component,
    pub(super) stream: Component,
    pub(super) key: SecretKey,
    /// Where the interpreters are.
    pub(super) store: Store,
    pub(super) spoken: Vec<Spoken>,
}

/// A component on the disk.
#[derive(Debug)]
pub(super) struct Component {
    /// As it was built.
    pub(super) unsigned: PathBuf,
    pub(super) signed: PathBuf,
}

/// Builds, makes a key, signs.
pub(super) async fn prepare(
    ctx: &Ctx,
    narrator: &mut Narrator,
    (place, store): (&Workplace, Store),
) -> Result<Material, Failure> {
    narrator.begin("build two functions from their Rust source")?;
    let checkout = build::checkout(&ctx.environment)?;
    let built = build::build(&checkout).await?;
    let component = |name: &str| Component { unsigned: built.join(format!("{name}.wasm")), signed: place.signed(name) };
    let (hello, stream) = (component("hello"), component("stream"));
    for component in [&hello, &stream] {
        let file = component.unsigned.display();
        let metadata = std::fs::metadata(&component.unsigned);
        let length = metadata.map_err(|error| Failure::io(format_args!("reading {file}"), &error))?.len();
        narrator.detail(format_args!("{file}: {length} bytes"))?;
    }
    narrator.done()?;

    let spoken = languages::build(ctx, narrator, (&checkout, &store)).await?;

    narrator.begin("make a key")?;
    let files = place.key();
    let public = keyfile::create(&files)?;
    narrator.detail(format_args!("{}, in {}", public.id(), files.secret.display()))?;
    narrator.done()?;

    narrator.begin("sign both functions")?;
    let key = keyfile::secret(&files.secret, ctx.output)?;
    for component in [&hello, &stream] {
        let (signed, _) = sign::sign_file(&component.unsigned, &key, Some(&component.signed))?;
        narrator.detail(format_args!("{}: sha256 {}", component.signed.display(), signed.content))?;
    }
    narrator.done()?;
    Ok(Material { public_key: files.public, hello, stream, key, store, spoken })
}
