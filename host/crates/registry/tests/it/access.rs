//! Tags, URLs, policies, keys and credentials.

use lamina_registry::{Error, NewUrl, Permission, Revised, UrlChange, public_key_pem};
use lamina_signing::SecretKey;
use lamina_types::records::{Cors, Credential, InvokeMode, Statement, UrlConfig};
use lamina_types::{FunctionName, RevisionId, Timestamp};

use crate::{Fixture, tags};

fn url(name: &FunctionName, invoke_mode: Option<InvokeMode>, cors: Option<Cors>) -> NewUrl {
    NewUrl { name: name.clone(), invoke_mode, cors }
}

pub(crate) fn anyone(name: &FunctionName, sid: &str, action: &str) -> Permission {
    let statement = Statement {
        sid: sid.into(),
        action: action.into(),
        principal: "*".into(),
        source_arn: None,
        source_account: None,
        principal_org_id: None,
        event_source_token: None,
        function_url_auth_type: None,
        invoked_via_function_url: None,
    };
    Permission { name: name.clone(), statement, revision: None }
}

#[tokio::test]
async fn tags_merge_and_are_bounded() {
    let fixture = Fixture::new();
    let name = fixture.created("f").await;
    let all = || fixture.registry.catalog().function(&name).unwrap().tags().clone();
    fixture.registry.tag(&name, tags(&[("a", "1"), ("b", "2")])).await.unwrap();
    fixture.registry.tag(&name, tags(&[("b", "3"), ("lamina:seed", "7")])).await.unwrap();
    assert_eq!(all(), tags(&[("a", "1"), ("b", "3"), ("lamina:seed", "7")]));
    for refused in [tags(&[("lamina:seed", "x")]), tags(&[("lamina:nothing", "1")])] {
        assert!(matches!(fixture.registry.tag(&name, refused).await, Err(Error::Setting(_))));
    }
    let many = (0..48).map(|number| (format!("t{number}"), String::new())).collect();
    assert!(matches!(fixture.registry.tag(&name, many).await, Err(Error::TooManyTags { max: 50 })));
    fixture.registry.untag(&name, vec!["a".into(), "c".into()]).await.unwrap();
    assert_eq!(all(), tags(&[("b", "3"), ("lamina:seed", "7")]));
    let gone = "g".parse().unwrap();
    assert!(matches!(fixture.registry.tag(&gone, tags(&[])).await, Err(Error::FunctionNotFound(_))));
}

#[tokio::test]
async fn a_function_has_one_url() {
    let fixture = Fixture::new();
    let name = fixture.created("f").await;
    let made = fixture.registry.create_url(url(&name, None, None)).await.unwrap();
    assert!(matches!(fixture.registry.create_url(url(&name, None, None)).await, Err(Error::UrlExists(_))));
    let cors = Some(Cors { max_age_s: Some(1), ..Cors::default() });
    let change = UrlChange { name: name.clone(), invoke_mode: None, cors: cors.clone() };
    fixture.registry.update_url(change).await.unwrap();
    fixture.clock.advance(std::time::Duration::from_secs(1));
    let change = UrlChange { name: name.clone(), invoke_mode: Some(InvokeMode::ResponseStream), cors: None };
    let changed = fixture.registry.update_url(change.clone()).await.unwrap();
    let expect = UrlConfig {
        invoke_mode: Some(InvokeMode::ResponseStream),
        cors,
        last_modified: Timestamp(made.created.0 + 1_000_000),
        ..made.clone()
    };
    assert_eq!(changed, expect);
    assert_eq!(fixture.registry.catalog().url(&made.id).unwrap().config, expect);
    fixture.registry.delete_url(&name).await.unwrap();
    assert!(fixture.registry.catalog().url(&made.id).is_none());
    assert!(matches!(fixture.registry.delete_url(&name).await, Err(Error::UrlNotFound(_))));
    assert!(matches!(fixture.registry.update_url(change).await, Err(Error::UrlNotFound(_))));
    let again = fixture.registry.create_url(url(&name, None, None)).await.unwrap();
    assert_ne!(again.id, made.id);
    fixture.registry.delete(&name, None).await.unwrap();
    assert!(fixture.registry.catalog().url(&again.id).is_none());
}

#[tokio::test]
async fn a_url_is_public_by_both_statements() {
    let fixture = Fixture::new();
    let name = fixture.created("f").await;
    let made = fixture.registry.create_url(url(&name, None, None)).await.unwrap();
    let is_public = || fixture.registry.catalog().url(&made.id).unwrap().is_public;
    assert!(!is_public());
    fixture.registry.add_permission(anyone(&name, "1", "lambda:InvokeFunctionUrl")).await.unwrap();
    assert!(!is_public());
    fixture.registry.add_permission(anyone(&name, "2", "lambda:InvokeFunction")).await.unwrap();
    assert!(is_public());
    fixture.registry.remove_permission(&name, "1", None).await.unwrap();
    assert!(!is_public());
}

#[tokio::test]
async fn policies_have_their_own_revision_and_bounds() {
    let fixture = Fixture::new();
    let name = fixture.created("f").await;
    let function = fixture.view("f", lamina_types::Version::Latest).revision;
    let policy = || fixture.registry.catalog().function(&name).unwrap().policy().cloned();
    assert!(matches!(fixture.registry.remove_permission(&name, "1", None).await, Err(Error::PolicyNotFound(_))));
    fixture.registry.add_permission(anyone(&name, "1", "lambda:InvokeFunction")).await.unwrap();
    let first = policy().unwrap();
    assert_ne!(first.revision, function);
    assert_eq!(fixture.view("f", lamina_types::Version::Latest).revision, function);
    let refused = fixture.registry.add_permission(anyone(&name, "1", "lambda:GetFunction")).await;
    assert!(matches!(refused, Err(Error::StatementExists(_))));
    let stale = Some(RevisionId::from_random([0; 16]));
    let refused = Permission { revision: stale.clone(), ..anyone(&name, "2", "lambda:GetFunction") };
    let refused = fixture.registry.add_permission(refused).await;
    assert!(matches!(refused, Err(Error::StaleRevision(Revised::Policy))));
    let refused = fixture.registry.remove_permission(&name, "1", stale).await;
    assert!(matches!(refused, Err(Error::StaleRevision(Revised::Policy))));
    assert!(matches!(fixture.registry.remove_permission(&name, "2", None).await, Err(Error::StatementNotFound(_))));
    fixture.registry.remove_permission(&name, "1", Some(first.revision)).await.unwrap();
    assert_eq!(policy(), None);
    let mut added = 0;
    let refused = loop {
        let sid = format!("{added:0100}");
        match fixture.registry.add_permission(anyone(&name, &sid, "lambda:InvokeFunction")).await {
            Ok(()) => added += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, Error::PolicyTooLong { max: 20_480 }) && added > 40, "{added}: {refused}");
}

#[tokio::test]
async fn keys_are_trusted_and_revoked() {
    let fixture = Fixture::new();
    let key = SecretKey::from_random(&[7; 32]).public();
    let pem = key.to_pem().unwrap();
    assert!(matches!(fixture.registry.trust("x", "").await, Err(Error::KeyInvalid(_))));
    let trusted = fixture.registry.trust(&pem, "ci").await.unwrap();
    assert_eq!((trusted.is_new, trusted.key.id.as_str(), trusted.key.name.as_str()), (true, key.id().as_str(), "ci"));
    assert_eq!(public_key_pem(&trusted.key).unwrap(), pem);
    let again = fixture.registry.trust(&pem, "").await.unwrap();
    assert_eq!((again.is_new, &again.key), (false, &trusted.key));
    let renamed = fixture.registry.trust(&pem, "other").await.unwrap();
    assert_eq!((renamed.is_new, renamed.key.name.as_str(), &renamed.key.added), (false, "other", &trusted.key.added));
    for seed in 8..12 {
        let other = SecretKey::from_random(&[seed; 32]).public().to_pem().unwrap();
        fixture.registry.trust(&other, "").await.unwrap();
    }
    let fixture = fixture.reopen().await;
    let catalog = fixture.registry.catalog();
    assert!(catalog.trusted().contains(&renamed.key));
    assert!(catalog.trusted().is_sorted_by_key(|key| &key.id) && catalog.trusted().len() == 5);
    for (record, key) in catalog.trusted().iter().zip(catalog.keys()) {
        assert_eq!(record.id, key.id().as_str());
    }
    fixture.registry.revoke(&trusted.key.id).await.unwrap();
    assert!(matches!(fixture.registry.revoke(&trusted.key.id).await, Err(Error::KeyUnknown(_))));
    let fixture = fixture.reopen().await;
    assert!(fixture.registry.catalog().trusted().iter().all(|key| key.id != trusted.key.id));
}

#[tokio::test]
async fn credentials_are_kept() {
    let fixture = Fixture::new();
    let credential = Credential {
        access_key_id: "AKIAAAAAAAAAAAAAAAAA".into(),
        secret_access_key: "s".repeat(40),
        created: Timestamp(1),
    };
    fixture.registry.add_credential(credential.clone()).await.unwrap();
    let fixture = fixture.reopen().await;
    assert_eq!(fixture.registry.catalog().credential("AKIAAAAAAAAAAAAAAAAA"), Some(&credential));
    assert_eq!(fixture.registry.catalog().credential("AKIAAAAAAAAAAAAAAAAB"), None);
}
