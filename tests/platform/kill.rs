//! `kill -9`: what was acknowledged is there afterwards.

use harness::tiny;
use serde_json::{Value, json};

use crate::common::platform;

const TAGS: &str = "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Akept";

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_a_kill() {
    let mut platform = platform().await;
    platform.deploy("kept", &tiny::echo()).await;
    platform.kill();
    platform.start_again();
    assert_eq!(platform.invoke("kept", &json!(1)).await.expect(200).text(), "1");
    for round in 0..4 {
        // Several writers, so that one commit has more than one of them in it.
        let writes = (0..8).map(|writer| {
            let client = platform.client.clone();
            let body = json!({"Tags": {format!("r{round}w{writer}"): "here"}});
            tokio::spawn(async move { client.json("POST", TAGS, &body).await.expect(204) })
        });
        for write in writes.collect::<Vec<_>>() {
            write.await.unwrap();
        }
        platform.kill();
        platform.start_again();
        let tags = platform.client.get(TAGS).await.expect(200).json();
        let kept = tags["Tags"].as_object().map_or(0, serde_json::Map::len);
        assert_eq!(kept, 8 * (round + 1), "{tags}");
    }
}

/// A function that was being made is either not there or gets ready.
#[tokio::test(flavor = "multi_thread")]
async fn a_creation_that_was_interrupted_is_completed() {
    let mut platform = platform().await;
    // Large enough to be compiling still when the server dies.
    let server = platform.sign(&harness::javascript::server());
    let reply = platform.client.json("POST", "/2015-03-31/functions", &harness::creation("late", &server)).await;
    assert_eq!(reply.expect(201).json()["State"], "Pending");
    platform.kill();
    platform.start_again();
    let configuration: Value = platform.active("late").await;
    assert_eq!((&configuration["State"], &configuration["LastUpdateStatus"]), (&json!("Active"), &json!("Successful")));
}

/// An acknowledged deletion is not undone, and leaves no bytes behind once they are
/// old enough.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_stays_deleted() {
    let mut platform = platform().await;
    platform.deploy("gone", &tiny::echo()).await;
    platform.client.call("DELETE", "/2015-03-31/functions/gone", "").await.expect(204);
    platform.kill();
    let files = || crate::directory::files(platform.data().join("artifacts"));
    assert!(!files().is_empty(), "an upload under way might need them");
    for path in files() {
        let yesterday = std::time::SystemTime::now() - std::time::Duration::from_secs(86_400);
        std::fs::File::options().write(true).open(path).unwrap().set_modified(yesterday).unwrap();
    }
    platform.start_again();
    platform.client.get("/2015-03-31/functions/gone").await.expect(404);
    let data = platform.data();
    let is_empty = || crate::directory::files(data.join("artifacts")).is_empty();
    crate::upgrade::until("no artifact is left", is_empty).await;
}
