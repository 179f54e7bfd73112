//! Figures, and what runs in the background.

use lamina_kit::Tasks;
use lamina_upkeep::Config;
use tokio::sync::oneshot;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_of_what_is_there() {
    let place = Place::new();
    let platform = Platform::open(&place.make("data", 1));
    for name in ["a", "b"] {
        platform.deploy(name).await;
    }
    platform.audit("Something").await;
    platform.registry.settle_audit().await;
    let stats = platform.upkeep.stats().await.unwrap();
    assert_eq!(stats.sequence, platform.store.sequence());
    assert_eq!((stats.tables["function"].records, stats.artifacts.files, stats.audit.files), (2, 4, 1));
    assert!(stats.journal.bytes > 0 && stats.index.files > 0 && stats.audit.bytes > 0 && stats.scrub.is_none());
    let value = serde_json::to_value(&stats).unwrap();
    let members: Vec<&String> = value.as_object().unwrap().keys().collect();
    let expect =
        ["Sequence", "Tables", "Journal", "Index", "Exports", "Artifacts", "Derived", "Audit", "Logs", "Scrub"];
    assert!(members.len() == expect.len() && expect.iter().all(|name| value.get(name).is_some()), "{members:?}");
    assert_eq!(value["Tables"]["function"]["Records"], 2);
    assert_eq!(value["Artifacts"]["Files"], 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scrub_names_the_functions_whose_code_is_lost() {
    let place = Place::new();
    let data = place.make("data", 1);
    let platform = Platform::open(&data);
    for name in ["a", "b", "c"] {
        platform.deploy(name).await;
    }
    assert_eq!(platform.upkeep.scrub(0).await.unwrap().files, 6);
    let path = |content: &str| {
        let hex = Digest::of(content.as_bytes()).to_string();
        data.join("artifacts/sha256").join(&hex[..2]).join(&hex[2..])
    };
    fs::write(path("package of a"), "something else").unwrap();
    fs::remove_file(path("package of b")).unwrap();
    let scrub = platform.upkeep.scrub(0).await.unwrap();
    let found = |unsound: &[lamina_upkeep::Unsound]| -> Vec<String> {
        unsound.iter().flat_map(|one| one.functions.clone()).collect()
    };
    assert_eq!((found(&scrub.rotten), found(&scrub.missing)), (vec!["a".to_owned()], vec!["b".to_owned()]));
    let stats = platform.upkeep.stats().await.unwrap();
    assert_eq!(stats.scrub, Some(scrub));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scrub_comes_by_itself_and_again() {
    let place = Place::new();
    let data = place.make("data", 1);
    let platform = Platform::open(&data);
    platform.deploy("a").await;
    let tasks = Tasks::new();
    let (stop, stopped) = oneshot::channel::<()>();
    let config = Config { scrub_after: Duration::ZERO, scrub_period: Duration::from_millis(1), ..Config::default() };
    platform.upkeep.start(&tasks, config, async { drop(stopped.await) });
    let rotten = async |expect: usize| loop {
        match platform.upkeep.stats().await.unwrap().scrub {
            Some(scrub) if scrub.files == 2 && scrub.rotten.len() == expect => break,
            _ => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    };
    rotten(0).await;
    let hex = Digest::of(b"package of a").to_string();
    fs::write(data.join("artifacts/sha256").join(&hex[..2]).join(&hex[2..]), "something else").unwrap();
    rotten(1).await;
    drop(stop);
    assert!(tasks.drain(Duration::from_secs(60)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_seals_everything_again() {
    let place = Place::new();
    let data = place.make("data", 1);
    let platform = Platform::open(&data);
    for number in 0..5 {
        platform.deploy(&format!("f{number}")).await;
    }
    secrets_file::add(&folder(&data), [8; 32]).unwrap();
    platform.store.add_key([8; 32]);
    let tasks = Tasks::new();
    let (stop, stopped) = oneshot::channel::<()>();
    let config = Config { reseal_batch: 2, reseal_pause: Duration::ZERO, ..Config::default() };
    platform.upkeep.start(&tasks, config, async { drop(stopped.await) });
    while platform.store.reseal(lamina_kv::Place::default(), 0).await.unwrap().next.is_some() {
        tokio::task::yield_now().await;
    }
    // And again, when it is told to.
    platform.store.add_key([9; 32]);
    secrets_file::add(&folder(&data), [9; 32]).unwrap();
    assert!(platform.store.reseal(lamina_kv::Place::default(), 0).await.unwrap().next.is_some());
    platform.upkeep.reseal_soon();
    while platform.store.reseal(lamina_kv::Place::default(), 0).await.unwrap().next.is_some() {
        tokio::task::yield_now().await;
    }
    drop(stop);
    assert!(tasks.drain(Duration::from_secs(60)).await);
    platform.close().await;
    // The older keys are not needed any more.
    secrets_file::write(&folder(&data), &[[9; 32]]).unwrap();
    assert_eq!(Platform::open(&data).registry.catalog().functions_len(), 5);
}
