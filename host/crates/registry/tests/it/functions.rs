//! The life of a function: created, updated, failed, deleted.

use lamina_registry::{CodeUpdate, Config, ConfigurationUpdate, Error, NewFunction, Revised};
use lamina_types::records::{ConfigurationChange, State, UpdateStatus};
use lamina_types::{MemoryMib, RevisionId, Version};

use crate::{Fixture, code, config, failed, new, tags};

#[tokio::test]
async fn a_creation_is_pending_until_it_completes() {
    let fixture = Fixture::new();
    let change = fixture.create("f").await.unwrap();
    assert_eq!(
        (change.view.version, &change.view.state, &change.view.update),
        (Version::Latest, &State::Pending, &None)
    );
    assert_eq!(fixture.runs("f"), Err("function f is Pending".into()));
    for refused in [
        fixture.update("f", 2, false).await.map(|_| ()),
        fixture.configure("f", ConfigurationChange::default()).await.map(|_| ()),
        fixture.publish("f", None).await.map(|_| ()),
    ] {
        assert!(matches!(refused, Err(Error::NotActive { state: "Pending", .. })));
    }
    assert!(matches!(fixture.create("f").await, Err(Error::FunctionExists(_))));
    fixture.complete(&change, Ok(())).await;
    let view = fixture.view("f", Version::Latest);
    assert_eq!((&view.state, &view.update), (&State::Active, &Some(UpdateStatus::Successful)));
    assert_ne!(view.revision, change.view.revision);
    assert_eq!(view.last_modified, change.view.last_modified);
    assert_eq!(fixture.runs("f"), Ok(1));
}

#[tokio::test]
async fn the_old_code_serves_until_the_update_completes() {
    let fixture = Fixture::new();
    fixture.created("f").await;
    let before = fixture.view("f", Version::Latest);
    let change = fixture.update("f", 2, false).await.unwrap();
    assert_eq!(change.view.code, code(2));
    assert_eq!((&change.view.state, &change.view.update), (&State::Active, &Some(UpdateStatus::InProgress)));
    assert!(change.view.revision != before.revision && change.view.last_modified > before.last_modified);
    assert_eq!(fixture.runs("f"), Ok(1));
    for refused in [
        fixture.update("f", 3, false).await.map(|_| ()),
        fixture.configure("f", ConfigurationChange::default()).await.map(|_| ()),
        fixture.publish("f", None).await.map(|_| ()),
    ] {
        assert!(matches!(refused, Err(Error::UpdateInProgress(_))));
    }
    fixture.complete(&change, Ok(())).await;
    assert_eq!(fixture.runs("f"), Ok(2));
    // Completing twice, or late, changes nothing.
    let view = fixture.view("f", Version::Latest);
    fixture.complete(&change, Err("late")).await;
    assert_eq!(fixture.view("f", Version::Latest), view);
}

#[tokio::test]
async fn a_failed_update_shows_what_serves() {
    let fixture = Fixture::new();
    fixture.created("f").await;
    let change = ConfigurationChange { memory: Some(MemoryMib(256)), ..ConfigurationChange::default() };
    let change = fixture.configure("f", change).await.unwrap();
    assert_eq!(change.view.configuration.memory, MemoryMib(256));
    fixture.complete(&change, Err("no")).await;
    let view = fixture.view("f", Version::Latest);
    assert_eq!((view.configuration.memory, view.update), (MemoryMib(128), Some(failed("no"))));
    let change = fixture.update("f", 2, true).await.unwrap();
    assert_eq!(change.view.version, Version::Number(1));
    fixture.complete(&change, Err("no")).await;
    assert_eq!((fixture.view("f", Version::Latest).code, fixture.runs("f")), (code(1), Ok(1)));
    assert!(matches!(fixture.view("f", Version::Number(1)).state, State::Failed { .. }));
    assert!(fixture.runs("f:1").is_err());
    // Its number is used up.
    assert_eq!(fixture.publish("f", None).await.unwrap().version, Version::Number(2));
}

#[tokio::test]
async fn a_failed_creation_can_be_mended() {
    let fixture = Fixture::new();
    let change = fixture.create("f").await.unwrap();
    fixture.complete(&change, Err("bad")).await;
    let view = fixture.view("f", Version::Latest);
    assert!(matches!(view.state, State::Failed { reason, .. } if reason == "bad"));
    assert!(fixture.runs("f").is_err());
    assert!(matches!(fixture.publish("f", None).await, Err(Error::NotActive { state: "Failed", .. })));
    let change = fixture.update("f", 2, false).await.unwrap();
    assert_eq!((&change.view.state, &change.view.update), (&State::Pending, &None));
    fixture.complete(&change, Ok(())).await;
    assert_eq!(fixture.runs("f"), Ok(2));
}

#[tokio::test]
async fn configurations_merge() {
    let fixture = Fixture::new();
    fixture.created("f").await;
    let environment = Some(tags(&[("AB", "1")]));
    let change = ConfigurationChange { environment, log_group: Some("g".into()), ..ConfigurationChange::default() };
    let change = fixture.configure("f", change).await.unwrap();
    fixture.complete(&change, Ok(())).await;
    let change = ConfigurationChange { timeout_s: Some(9), ..ConfigurationChange::default() };
    let change = fixture.configure("f", change).await.unwrap();
    fixture.complete(&change, Ok(())).await;
    let resolved = fixture.registry.resolve(&lamina_types::FunctionRef { name: "f".parse().unwrap(), qualifier: None });
    let resolved = resolved.unwrap();
    assert_eq!((resolved.timeout.as_secs(), &*resolved.log_group), (9, "g"));
    assert_eq!(*resolved.environment, tags(&[("AB", "1")]));
}

#[tokio::test]
async fn a_stale_revision_is_refused() {
    let fixture = Fixture::new();
    let name = fixture.created("f").await;
    let stale = Some(RevisionId::from_random([9; 16]));
    let update =
        |revision| CodeUpdate { name: name.clone(), code: code(2), architecture: None, publish: false, revision };
    let refused = fixture.registry.update_code(update(stale.clone())).await;
    assert!(matches!(refused, Err(Error::StaleRevision(Revised::Function))));
    let change = ConfigurationChange::default();
    let refused = ConfigurationUpdate { name: name.clone(), change, revision: stale };
    let refused = fixture.registry.update_configuration(refused).await;
    assert!(matches!(refused, Err(Error::StaleRevision(Revised::Function))));
    let current = fixture.view("f", Version::Latest).revision;
    fixture.registry.update_code(update(Some(current))).await.unwrap();
}

#[tokio::test]
async fn a_preview_changes_nothing() {
    let fixture = Fixture::new();
    let name = fixture.created("f").await;
    let before = fixture.view("f", Version::Latest);
    let update = CodeUpdate { name, code: code(2), architecture: Some("arm64".into()), publish: true, revision: None };
    let view = fixture.registry.preview_code(update).unwrap();
    assert_eq!((view.version, view.code, &*view.configuration.architecture), (Version::Number(1), code(2), "arm64"));
    assert_eq!(fixture.view("f", Version::Latest), before);
}

#[tokio::test]
async fn a_deleted_function_leaves_nothing() {
    let fixture = Fixture::new();
    let name = fixture.created("f").await;
    fixture.created("g").await;
    fixture.publish("f", None).await.unwrap();
    let change = fixture.update("f", 2, false).await.unwrap();
    fixture.registry.tag(&name, tags(&[("a", "b")])).await.unwrap();
    fixture.registry.delete(&name, None).await.unwrap();
    assert!(fixture.runs("f").is_err() && fixture.runs("f:1").is_err());
    assert!(matches!(fixture.registry.delete(&name, None).await, Err(Error::FunctionNotFound(_))));
    // Its update ends into nothing, also when a namesake is there.
    let namesake = fixture.create("f").await.unwrap();
    fixture.complete(&change, Ok(())).await;
    assert_eq!(fixture.view("f", Version::Latest).state, State::Pending);
    fixture.complete(&namesake, Ok(())).await;
    assert!(fixture.registry.catalog().function(&name).unwrap().tags().is_empty());
    assert_eq!(fixture.publish("f", None).await.unwrap().version, Version::Number(1));
}

#[tokio::test]
async fn functions_are_listed_in_order_and_bounded() {
    let fixture = Fixture::with(Config { functions_max: 4, ..config() });
    for name in ["b", "a", "B", "a-b"] {
        fixture.created(name).await;
    }
    assert!(matches!(fixture.create("z").await, Err(Error::TooManyFunctions { max: 4 })));
    let catalog = fixture.registry.catalog();
    let names: Vec<&str> = catalog.functions().map(|entry| entry.name().as_str()).collect();
    assert_eq!(names, ["B", "a", "a-b", "b"]);
    let after: Vec<&str> = catalog.functions_after(&"a".parse().unwrap()).map(|entry| entry.name().as_str()).collect();
    assert_eq!(after, ["a-b", "b"]);
}

#[tokio::test]
async fn code_is_counted_and_bounded() {
    let fixture = Fixture::with(Config { code_bytes_max: 3_000, ..config() });
    fixture.created("f").await;
    assert_eq!(fixture.registry.catalog().code_bytes(), 1_000);
    fixture.publish("f", None).await.unwrap();
    let change = fixture.update("f", 2, false).await.unwrap();
    assert_eq!(fixture.registry.catalog().code_bytes(), 3_000);
    assert!(matches!(fixture.create("g").await, Err(Error::CodeStorageExceeded { max: 3_000 })));
    assert_eq!(fixture.registry.referenced().len(), 4);
    fixture.complete(&change, Ok(())).await;
    assert_eq!(fixture.registry.catalog().code_bytes(), 2_000);
    fixture.create("g").await.unwrap();
    fixture.registry.delete(&"f".parse().unwrap(), Some(1)).await.unwrap();
    assert_eq!(fixture.registry.catalog().code_bytes(), 2_000);
    fixture.registry.delete(&"f".parse().unwrap(), None).await.unwrap();
    assert_eq!(fixture.registry.referenced(), [code(1).package, *code(1).component().unwrap()].into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_take_turns() {
    let fixture = std::sync::Arc::new(Fixture::new());
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..64 {
        let fixture = fixture.clone();
        // Two tasks for each name: one of them finds it taken.
        tasks.spawn(async move { fixture.registry.create_function(new(&format!("f{}", number / 2), 1)).await.is_ok() });
    }
    assert_eq!(tasks.join_all().await.into_iter().filter(|created| *created).count(), 32);
    assert_eq!(fixture.registry.catalog().functions_len(), 32);
}

#[tokio::test]
async fn bad_tags_at_creation_are_refused() {
    let fixture = Fixture::new();
    let with = |pairs: &[(&str, &str)]| NewFunction { tags: tags(pairs), ..new("f", 1) };
    let refused = fixture.registry.create_function(with(&[("lamina:fuel", "lots")])).await;
    assert!(matches!(refused, Err(Error::Setting(_))));
    let change = fixture.registry.create_function(with(&[("lamina:fuel", "5000")])).await.unwrap();
    assert_eq!(change.view.settings.fuel, Some(5_000));
}
