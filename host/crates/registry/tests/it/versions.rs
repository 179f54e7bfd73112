//! Published versions: numbers, what they freeze, and their guards.

use lamina_registry::{Config, Error, NewFunction, PublishVersion};
use lamina_types::records::{ConfigurationChange, State};
use lamina_types::{RevisionId, Version};

use crate::{Fixture, code, config, new, tags};

#[tokio::test]
async fn a_creation_can_publish_version_1() {
    let fixture = Fixture::new();
    let change = fixture.registry.create_function(NewFunction { publish: true, ..new("f", 1) }).await.unwrap();
    assert_eq!((change.view.version, &change.view.state), (Version::Number(1), &State::Pending));
    assert!(fixture.runs("f:1").is_err());
    fixture.complete(&change, Ok(())).await;
    assert_eq!((fixture.runs("f"), fixture.runs("f:1")), (Ok(1), Ok(1)));
    assert_ne!(fixture.view("f", Version::Number(1)).revision, change.view.revision);
    let change = fixture.update("f", 2, true).await.unwrap();
    assert_eq!((change.view.version, &change.view.state), (Version::Number(2), &State::Pending));
    assert_eq!((fixture.runs("f"), fixture.runs("f:1")), (Ok(1), Ok(1)));
    fixture.complete(&change, Ok(())).await;
    assert_eq!((fixture.runs("f"), fixture.runs("f:1"), fixture.runs("f:2")), (Ok(2), Ok(1), Ok(2)));
    // The same code again makes no version.
    let change = fixture.update("f", 2, true).await.unwrap();
    assert_eq!(change.view.version, Version::Number(2));
    fixture.complete(&change, Ok(())).await;
    assert_eq!(fixture.publish("f", None).await.unwrap().version, Version::Number(2));
}

#[tokio::test]
async fn versions_freeze_what_they_were_made_of() {
    let fixture = Fixture::new();
    let name = fixture.created("f").await;
    fixture.registry.tag(&name, tags(&[("lamina:fuel", "5000"), ("team", "a")])).await.unwrap();
    let before = fixture.view("f", Version::Latest).revision;
    let one = fixture.publish("f", Some("the first")).await.unwrap();
    assert_eq!((one.version, &one.state, one.settings.fuel), (Version::Number(1), &State::Active, Some(5_000)));
    assert_eq!(one.configuration.description, "the first");
    let latest = fixture.view("f", Version::Latest);
    assert_eq!(latest.configuration.description, "first");
    assert_ne!(latest.revision, before);
    // A new description alone makes no version, other settings do.
    assert_eq!(fixture.publish("f", Some("again")).await.unwrap(), one);
    fixture.registry.untag(&name, vec!["lamina:fuel".into(), "unknown".into()]).await.unwrap();
    let two = fixture.publish("f", None).await.unwrap();
    assert_eq!((two.version, two.settings.fuel), (Version::Number(2), None));
    assert_eq!(fixture.view("f", Version::Number(1)), one);
    let change =
        fixture.configure("f", ConfigurationChange { timeout_s: Some(9), ..Default::default() }).await.unwrap();
    fixture.complete(&change, Ok(())).await;
    assert_eq!(fixture.view("f", Version::Number(2)), two);
    assert_eq!(fixture.publish("f", None).await.unwrap().version, Version::Number(3));
}

#[tokio::test]
async fn numbers_are_never_given_again() {
    let fixture = Fixture::new();
    let name = fixture.created("f").await;
    fixture.publish("f", None).await.unwrap();
    fixture.registry.delete(&name, Some(1)).await.unwrap();
    fixture.registry.delete(&name, Some(1)).await.unwrap();
    fixture.registry.delete(&name, Some(77)).await.unwrap();
    assert_eq!(fixture.runs("f:1"), Err("function f has no version or alias 1".into()));
    let fixture = fixture.reopen().await;
    // The same code, but the version published last is gone.
    assert_eq!(fixture.publish("f", None).await.unwrap().version, Version::Number(2));
    let versions: Vec<_> = fixture.registry.catalog().function(&name).unwrap().versions().collect();
    assert_eq!(versions, [Version::Latest, Version::Number(2)]);
}

#[tokio::test]
async fn publications_are_guarded() {
    let fixture = Fixture::new();
    let name = fixture.created("f").await;
    let publish = |sha: Option<&str>, revision| PublishVersion {
        name: name.clone(),
        code_sha256: sha.map(str::to_owned),
        description: None,
        revision,
    };
    let refused = fixture.registry.publish_version(publish(Some("x"), None)).await.unwrap_err();
    let current = code(1).package.to_base64();
    assert!(matches!(refused, Error::CodeShaDiffers { given, current: told } if given == "x" && told == current));
    let stale = RevisionId::from_random([1; 16]);
    let refused = fixture.registry.publish_version(publish(Some(&current), Some(stale))).await;
    assert!(matches!(refused, Err(Error::StaleRevision(_))));
    let revision = fixture.view("f", Version::Latest).revision;
    fixture.registry.publish_version(publish(Some(&current), Some(revision))).await.unwrap();
}

#[tokio::test]
async fn versions_are_bounded() {
    let fixture = Fixture::with(Config { versions_max: 1, ..config() });
    fixture.created("f").await;
    fixture.publish("f", None).await.unwrap();
    let change = fixture.update("f", 2, false).await.unwrap();
    fixture.complete(&change, Ok(())).await;
    assert!(matches!(fixture.publish("f", None).await, Err(Error::TooManyVersions { max: 1, .. })));
    assert!(matches!(fixture.update("f", 3, true).await, Err(Error::TooManyVersions { .. })));
    assert_eq!(fixture.runs("f:$LATEST"), Ok(2));
    assert_eq!(fixture.runs("f:live"), Err("function f has no version or alias live".into()));
}
