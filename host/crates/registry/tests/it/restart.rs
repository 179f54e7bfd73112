//! What is there after the process ended.

use lamina_registry::{NewFunction, NewUrl, Permission};
use lamina_types::records::{FunctionView, Statement};
use lamina_types::{FunctionName, Version};

use crate::{Fixture, code, new, tags};

fn everything(fixture: &Fixture) -> Vec<(Vec<FunctionView>, String)> {
    let catalog = fixture.registry.catalog();
    let entry = |entry: &lamina_registry::FunctionEntry| {
        let views = entry.versions().map(|version| entry.view(version).unwrap()).collect();
        (views, format!("{:?} {:?} {:?}", entry.tags(), entry.policy(), entry.url()))
    };
    catalog.functions().map(entry).collect()
}

#[tokio::test]
async fn the_catalog_comes_back_as_it_was() {
    let fixture = Fixture::new();
    for number in 0..20 {
        let name = fixture.created(&format!("f{number}")).await;
        fixture.publish(name.as_str(), None).await.unwrap();
        fixture.registry.tag(&name, tags(&[("lamina:fuel", "5000")])).await.unwrap();
        fixture.registry.create_url(NewUrl { name: name.clone(), invoke_mode: None, cors: None }).await.unwrap();
        let statement = Statement {
            sid: "s".into(),
            action: "lambda:InvokeFunction".into(),
            principal: "s3.amazonaws.com".into(),
            source_arn: Some("arn:aws:s3:::b".into()),
            source_account: None,
            principal_org_id: None,
            event_source_token: None,
            function_url_auth_type: None,
            invoked_via_function_url: None,
        };
        fixture.registry.add_permission(Permission { name: name.clone(), statement, revision: None }).await.unwrap();
        match number % 4 {
            0 => fixture.registry.delete(&name, None).await.unwrap(),
            1 => fixture.registry.delete(&name, Some(1)).await.unwrap(),
            2 => fixture.registry.delete_url(&name).await.unwrap(),
            _ => fixture.registry.remove_permission(&name, "s", None).await.unwrap(),
        }
    }
    let (before, bytes) = (everything(&fixture), fixture.registry.catalog().code_bytes());
    let fixture = fixture.reopen().await;
    assert_eq!(everything(&fixture), before);
    assert_eq!((before.len(), fixture.registry.catalog().code_bytes()), (15, bytes));
}

#[tokio::test]
async fn interrupted_changes_are_found_and_finished() {
    let fixture = Fixture::new();
    fixture.created("done").await;
    fixture.created("updated").await;
    let updated = fixture.update("updated", 2, true).await.unwrap();
    let created = fixture.registry.create_function(NewFunction { publish: true, ..new("created", 3) }).await.unwrap();
    let fixture = fixture.reopen().await;
    let name = |text: &str| text.parse::<FunctionName>().unwrap();
    let expect =
        [(name("created"), created.revision.clone(), code(3)), (name("updated"), updated.revision.clone(), code(2))];
    assert_eq!(fixture.registry.unfinished(), expect);
    assert_eq!(fixture.runs("updated"), Ok(1));
    fixture.complete(&created, Ok(())).await;
    fixture.complete(&updated, Ok(())).await;
    assert!(fixture.registry.unfinished().is_empty());
    assert_eq!((fixture.runs("created:1"), fixture.runs("updated:1")), (Ok(3), Ok(2)));
}

#[tokio::test]
async fn a_writer_that_leaves_changes_nothing_or_everything() {
    let fixture = Fixture::new();
    for number in 0..50 {
        let name = format!("f{number}");
        let mut create = Box::pin(fixture.registry.create_function(new(&name, 1)));
        // Polled a few times, then dropped.
        for _ in 0..number % 5 {
            let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(create.as_mut().poll(cx).is_ready()));
            if polled.await {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(create);
    }
    assert!(fixture.registry.drain(std::time::Duration::from_secs(10)).await);
    let before = everything(&fixture);
    assert!(before.iter().all(|(views, _)| views[0].version == Version::Latest));
    assert_eq!(everything(&fixture.reopen().await), before);
}
