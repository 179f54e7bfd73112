//! Callers at the same time.

use std::time::Duration;

use futures_util::future::join_all;
use harness::{creation, tiny};
use serde_json::json;

use crate::common::{common, platform};

#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_creators_wins() {
    let platform = platform().await;
    let creation = creation("one", &platform.sign(&tiny::echo()));
    let replies = join_all((0..8).map(|_| platform.client.json("POST", "/2015-03-31/functions", &creation))).await;
    let mut statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
    platform.active("one").await;
    assert_eq!(platform.invoke("one", &json!(1)).await.expect(200).text(), "1");
}

/// Publishing what has not changed gives the version that is there, also at once.
#[tokio::test(flavor = "multi_thread")]
async fn many_publishers_of_one_state_get_one_version() {
    let platform = platform().await;
    platform.deploy("one", &tiny::echo()).await;
    let path = "/2015-03-31/functions/one/versions";
    let none = json!({});
    let replies = join_all((0..8).map(|_| platform.client.json("POST", path, &none))).await;
    for reply in replies {
        assert_eq!(reply.expect(201).json()["Version"], "1");
    }
    let versions = platform.client.get(path).await.expect(200).json();
    assert_eq!(versions["Versions"].as_array().unwrap().len(), 2, "{versions}");
}

/// A call gets the code before or the code after, and never anything else.
#[tokio::test(flavor = "multi_thread")]
async fn updates_do_not_disturb_calls() {
    let platform = platform().await;
    let codes =
        ["1", "2"].map(|answer| creation("f", &platform.sign(&tiny::constant(answer)))["Code"]["ZipFile"].clone());
    platform.deploy("changing", &tiny::constant("1")).await;
    let updates = async {
        for round in 1..=10 {
            let body = json!({ "ZipFile": codes[round % 2] });
            platform.client.json("PUT", "/2015-03-31/functions/changing/code", &body).await.expect(200);
            platform.active("changing").await;
            let answer = platform.invoke("changing", &json!({})).await.expect(200).text();
            assert_eq!(answer, if round % 2 == 1 { "2" } else { "1" }, "an update that is done serves");
        }
    };
    let mut served = 0;
    let calls = async {
        loop {
            let answer = platform.invoke("changing", &json!({})).await.expect(200).text();
            assert!(answer == "1" || answer == "2", "{answer}");
            served += 1;
        }
    };
    tokio::select! {
        () = updates => {}
        () = calls => {}
    }
    assert!(served > 10, "{served} calls were served beside the updates");
}

/// What runs ends, what comes after is told that there is no such function.
#[tokio::test(flavor = "multi_thread")]
async fn a_function_deleted_under_a_call_lets_it_end() {
    let platform = platform().await;
    platform.deploy("does", &test_guests::component("guest-function")).await;
    let event = json!({"do": "sleep", "ms": 1_000});
    let (called, ()) = tokio::join!(platform.invoke("does", &event), async {
        platform.logged("does", "START").await;
        platform.client.call("DELETE", "/2015-03-31/functions/does", "").await.expect(204);
        platform.invoke("does", &json!({})).await.expect(404);
    });
    assert_eq!(called.expect(200).text(), "1000");
}

/// More calls at a time than there are processors, each with an instance of its own.
#[tokio::test(flavor = "multi_thread")]
async fn many_calls_run_at_a_time_and_share_nothing() {
    let common = common().await;
    let started = std::time::Instant::now();
    let event = json!({"do": "sleep", "ms": 500});
    let replies = join_all((0..50).map(|_| common.platform.invoke("does", &event))).await;
    for reply in replies {
        assert_eq!(reply.expect(200).text(), "500");
    }
    assert!(started.elapsed() < Duration::from_secs(10), "they waited for one another: {:?}", started.elapsed());
    let event = json!({"do": "sources"});
    let replies = join_all((0..20).map(|_| common.platform.invoke("does", &event))).await;
    let mut seen: Vec<String> = replies.iter().map(|reply| reply.json()["random"].to_string()).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 20, "instances draw the same randomness");
}
