//! Settings that Lambda has no field for: tags whose names begin with `lamina:`.

use harness::{Platform, creation};
use serde_json::{Value, json};

use crate::common::{failure, platform};

const TAGS: &str = "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Aburns";
const VERSIONS: &str = "/2015-03-31/functions/burns/versions";

async fn tag(platform: &Platform, name: &str, value: &str) -> harness::Reply {
    platform.client.json("POST", TAGS, &json!({ "Tags": { name: value } })).await
}

async fn burns() -> Platform {
    let platform = platform().await;
    let mut creation = creation("burns", &platform.sign(&test_guests::component("guest-function")));
    creation["Tags"] = json!({"lamina:fuel": "50000000"});
    platform.create(&creation).await;
    platform
}

/// Fuel used by one call with this event.
async fn fuel(platform: &Platform, event: &Value) -> u64 {
    let (reply, tail) = platform.invoke_tail("burns", event).await;
    assert_eq!((reply.status, reply.header("x-amz-function-error")), (200, ""), "{tail}");
    let fuel = tail.split("Fuel Used: ").nth(1).and_then(|rest| rest.split('\t').next());
    fuel.and_then(|fuel| fuel.parse().ok()).unwrap_or_else(|| panic!("no fuel in {tail}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn fuel_bounds_a_call_and_a_version_keeps_its_own() {
    let platform = burns().await;
    let some = json!({"do": "burn", "rounds": 10_000});
    let endless = json!({"do": "spin"});
    platform.invoke("burns", &some).await.expect(200);
    let (kind, _) = failure(&platform.invoke("burns", &endless).await);
    assert_eq!(kind, "Runtime.OutOfFuel");
    platform.client.json("POST", VERSIONS, &json!({})).await.expect(201);

    tag(&platform, "lamina:fuel", "2000").await.expect(204);
    let (kind, _) = failure(&platform.invoke("burns", &some).await);
    assert_eq!(kind, "Runtime.OutOfFuel", "the new budget counts at once");
    let version = platform.invoke("burns%3A1", &some).await.expect(200);
    assert_eq!(version.header("x-amz-function-error"), "", "a version keeps the budget it was published with");

    let untag = format!("{TAGS}?tagKeys=lamina%3Afuel");
    platform.client.call("DELETE", &untag, "").await.expect(204);
    let reply = platform.invoke("burns", &some).await.expect(200);
    assert_eq!(reply.header("x-amz-function-error"), "", "the operator's rate counts again");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_cannot_be_are_refused() {
    let platform = burns().await;
    let refusals = [
        ("lamina:fuel", "lots", "lamina:fuel"),
        ("lamina:fuel", "0", "lamina:fuel"),
        ("lamina:fuel", "-1", "lamina:fuel"),
        ("lamina:seed", "x", "lamina:seed"),
        ("lamina:nonsense", "1", "lamina:nonsense"),
    ];
    for (name, value, text) in refusals {
        tag(&platform, name, value).await.refused(400, "InvalidParameterValueException", text);
        let mut creation = creation("other", &platform.sign(&harness::tiny::echo()));
        creation["Tags"] = json!({ name: value });
        let reply = platform.client.json("POST", "/2015-03-31/functions", &creation).await;
        reply.refused(400, "InvalidParameterValueException", text);
    }
    let tags = platform.client.get(TAGS).await.expect(200).json();
    assert_eq!(tags["Tags"], json!({"lamina:fuel": "50000000"}), "a refused call changes nothing");
}

/// With a seed, time and randomness are fixed: the same event burns the same fuel.
#[tokio::test(flavor = "multi_thread")]
async fn a_seeded_function_repeats_itself_exactly() {
    let platform = burns().await;
    tag(&platform, "lamina:seed", "7").await.expect(204);
    let event = json!({"do": "sources"});
    let (one, two) = tokio::join!(platform.invoke("burns", &event), platform.invoke("burns", &event));
    assert_eq!(one.expect(200).text(), two.expect(200).text());
    let burnt = fuel(&platform, &event).await;
    for _ in 0..5 {
        assert_eq!(fuel(&platform, &event).await, burnt);
    }
    tag(&platform, "lamina:seed", "8").await.expect(204);
    let other = platform.invoke("burns", &event).await.expect(200).text();
    tag(&platform, "lamina:seed", "7").await.expect(204);
    assert_ne!(other, platform.invoke("burns", &event).await.expect(200).text());
    // A fault of a call's fuel is deterministic too, and so is what is left of it.
    let more = fuel(&platform, &json!({"do": "burn", "rounds": 2_000})).await;
    let less = fuel(&platform, &json!({"do": "burn", "rounds": 1_000})).await;
    assert!(more > less, "{more} {less}");
}
