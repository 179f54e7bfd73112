//! What the audit log is told, and that it is told with the change or not at all.

use lamina_registry::Event;
use lamina_types::{Actor, RequestId};
use serde_json::Value;

use crate::{Fixture, new};

async fn actions(fixture: &Fixture) -> Vec<(String, String)> {
    let lines = fixture.registry.audit_lines(0, 1_000).await.unwrap();
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    let entries = lines.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
    entries.map(|entry| (text(&entry, "action"), text(&entry, "principal"))).collect()
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(one, other)| ((*one).to_owned(), (*other).to_owned())).collect()
}

#[tokio::test]
async fn changes_are_told_in_the_name_of_who_made_them() {
    let fixture = Fixture::new();
    let pem = lamina_signing::SecretKey::from_random(&[5; 32]).public().to_pem().unwrap();
    let by = Actor { principal: "AKIA".to_owned(), request: Some(RequestId::from_random([9; 16])) };
    let acting = fixture.registry.acting(by);
    let key = acting.trust(&pem, "ci").await.unwrap().key;
    acting.trust(&pem, "ci").await.unwrap();
    acting.create_function(new("f", 1)).await.unwrap();
    let permission = crate::access::anyone(&"f".parse().unwrap(), "s", "lambda:InvokeFunction");
    acting.add_permission(permission.clone()).await.unwrap();
    assert!(acting.add_permission(permission).await.is_err(), "what is refused is not told");
    acting.remove_permission(&"f".parse().unwrap(), "s", None).await.unwrap();
    acting.revoke(&key.id).await.unwrap();
    fixture.registry.audit(Event::new("SecretsRead").with("functions", vec!["f"])).await.unwrap();
    let expect = owned(&[
        ("TrustAdded", "AKIA"),
        ("CodeAdmitted", "AKIA"),
        ("PermissionAdded", "AKIA"),
        ("PermissionRemoved", "AKIA"),
        ("TrustRevoked", "AKIA"),
        ("SecretsRead", "platform"),
    ]);
    assert_eq!(actions(&fixture).await, expect);
    let head = fixture.registry.sign_audit_head().await.unwrap().unwrap();
    assert_eq!(head.n, 6);
    head.verify(&fixture.registry.audit_public_key()).unwrap();
    drop(acting);
    let again = fixture.reopen().await;
    assert_eq!(actions(&again).await, expect);
    again.registry.audit(Event::new("SecretsRead")).await.unwrap();
    assert_eq!(actions(&again).await.len(), 7, "numbers go on");
}

#[tokio::test]
async fn an_entry_that_is_too_large_fails_with_its_change_and_leaves_no_gap() {
    let fixture = Fixture::new();
    let large = Event::new("TooLarge").with("text", "x".repeat(70_000));
    fixture.registry.audit(large).await.unwrap_err();
    fixture.registry.audit(Event::new("Small").because(&"y".repeat(70_000))).await.unwrap();
    assert_eq!(actions(&fixture).await, owned(&[("Small", "platform")]));
}
