//! Trust after the deploy: keys that are revoked, and a disk that lies.

use std::fs;

use harness::tiny;
use lamina_signing::SecretKey;
use serde_json::json;

use crate::common::platform;
use crate::directory::{damage, files};

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_stops_the_next_call() {
    let platform = platform().await;
    platform.deploy("mine", &tiny::constant("1")).await;
    let url = platform.url("mine", "BUFFERED").await;
    // Of this one another signer stays.
    let other = SecretKey::from_random(&[8; 32]);
    platform.trust(&other.public()).await;
    let both = lamina_signing::sign(&platform.sign(&tiny::constant("2")), &other).unwrap();
    platform.create(&harness::creation("ours", &both)).await;
    for (name, answer) in [("mine", "1"), ("ours", "2")] {
        assert_eq!(platform.invoke(name, &json!({})).await.expect(200).text(), answer);
    }

    let id = platform.key().public().id();
    let revoke = format!("/lamina/v1/trust/{id}");
    platform.client.call("DELETE", &revoke, "").await.expect(204);
    platform.invoke("mine", &json!({})).await.refused(400, "CodeVerificationFailedException", "");
    assert!(url.get("/").await.status >= 400, "the URL still answers");
    assert_eq!(platform.invoke("ours", &json!({})).await.expect(200).text(), "2");
    platform.client.call("DELETE", &revoke, "").await.refused(404, "ResourceNotFoundException", "");
    let keys = platform.client.get("/lamina/v1/trust").await.expect(200).json();
    assert_eq!(keys["Keys"].as_array().unwrap().len(), 1);
    assert_eq!(keys["Keys"][0]["KeyId"], other.public().id().as_str());

    // Trusted again, it runs again.
    platform.trust(&platform.key().public()).await;
    assert_eq!(platform.invoke("mine", &json!({})).await.expect(200).text(), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_stays_revoked_after_a_restart() {
    let mut platform = platform().await;
    platform.deploy("mine", &tiny::echo()).await;
    let revoke = format!("/lamina/v1/trust/{}", platform.key().public().id());
    platform.client.call("DELETE", &revoke, "").await.expect(204);
    platform.stop();
    platform.start_again();
    platform.invoke("mine", &json!({})).await.refused(400, "CodeVerificationFailedException", "");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_artifact_changed_on_disk_is_not_run() {
    let mut platform = platform().await;
    platform.deploy("mine", &tiny::echo()).await;
    platform.stop();
    let stored = files(platform.data().join("artifacts/sha256"));
    assert_eq!(stored.len(), 1, "{stored:?}");
    damage(&stored[0]);
    // The compiled image is untouched: it must not be run without its source's consent.
    assert_eq!(files(platform.data().join("artifacts/derived/images")).len(), 1);
    platform.start_again();
    let reply = platform.invoke("mine", &json!(1)).await;
    assert!(reply.status >= 400 && reply.header("x-amz-function-error").is_empty(), "it ran: {reply:?}");
    assert!(!reply.error().is_empty(), "{reply:?}");
    let status = platform.client.get("/lamina/v1/status").await.expect(200);
    assert_eq!(status.json()["Functions"], 1, "the platform itself stays up");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_image_is_made_again() {
    let mut platform = platform().await;
    platform.deploy("mine", &tiny::constant("\"intact\"")).await;
    let images = platform.data().join("artifacts/derived/images");
    for harm in ["changed", "cut", "emptied", "removed"] {
        platform.stop();
        let found = files(images.clone());
        assert_eq!(found.len(), 1, "{harm}: {found:?}");
        let image = &found[0];
        let good = fs::read(image).unwrap();
        match harm {
            "changed" => damage(image),
            "cut" => fs::write(image, &good[..good.len() / 2]).unwrap(),
            "emptied" => fs::write(image, "").unwrap(),
            _ => fs::remove_file(image).unwrap(),
        }
        platform.start_again();
        let reply = platform.invoke("mine", &json!(1)).await.expect(200);
        assert_eq!((reply.header("x-amz-function-error"), reply.text().as_str()), ("", "\"intact\""), "{harm}");
        let made = fs::read(&files(images.clone())[0]).unwrap();
        assert_eq!(made.len(), good.len(), "{harm}: the image was not made again");
    }
}

/// An image that another host made, with a key of its own, is no better than a
/// damaged one.
#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_image_is_made_again() {
    let (mut ours, mut theirs) = tokio::join!(platform(), platform());
    ours.deploy("mine", &tiny::constant("1")).await;
    theirs.deploy("mine", &tiny::constant("1")).await;
    ours.stop();
    theirs.stop();
    let images = ours.data().join("artifacts/derived/images");
    let (our_file, their_file) = (&files(images.clone())[0], &files(theirs.data().join("artifacts/derived/images"))[0]);
    assert_eq!(our_file.file_name(), their_file.file_name(), "images are named by component and engine");
    let foreign = fs::read(their_file).unwrap();
    fs::write(our_file, &foreign).unwrap();
    ours.start_again();
    assert_eq!(ours.invoke("mine", &json!(1)).await.expect(200).text(), "1");
    assert_ne!(fs::read(&files(images)[0]).unwrap(), foreign);
}
