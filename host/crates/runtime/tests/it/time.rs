//! The timeout stops a guest that computes and one that waits, and a spinning
//! guest leaves the thread to others.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lamina_types::Status;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::Host;

/// Ways of a guest to compute without end: its own instructions, long ones, and the host's.
const SPINS: [&str; 3] = ["spin", "wipe", "draw"];

async fn times_out(event: Value) {
    let host = Host::new();
    let mut function = host.function("guest-function").await;
    function.timeout = Duration::from_millis(300);
    host.code(&function).await.unwrap();
    let began = Instant::now();
    let called = host.run(&function, event).await;
    let took = began.elapsed();
    assert_eq!(called.failed_with(), ("Sandbox.Timedout", "Task timed out after 0.30 seconds"));
    assert_eq!(called.usage.status, Status::Timeout);
    assert!(took >= Duration::from_millis(300) && took < Duration::from_secs(5), "{took:?}");
    assert!(called.usage.duration >= Duration::from_millis(300));
    let lines = host.lines();
    // Lambda's line, and the empty one after it.
    assert!(lines[0].ends_with(" Task timed out after 0.30 seconds"), "{lines:?}");
    assert_eq!(lines[1..], [""], "{lines:?}");
    // The slot is free again, and the next call is served.
    assert!(host.run(&function, json!({"do": "echo"})).await.result.is_ok());
}

#[tokio::test]
async fn a_guest_that_computes_is_stopped() {
    for spin in SPINS {
        times_out(json!({"do": spin})).await;
    }
}

#[tokio::test]
async fn a_guest_that_waits_is_stopped() {
    times_out(json!({"do": "sleep", "ms": 60_000})).await;
    times_out(json!({"do": "sleep-blocking", "ms": 60_000})).await;
}

#[tokio::test]
async fn what_a_stopped_guest_burned_is_known() {
    let host = Host::new();
    let mut function = host.function("guest-function").await;
    function.timeout = Duration::from_millis(300);
    let fuel = host.run(&function, json!({"do": "spin"})).await.usage.fuel;
    // A second of computing is a billion and more; here the machine is shared.
    assert!(fuel > 1_000_000, "{fuel}");
}

#[tokio::test]
async fn waiting_takes_as_long_as_it_should() {
    let host = Host::new();
    host.call(json!({"do": "echo"})).await;
    for event in [json!({"do": "sleep", "ms": 100}), json!({"do": "sleep-blocking", "ms": 100})] {
        let took = host.call(event).await.usage.duration;
        assert!(took >= Duration::from_millis(100) && took < Duration::from_secs(5), "{took:?}");
    }
}

/// An echo server on the thread that a guest spins on. The guest is a task, as it
/// is on the platform: tokio looks for I/O every 61 turns of a task that is always
/// ready, and so is a guest that yields as the engine would have it.
#[tokio::test(flavor = "current_thread")]
async fn others_go_on_while_a_guest_spins() {
    for spin in SPINS {
        others_go_on_while_a_guest(spin).await;
    }
}

async fn others_go_on_while_a_guest(spins: &'static str) {
    let host = Arc::new(Host::new());
    let mut function = host.function("guest-function").await;
    function.timeout = Duration::from_secs(3);
    host.code(&function).await.unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serve = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut byte = [0];
        while socket.read(&mut byte).await.unwrap() > 0 {
            socket.write_all(&byte).await.unwrap();
        }
    };
    let ask = async {
        let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
        let (began, mut rounds) = (Instant::now(), 0);
        while began.elapsed() < Duration::from_secs(2) {
            socket.write_all(b"x").await.unwrap();
            socket.read_exact(&mut [0]).await.unwrap();
            rounds += 1;
        }
        rounds
    };
    let spinner = host.clone();
    let spin = tokio::spawn(async move { spinner.run(&function, json!({"do": spins})).await });
    let ((), rounds) = tokio::join!(serve, ask);
    // A turn is 2 ms, and a round a few of them; with the engine's own yield it is
    // 300 ms, and so it is when calls of the host do not end a turn.
    assert!(rounds > 40, "{spins}: {rounds} rounds in 2 s");
    assert!(!spin.is_finished());
    assert_eq!(spin.await.unwrap().usage.status, Status::Timeout);
}

#[tokio::test]
async fn a_dropped_call_stops() {
    let host = Host::with(lamina_runtime::Config { instances_max: 1, ..Default::default() });
    let function = host.function("guest-function").await;
    let run = host.run(&function, json!({"do": "spin"}));
    assert!(tokio::time::timeout(Duration::from_millis(100), run).await.is_err());
    assert!(host.run(&function, json!({"do": "echo"})).await.result.is_ok(), "its slot is free");
}
