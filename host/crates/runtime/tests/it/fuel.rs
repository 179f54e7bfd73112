//! Fuel is always metered, and a seeded instance burns the same again.

use lamina_runtime::Config;
use lamina_types::Status;
use lamina_types::settings::Settings;
use serde_json::{Value, json};

use crate::support::Host;

#[tokio::test]
async fn past_the_functions_own_budget_is_out_of_fuel() {
    let host = Host::new();
    let mut function = host.function("guest-function").await;
    function.settings.fuel = Some(2_000_000);
    let called = host.run(&function, json!({"do": "spin"})).await;
    assert_eq!(called.failed_with(), ("Runtime.OutOfFuel", "fuel budget of 2000000 exhausted"));
    assert_eq!(called.usage.status, Status::Crash);
    assert_eq!(called.usage.fuel, 2_000_000);
    assert!(host.run(&function, json!({"do": "echo"})).await.result.is_ok());
}

#[tokio::test]
async fn the_operators_rate_is_per_gb_and_second() {
    let host = Host::with(Config { fuel_per_gb_second: 8_000_000, ..Config::default() });
    let mut function = host.function("guest-function").await;
    function.timeout = std::time::Duration::from_secs(2);
    // 8,000,000 for a GB and a second, an eighth of a GB, two seconds.
    let called = host.run(&function, json!({"do": "spin"})).await;
    assert_eq!(called.failed_with(), ("Runtime.OutOfFuel", "fuel budget of 2000000 exhausted"));
}

#[tokio::test]
async fn fuel_grows_with_the_work() {
    let host = Host::new();
    let burn = async |rounds: u64| host.call(json!({"do": "burn", "rounds": rounds})).await.usage.fuel;
    let (little, much) = (burn(1_000).await, burn(1_001_000).await);
    let each = (much - little) as f64 / 1e6;
    assert!((3.0..30.0).contains(&each), "{each} a round");
}

#[tokio::test]
async fn a_seeded_instance_is_deterministic() {
    let host = Host::new();
    let mut function = host.function("guest-function").await;
    let mut seeded = async |seed: Option<u64>, event: Value| {
        function.settings = Settings { fuel: None, seed };
        let called = host.run(&function, event).await;
        (called.answer(), called.usage.fuel)
    };
    let sources = || json!({"do": "sources"});
    let first = seeded(Some(1), sources()).await;
    for _ in 0..3 {
        assert_eq!(seeded(Some(1), sources()).await, first);
    }
    assert_eq!(first.0["epochMicros"], 1_767_225_600_000_000_u64);
    assert_eq!(first.0["elapsedNanos"], 0);
    let other = seeded(Some(2), sources()).await;
    for name in ["random", "insecure", "hash"] {
        assert_ne!(other.0[name], first.0[name], "{name}");
    }
    // Work, a wait, output, and a context with another request id each time.
    for event in [
        json!({"do": "burn", "rounds": 100_000}),
        json!({"do": "sleep", "ms": 20}),
        json!({"do": "print", "lines": 50, "pause_ms": 1}),
        json!({"do": "read-task"}),
    ] {
        assert_eq!(seeded(Some(1), event.clone()).await, seeded(Some(1), event.clone()).await, "{event}");
    }
    let echo = json!({"do": "echo", "value": [1]});
    assert_eq!(seeded(Some(1), echo.clone()).await.1, seeded(Some(1), echo).await.1);
}

#[tokio::test]
async fn other_instances_have_the_hosts_time_and_randomness() {
    let host = Host::new();
    let (first, second) = (host.call(json!({"do": "sources"})).await, host.call(json!({"do": "sources"})).await);
    for name in ["random", "insecure", "hash"] {
        assert_ne!(first.answer()[name], second.answer()[name], "{name}");
    }
    let now = host.clock.epoch_micros();
    let seen = second.answer()["epochMicros"].as_u64().unwrap();
    assert!(seen <= now && now - seen < 60_000_000, "{seen} at {now}");
    assert!(second.answer()["elapsedNanos"].as_u64().unwrap() > 0);
}
