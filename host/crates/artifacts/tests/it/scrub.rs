//! A scrub reads everything, and says which artifacts the disk lost.

use std::time::Duration;

use lamina_artifacts::{Artifacts, Found, ScrubStep, Scrubbed};
use lamina_types::Digest;

use crate::support::{content, files, open};

async fn scrub(store: &Artifacts, rate: u64) -> (Scrubbed, Vec<ScrubStep>) {
    let mut steps = Vec::new();
    let scrubbed = store.scrub(rate, |step| steps.push(step)).await.unwrap();
    (scrubbed, steps)
}

async fn five(store: &Artifacts) -> Vec<Digest> {
    let mut digests = Vec::new();
    for number in 0..5_u8 {
        digests.push(store.put(vec![number; 10_000].into()).await.unwrap());
    }
    digests
}

#[tokio::test]
async fn a_scrub_names_what_is_rotten_and_nothing_else() {
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage, u64); 5] = [
        ("a flipped bit", |bytes| bytes[7_777] ^= 1, 10_000),
        ("cut", |bytes| bytes.truncate(9_999), 9_999),
        ("empty", |bytes| bytes.clear(), 0),
        ("longer", |bytes| bytes.push(0), 10_001),
        ("none", |_| {}, 0),
    ];
    for (name, damage, read) in damages {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let digests = five(&store).await;
        let path = content(folder.path(), &digests[2]);
        let mut bytes = std::fs::read(&path).unwrap();
        damage(&mut bytes);
        std::fs::write(&path, bytes).unwrap();
        let (scrubbed, steps) = scrub(&store, 0).await;
        let is_rotten = name != "none";
        assert_eq!(scrubbed.rotten, if is_rotten { vec![digests[2]] } else { vec![] }, "{name}");
        // What is bad is read twice.
        assert_eq!(scrubbed.bytes, if is_rotten { 40_000 + 2 * read } else { 50_000 }, "{name}");
        assert_eq!(scrubbed.files, 5, "{name}");
        assert_eq!((scrubbed.missing.len(), scrubbed.unopened.len()), (0, 0), "{name}");
        let mut seen: Vec<Digest> = steps.iter().map(|step| step.digest).collect();
        seen.sort_unstable();
        assert_eq!(seen, store.list().await.unwrap(), "{name}");
        for (index, step) in steps.iter().enumerate() {
            assert_eq!((step.done, step.total), (index + 1, 5), "{name}");
            let expect = if is_rotten && step.digest == digests[2] { Found::Rotten } else { Found::Good };
            assert_eq!(step.found, expect, "{name}");
        }
        store.put(vec![2; 10_000].into()).await.unwrap();
        assert_eq!(scrub(&store, 0).await.0.rotten, [], "{name}");
    }
}

#[tokio::test]
async fn an_empty_store_is_scrubbed() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(scrub(&open(folder.path()), 0).await, (Scrubbed::default(), vec![]));
}

#[tokio::test]
async fn a_scrub_goes_on_past_what_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let digests = five(&store).await;
    let path = content(folder.path(), &digests[0]);
    std::fs::remove_file(&path).unwrap();
    // It opens, but reading it is an error.
    std::fs::create_dir(&path).unwrap();
    // A name that leads to itself does not open.
    let path = content(folder.path(), &digests[1]);
    std::fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(path.file_name().unwrap(), &path).unwrap();
    // Larger than any artifact: it has holes, so that it takes no room.
    let path = content(folder.path(), &digests[2]);
    std::fs::OpenOptions::new().write(true).open(path).unwrap().set_len(1 << 40).unwrap();
    let (mut scrubbed, steps) = scrub(&store, 0).await;
    let mut rotten = vec![digests[0], digests[2]];
    rotten.sort_unstable();
    scrubbed.rotten.sort_unstable();
    assert_eq!(scrubbed.rotten, rotten);
    assert_eq!(scrubbed.unopened, [digests[1]]);
    assert_eq!((scrubbed.files, scrubbed.bytes, steps.len()), (4, 20_000, 5));
}

#[tokio::test]
async fn what_is_removed_meanwhile_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let digests = five(&store).await;
    let scrubbed = store.scrub(0, |step| {
        if step.done == 1 {
            for digest in digests.iter().filter(|digest| **digest != step.digest) {
                std::fs::remove_file(content(folder.path(), digest)).unwrap();
            }
        }
    });
    let scrubbed = scrubbed.await.unwrap();
    assert_eq!((scrubbed.files, scrubbed.missing.len(), scrubbed.rotten.len()), (1, 4, 0));
}

/// The clock is paused: it moves by what is slept, and by nothing else.
#[tokio::test(start_paused = true)]
async fn a_scrub_keeps_to_its_rate_and_lets_others_work() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.put(vec![1; 3_000_000].into()).await.unwrap();
    five(&store).await;
    for (rate, seconds) in [(1_000_000, 3), (50_000, 61), (10_000_000, 0)] {
        let begun = tokio::time::Instant::now();
        let mut steps = scrub_until_done(&store, rate).await;
        assert_eq!(begun.elapsed().as_secs(), seconds, "{rate}");
        // A tenth of a second's worth of turns for others in each second.
        steps.dedup();
        assert!(steps.len() as u64 >= seconds, "{rate}: {}", steps.len());
    }
}

/// Scrubs, and notes when another task had its turn, in tenths of a second.
async fn scrub_until_done(store: &Artifacts, rate: u64) -> Vec<u64> {
    let begun = tokio::time::Instant::now();
    let mut turns = Vec::new();
    let mut others = tokio::time::interval(Duration::from_millis(100));
    let mut scrub = std::pin::pin!(store.scrub(rate, |_| {}));
    loop {
        tokio::select! {
            scrubbed = &mut scrub => {
                assert_eq!(scrubbed.unwrap().bytes, 3_050_000);
                return turns;
            }
            _ = others.tick() => turns.push(begun.elapsed().as_millis() as u64 / 100),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_scrub_can_be_dropped_at_any_pause() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    five(&store).await;
    let before = files(folder.path());
    let mut done = 0;
    for seconds in 0..5 {
        let scrub = store.scrub(10_000, |_| done += 1);
        let limit = Duration::from_millis(seconds * 1000 + 500);
        assert!(tokio::time::timeout(limit, scrub).await.is_err(), "{seconds}");
    }
    assert_eq!(done, 1 + 2 + 3 + 4);
    assert_eq!(files(folder.path()), before);
    assert_eq!(scrub(&store, 0).await.0.files, 5);
}
