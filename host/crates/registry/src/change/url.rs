//! Function URLs.

use std::sync::Arc;

use lamina_types::records::{Cors, InvokeMode, UrlConfig};
use lamina_types::{FunctionName, UrlId};

use crate::error::Error;
use crate::registry::Registry;

/// A URL to be made.
#[derive(Debug, Clone)]
pub struct NewUrl {
    /// The function it calls.
    pub name: FunctionName,
    /// `None` when not given.
    pub invoke_mode: Option<InvokeMode>,
    /// Cross-origin rules.
    pub cors: Option<Cors>,
}

/// What changes of a URL; what is `None` stays.
#[derive(Debug, Clone)]
pub struct UrlChange {
    /// The function it calls.
    pub name: FunctionName,
    /// Its mode.
    pub invoke_mode: Option<InvokeMode>,
    /// Cross-origin rules, replaced whole.
    pub cors: Option<Cors>,
}

impl Registry {
    /// Gives a function its URL.
    pub async fn create_url(&self, new: NewUrl) -> Result<UrlConfig, Error> {
        let write = move |draft: &mut crate::draft::Draft<'_>| {
            let mut parts = draft.parts(&new.name)?;
            if parts.url.is_some() {
                return Err(Error::UrlExists(new.name));
            }
            let id = UrlId::from_random(draft.context.ids.random32());
            let (created, NewUrl { name: function, invoke_mode, cors }) = (draft.now(), new);
            let url = UrlConfig { id, function, invoke_mode, cors, created, last_modified: created };
            parts.url = Some(Arc::new(url.clone()));
            draft.put(parts)?;
            Ok(url)
        };
        self.write(write).await
    }

    /// Changes a function's URL; its id stays.
    pub async fn update_url(&self, change: UrlChange) -> Result<UrlConfig, Error> {
        let write = move |draft: &mut crate::draft::Draft<'_>| {
            let mut parts = draft.parts(&change.name)?;
            let old = parts.url.as_deref().ok_or(Error::UrlNotFound(change.name))?.clone();
            let url = UrlConfig {
                invoke_mode: change.invoke_mode.or(old.invoke_mode),
                cors: change.cors.or_else(|| old.cors.clone()),
                last_modified: draft.now(),
                ..old
            };
            parts.url = Some(Arc::new(url.clone()));
            draft.put(parts)?;
            Ok(url)
        };
        self.write(write).await
    }

    /// Takes a function's URL away. Its id is not given again.
    pub async fn delete_url(&self, name: &FunctionName) -> Result<(), Error> {
        let name = name.clone();
        let write = move |draft: &mut crate::draft::Draft<'_>| {
            let mut parts = draft.parts(&name)?;
            parts.url.take().ok_or(Error::UrlNotFound(name))?;
            draft.put(parts).map(|_| ())
        };
        self.write(write).await
    }
}
