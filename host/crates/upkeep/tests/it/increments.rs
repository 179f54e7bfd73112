//! Backups of what changed.

use lamina_upkeep::Refusal;

use super::*;

/// A whole backup and two that follow it; the journal between the last two is gone
/// when the second is made, if it is not retained.
struct Chain {
    place: Place,
    platform: Platform,
    files: [PathBuf; 3],
    manifests: Vec<Manifest>,
    states: Vec<String>,
}

impl Chain {
    async fn new(retain_bytes: u64) -> Self {
        let place = Place::new();
        let platform = Platform::with(&place.make("data", 1), retain_bytes);
        let files = ["whole", "first", "second"].map(|name| place.path(name));
        let (mut manifests, mut states, mut have) = (Vec::<Manifest>::new(), Vec::new(), HashSet::new());
        for (number, file) in files.iter().enumerate() {
            platform.deploy(&format!("a{number}")).await;
            platform.deploy(&format!("b{number}")).await;
            if number > 0 {
                platform.delete(&format!("a{}", number - 1)).await;
                platform.store.checkpoint().await.unwrap();
                platform.deploy(&format!("c{number}")).await;
            }
            platform.registry.settle_audit().await;
            let since = manifests.last().map_or(0, |manifest| manifest.sequence);
            let manifest = platform.backup(file, since, have.clone()).await;
            assert!(manifest.artifacts().all(|digest| !have.contains(&digest)));
            have.extend(manifest.artifacts());
            manifests.push(manifest);
            states.push(platform.state().await);
        }
        Self { place, platform, files, manifests, states }
    }

    fn exports(&self, number: usize) -> usize {
        self.manifests[number].entries.iter().filter(|entry| entry.name.ends_with(".export")).count()
    }

    /// Restores these, and compares with how it was after the last of them.
    async fn check(&self, count: usize) {
        let data = self.place.path(&format!("restored{count}"));
        let files: Vec<&PathBuf> = self.files.iter().take(count).collect();
        assert_eq!(restored(&files, &data).unwrap(), self.manifests[count - 1].sequence);
        let again = Platform::open(&data);
        assert_eq!(again.state().await, self.states[count - 1], "{count}");
        again.deploy("more").await;
    }

    fn refused(&self, files: &[&PathBuf]) -> Refusal {
        let data = self.place.path("refused");
        let error = restored(files, &data).unwrap_err();
        assert!(!data.exists() && !self.place.path("refused.new").exists(), "{error}");
        assert!(matches!(&error, Error::Refused { file, .. } if file == *files.last().unwrap()), "{error}");
        let Error::Refused { reason, .. } = error else { unreachable!() };
        reason
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn increments_go_on_from_a_whole_backup() {
    let chain = Chain::new(16 << 20).await;
    assert_eq!((chain.exports(1), chain.exports(2)), (0, 0));
    for count in 1..=3 {
        chain.check(count).await;
    }
    // One since an earlier moment does instead of two.
    let [whole, ..] = &chain.files;
    let file = chain.place.path("both");
    let manifest = chain.platform.backup(&file, chain.manifests[0].sequence, HashSet::new()).await;
    let sequence = restored(&[whole, &file], &chain.place.path("restored")).unwrap();
    assert_eq!(sequence, manifest.sequence);
    assert_eq!(restored(&[whole, &chain.files[1], &file], &chain.place.path("overlapping")).unwrap(), sequence);
    // Nothing changed: it is small, and it is taken.
    let file = chain.place.path("nothing");
    let have = manifest.artifacts().collect();
    let nothing = chain.platform.backup(&file, manifest.sequence, have).await;
    assert_eq!(nothing.sequence, manifest.sequence);
    assert_eq!(restored(&[whole, &chain.place.path("both"), &file], &chain.place.path("same")).unwrap(), sequence);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_does_for_a_journal_that_is_gone() {
    let chain = Chain::new(0).await;
    assert_eq!((chain.exports(1), chain.exports(2)), (1, 1));
    for count in 1..=3 {
        chain.check(count).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn increments_that_do_not_follow_are_refused_by_name() {
    let chain = Chain::new(16 << 20).await;
    let [whole, first, second] = &chain.files;
    let ends: Vec<u64> = chain.manifests.iter().map(|manifest| manifest.sequence).collect();
    assert!(matches!(chain.refused(&[first]), Refusal::Increment(since) if since == ends[0]));
    assert!(matches!(
        chain.refused(&[whole, second]),
        Refusal::Gap { since, reached } if since == ends[1] && reached == ends[0]
    ));
    assert!(matches!(chain.refused(&[whole, first, whole]), Refusal::Whole));
    let late = chain.place.path("late");
    chain.platform.backup(&late, 0, HashSet::new()).await;
    assert!(matches!(
        chain.refused(&[&late, first]),
        Refusal::Order { sequence, reached } if sequence == ends[1] && reached == ends[2]
    ));
    // The same host's key, and another history.
    let other = Platform::open(&chain.place.make("twin", 1));
    for number in 0..9 {
        other.deploy(&format!("x{number}")).await;
    }
    let twin = chain.place.path("twin-backup");
    let have = HashSet::new();
    other.backup(&twin, ends[0], have.clone()).await;
    assert!(matches!(chain.refused(&[whole, &twin]), Refusal::History(_)));
    let other = Platform::open(&chain.place.make("other", 2));
    for number in 0..9 {
        other.deploy(&format!("x{number}")).await;
    }
    let foreign = chain.place.path("foreign");
    other.backup(&foreign, ends[0], have).await;
    assert!(matches!(chain.refused(&[whole, &foreign]), Refusal::Foreign));
}

/// The maker of an increment says what it has; when it has not, that is found.
#[tokio::test(flavor = "multi_thread")]
async fn an_artifact_that_is_in_none_of_the_files_is_missed() {
    let chain = Chain::new(16 << 20).await;
    let [whole, ..] = &chain.files;
    let file = chain.place.path("lacking");
    let have = chain.platform.registry.referenced();
    chain.platform.backup(&file, chain.manifests[0].sequence, have).await;
    let error = restored(&[whole, &file], &chain.place.path("restored")).unwrap_err();
    assert!(matches!(&error, Error::Unsound(text) if text.contains("is in none of the files")), "{error}");
    assert!(!chain.place.path("restored").exists());
}
