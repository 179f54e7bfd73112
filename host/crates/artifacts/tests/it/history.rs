//! Short histories of a store, and what must and may be there after each.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lamina_artifacts::{Artifacts, Error};
use lamina_disk::System;
use lamina_kit::FixedClock;
use lamina_types::Digest;

use crate::support::{bootstrap, content, files, try_open};

const HOUR: Duration = Duration::from_secs(3600);
const KIND: &str = "images";

#[derive(Debug, Clone, Copy)]
pub(crate) enum Act {
    Put(&'static str),
    Ingest(&'static str),
    /// More than the bound comes.
    TooMuch(&'static str),
    Package(&'static str),
    Derive(&'static str, &'static str),
    Use(&'static str),
    Evict(u64),
    /// All but these.
    Collect(&'static [&'static str]),
    /// Nothing is old enough.
    CollectOld,
    Remove(&'static str),
    /// Not by the store: its file is overwritten.
    Damage(&'static str),
}

use Act::{Collect, CollectOld, Damage, Derive, Evict, Ingest, Package, Put, Remove, TooMuch, Use};

pub(crate) const HISTORIES: &[&[Act]] = &[
    &[
        Put("alpha"),
        Put("alpha"),
        Package("alpha"),
        Put("beta"),
        Package("beta"),
        Collect(&["alpha"]),
        Put("beta"),
        Package("beta"),
    ],
    &[
        Ingest("alpha"),
        Ingest("alpha"),
        Ingest("beta"),
        TooMuch("alpha"),
        TooMuch("gamma"),
        Package("beta"),
        Collect(&[]),
        Ingest("alpha"),
    ],
    &[
        Derive("x", "one"),
        Derive("y", "seven"),
        Derive("x", "eleven"),
        Use("y"),
        Evict(6),
        Derive("y", "four"),
        Evict(0),
    ],
    &[
        Put("alpha"),
        Package("alpha"),
        Damage("alpha"),
        Put("alpha"),
        Package("alpha"),
        Damage("alpha"),
        Ingest("alpha"),
        Package("alpha"),
    ],
    &[
        Put("alpha"),
        Put("beta"),
        CollectOld,
        Package("alpha"),
        Remove("alpha"),
        Put("alpha"),
        Remove("beta"),
        Ingest("beta"),
        CollectOld,
    ],
    &[
        Put("alpha"),
        Put("alpha"),
        Package("alpha"),
        Ingest("beta"),
        Collect(&["alpha"]),
        Derive("x", "one"),
        Derive("y", "two"),
        Evict(3),
        Ingest("beta"),
    ],
];

/// What the acknowledgements and refusals so far promise.
#[derive(Default)]
pub(crate) struct Model {
    /// Content that was acknowledged, and that nothing has removed since.
    there: BTreeSet<&'static str>,
    /// Content that is damaged on the disk, unless a put came through after it.
    damaged: BTreeSet<&'static str>,
    /// What a derived file may hold; `None`: it may be gone.
    derived: BTreeMap<&'static str, BTreeSet<Option<&'static str>>>,
}

fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

impl Model {
    /// Does it, and checks what an acknowledgement says at once.
    pub(crate) async fn act(&mut self, root: &Path, store: &Artifacts, act: Act) -> Result<(), Error> {
        match act {
            Put(text) => {
                assert_eq!(store.put(text.into()).await?, digest(text));
                self.stored(text);
            }
            Ingest(text) => {
                let taken = store.ingest(text.as_bytes(), 100).await?;
                assert_eq!(taken, (digest(text), text.len() as u64));
                self.stored(text);
            }
            TooMuch(text) => match store.ingest(text.as_bytes(), 0).await {
                Err(Error::TooLarge { bytes_max: 0 }) => {}
                other => return other.map(|taken| panic!("{taken:?} was taken")),
            },
            Package(text) => match store.package_dir(&digest(text)).await {
                Ok(dir) => assert_eq!(bootstrap(&dir), text.as_bytes()),
                // An act before it has failed.
                Err(Error::Missing(_) | Error::Corrupt(_)) => assert!(!self.there.contains(text), "{text}"),
                Err(error) => return Err(error),
            },
            Derive(name, text) => {
                let may_be = self.derived.entry(name).or_insert_with(|| [None].into());
                may_be.insert(Some(text));
                store.put_derived(KIND, name, text.into()).await?;
                *may_be = [Some(text)].into();
            }
            Use(name) => self.uses(store, name).await,
            Evict(bytes_max) => {
                self.derived.values_mut().for_each(|may_be| _ = may_be.insert(None));
                store.evict(KIND, bytes_max).await?;
                assert!(store.usage().await?.derived.1 <= bytes_max);
            }
            Collect(referenced) => {
                self.there.retain(|text| referenced.contains(text));
                let digests = referenced.iter().map(|text| digest(text)).collect();
                store.collect(digests, Duration::ZERO).await?;
                assert!(store.list().await?.len() <= referenced.len());
            }
            CollectOld => assert_eq!(store.collect([].into(), HOUR).await?.removed, 0),
            Remove(text) => {
                self.there.remove(text);
                store.remove(&digest(text)).await?;
                assert!(!content(root, &digest(text)).exists());
            }
            Damage(text) => self.damage(root, text),
        }
        Ok(())
    }

    fn stored(&mut self, text: &'static str) {
        self.there.insert(text);
        self.damaged.remove(text);
    }

    fn damage(&mut self, root: &Path, text: &'static str) {
        let path = content(root, &digest(text));
        if path.exists() {
            std::fs::write(path, "damaged").unwrap();
            self.there.remove(text);
            self.damaged.insert(text);
        }
    }

    async fn uses(&self, store: &Artifacts, name: &str) {
        let found = store.get_derived(KIND, name).await.unwrap();
        let found = found.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap());
        match self.derived.get(name) {
            Some(may_be) => assert!(may_be.contains(&found.as_deref()), "{name}: {found:?} of {may_be:?}"),
            None => assert_eq!(found, None, "{name}"),
        }
    }

    /// After all of it, with a seam that lets everything pass.
    pub(crate) async fn check(&self, root: &Path, clock: &Arc<FixedClock>) {
        let store = try_open(root, Arc::new(System), clock.clone()).unwrap();
        let mut listed = self.check_files(root).await;
        for text in &self.there {
            assert_eq!(store.get(&digest(text)).await.unwrap(), text);
        }
        for text in ["alpha", "beta", "gamma"] {
            match store.get(&digest(text)).await {
                Ok(bytes) => assert_eq!(bytes, text),
                Err(Error::Missing(_)) => continue,
                Err(Error::Corrupt(_)) => assert!(self.damaged.contains(text), "{text} is half there"),
                Err(error) => panic!("{error}"),
            }
            listed.retain(|listed| *listed != digest(text));
        }
        assert_eq!(listed, [], "what is listed was put");
        for name in ["x", "y"] {
            self.uses(&store, name).await;
        }
        assert_eq!(store.usage().await.unwrap().artifacts.0, store.list().await.unwrap().len() as u64);
        goes_on(root, &store).await;
    }

    /// Every file is where it belongs. Answers the digests that have one.
    async fn check_files(&self, root: &Path) -> Vec<Digest> {
        let mut digests = Vec::new();
        for path in files(root) {
            let parts: Vec<&str> = path.split('/').collect();
            match parts[..] {
                ["sha256", head, rest] => digests.push(format!("{head}{rest}").parse().unwrap()),
                ["packages", package, "bootstrap.wasm"] => {
                    let found = Digest::of(&std::fs::read(root.join(&path)).unwrap());
                    let is_damaged = found == digest("damaged");
                    assert!(is_damaged || found.to_string() == package, "{path}");
                }
                ["derived", KIND, "x" | "y"] => {}
                _ => panic!("{path} is left over"),
            }
        }
        digests
    }
}

/// The store can be used as if nothing had been.
async fn goes_on(root: &Path, store: &Artifacts) {
    for text in ["alpha", "gamma"] {
        store.put(text.into()).await.unwrap();
        assert_eq!(store.get(&digest(text)).await.unwrap(), text);
        assert_eq!(bootstrap(&store.package_dir(&digest(text)).await.unwrap()), text.as_bytes());
    }
    store.collect([].into(), Duration::ZERO).await.unwrap();
    store.evict(KIND, 0).await.unwrap();
    assert_eq!(files(root), [""; 0]);
    assert_eq!(std::fs::read_dir(root.join("packages")).unwrap().count(), 0);
}
