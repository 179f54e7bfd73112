//! Versions that ask for a snapshot: Pending while it is made, and callable.

use lamina_registry::NewFunction;
use lamina_types::records::{ConfigurationChange, Snapshot, State, UpdateStatus};
use lamina_types::{FunctionRef, Version};

use crate::{Fixture, new};

impl Fixture {
    /// A function whose versions ask for snapshots.
    async fn snap_starting(&self, name: &str) -> lamina_types::FunctionName {
        let function = self.created(name).await;
        self.snap_start(name, true).await;
        function
    }

    async fn snap_start(&self, name: &str, on: bool) {
        let change = ConfigurationChange { snap_start: Some(on), ..Default::default() };
        let change = self.configure(name, change).await.unwrap();
        self.complete(&change, Ok(())).await;
    }

    /// Whether calls of this version may be restored from a snapshot.
    fn may_be_restored(&self, function: &str) -> bool {
        let (name, qualifier) = function.split_once(':').unwrap_or((function, "$LATEST"));
        let function = FunctionRef { name: name.parse().unwrap(), qualifier: Some(qualifier.parse().unwrap()) };
        self.registry.resolve(&function).unwrap().snapshot.is_some()
    }
}

#[tokio::test]
async fn a_version_is_pending_while_its_snapshot_is_made_and_runs() {
    let fixture = Fixture::new();
    let name = fixture.snap_starting("f").await;
    let one = fixture.publish("f", None).await.unwrap();
    assert_eq!((&one.state, &one.update, &one.snapshot), (&State::Pending, &None, &Some(Snapshot::Wanted)));
    assert_eq!(fixture.runs("f:1"), Ok(1), "nobody waits for a snapshot");
    assert!(fixture.may_be_restored("f:1") && !fixture.may_be_restored("f"), "never of $LATEST");
    assert_eq!(fixture.registry.snapshots_wanted(), [(name.clone(), Version::Number(1))]);
    // Publishing the same again makes no second.
    assert_eq!(fixture.publish("f", None).await.unwrap().version, Version::Number(1));
    // A stop in between loses nothing.
    let fixture = fixture.reopen().await;
    assert_eq!(fixture.registry.snapshots_wanted(), [(name.clone(), Version::Number(1))]);
    fixture.registry.end_snapshot(&name, 1, Ok(())).await.unwrap();
    let made = fixture.view("f", Version::Number(1));
    assert_eq!((made.state, made.update), (State::Active, Some(UpdateStatus::Successful)));
    assert_eq!(made.snapshot, Some(Snapshot::Made));
    assert_ne!(made.revision, one.revision);
    assert!(fixture.registry.snapshots_wanted().is_empty());
    // The same again is no change.
    fixture.registry.end_snapshot(&name, 1, Ok(())).await.unwrap();
    assert_eq!(fixture.view("f", Version::Number(1)).revision, made.revision);
    // One that is given up later says why, and one that is made again is there.
    for (end, expect) in [(Err("lost".to_owned()), Snapshot::Off { reason: "lost".into() }), (Ok(()), Snapshot::Made)] {
        fixture.registry.end_snapshot(&name, 1, end).await.unwrap();
        let view = fixture.view("f", Version::Number(1));
        assert_eq!((view.state, view.snapshot), (State::Active, Some(expect)));
    }
    // Neither of a version that is not there, nor of one that asks for none.
    fixture.registry.end_snapshot(&name, 9, Ok(())).await.unwrap();
    fixture.snap_start("f", false).await;
    fixture.publish("f", None).await.unwrap();
    fixture.registry.end_snapshot(&name, 2, Ok(())).await.unwrap();
    assert_eq!(fixture.view("f", Version::Number(2)).snapshot, None);
}

#[tokio::test]
async fn a_version_without_its_snapshot_is_active_and_says_why() {
    let fixture = Fixture::new();
    let name = fixture.snap_starting("f").await;
    fixture.publish("f", None).await.unwrap();
    fixture.registry.end_snapshot(&name, 1, Err("a file was left open".into())).await.unwrap();
    let view = fixture.view("f", Version::Number(1));
    let off = Snapshot::Off { reason: "a file was left open".into() };
    assert_eq!((view.state, view.snapshot, fixture.runs("f:1")), (State::Active, Some(off), Ok(1)));
    // Without SnapStart a version is Active at once.
    fixture.snap_start("f", false).await;
    let two = fixture.publish("f", None).await.unwrap();
    assert_eq!((two.version, two.state, two.snapshot), (Version::Number(2), State::Active, None));
    assert!(!fixture.may_be_restored("f:2"));
}

#[tokio::test]
async fn a_version_made_with_its_function_waits_for_code_then_for_its_snapshot() {
    let fixture = Fixture::new();
    let mut function = NewFunction { publish: true, ..new("f", 1) };
    function.configuration.snap_start = true;
    let change = fixture.registry.create_function(function).await.unwrap();
    assert_eq!((&change.view.state, &change.view.snapshot), (&State::Pending, &None));
    assert!(fixture.runs("f:1").is_err(), "its code is not ready");
    fixture.complete(&change, Ok(())).await;
    let view = fixture.view("f", Version::Number(1));
    assert_eq!((view.state, view.snapshot), (State::Pending, Some(Snapshot::Wanted)));
    assert_eq!((fixture.runs("f:1"), fixture.runs("f")), (Ok(1), Ok(1)));
}
