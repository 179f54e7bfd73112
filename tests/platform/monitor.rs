//! The second listener: metrics, health, readiness, as a real Prometheus sees them.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use harness::{Options, Platform, Reply, http, process, tiny, unpacked};
use serde_json::{Value, json};

use crate::common::{PROGRAM, patient, platform};

/// Time for a scrape to be there, on a machine that is busy.
const SCRAPE_MAX: Duration = Duration::from_secs(120);

/// `HOST:PORT` of the second listener.
fn admin(platform: &Platform) -> String {
    let url = fs::read_to_string(platform.data().join("admin")).expect("it is written before the endpoint");
    url.trim().strip_prefix("http://").unwrap_or_else(|| panic!("`{url}` is no URL")).to_owned()
}

async fn ask(authority: &str, method: &str, path: &str) -> Reply {
    http::send(authority, http::request(method, path, "")).await
}

/// A program that is ended when the test does.
struct Running(std::process::Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The value of a query that has one.
async fn query(prometheus: &str, query: &str) -> Option<f64> {
    let path = format!("/api/v1/query?query={query}");
    // It may not listen yet.
    tokio::net::TcpStream::connect(prometheus).await.ok()?;
    let mut open = http::try_open(prometheus, http::request("GET", &path, "")).await.ok()?;
    let answer: Value = serde_json::from_slice(&open.rest().await.0).ok()?;
    answer.pointer("/data/result/0/value/1")?.as_str()?.parse().ok()
}

/// Waits until the query has this value.
async fn scraped(prometheus: &str, asked: &str, expect: f64) {
    let begun = Instant::now();
    loop {
        let value = query(prometheus, asked).await;
        if value == Some(expect) {
            return;
        }
        assert!(begun.elapsed() < SCRAPE_MAX, "{asked} is {value:?} and not {expect} after {SCRAPE_MAX:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_scrapes_what_calls_used() {
    let platform = platform().await;
    platform.create(&patient("does", &platform.sign(&test_guests::component("guest-function")))).await;
    for event in [json!({"do": "echo"}), json!({"do": "echo"}), json!({"do": "fail", "message": "m"})] {
        platform.invoke("does", &event).await.expect(200);
    }
    let admin = admin(&platform);
    let metrics = ask(&admin, "GET", "/metrics").await.expect(200);
    assert_eq!(metrics.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let root = unpacked::package("prometheus");
    let file = platform.home().join("metrics");
    fs::write(&file, &metrics.body).unwrap();
    let mut promtool = Command::new(root.join("usr/bin/promtool"));
    let checked = promtool.args(["check", "metrics"]).stdin(fs::File::open(&file).unwrap()).output().unwrap();
    let said = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success() && said.is_empty(), "{said}\n{}", metrics.text());

    let configuration = json!({
        "global": {"scrape_interval": "1s"},
        "scrape_configs": [{"job_name": "lamina", "static_configs": [{"targets": [admin]}]}],
    });
    // JSON is YAML, too.
    fs::write(platform.home().join("prometheus.yml"), configuration.to_string()).unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listen = format!("127.0.0.1:{port}");
    let mut command = process::command(root.join("usr/bin/prometheus"), platform.home());
    command.current_dir(platform.home()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.args(["--config.file=prometheus.yml", "--storage.tsdb.path=tsdb"]);
    command.arg(format!("--web.listen-address={listen}"));
    let _prometheus = Running(command.spawn().unwrap());
    let of = |name: &str, more: &str| format!("{name}%7Bfunction=%22does%22,version=%22$LATEST%22{more}%7D");
    scraped(&listen, "up", 1.0).await;
    scraped(&listen, &of("lamina_lambda_invocations_total", ""), 3.0).await;
    scraped(&listen, &of("lamina_lambda_errors_total", ",kind=%22function%22"), 1.0).await;
    scraped(&listen, &of("lamina_lambda_duration_seconds_count", ""), 3.0).await;
    scraped(&listen, "process_resident_memory_bytes%3Ebool%200", 1.0).await;
    platform.invoke("does", &json!({"do": "echo"})).await.expect(200);
    scraped(&listen, &of("lamina_lambda_invocations_total", ""), 4.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_ends_when_draining_begins() {
    let mut platform = platform().await;
    let admin = admin(&platform);
    assert_eq!(ask(&admin, "GET", "/ready").await.expect(200).text(), "ready\n", "without a function, too");
    platform.create(&patient("does", &platform.sign(&test_guests::component("guest-function")))).await;
    platform.stop();
    platform.start_again();
    let admin = self::admin(&platform);
    assert_eq!(ask(&admin, "GET", "/ready").await.expect(200).text(), "ready\n");
    let client = platform.client.clone();
    let call = tokio::spawn(async move {
        client.json("POST", "/2015-03-31/functions/does/invocations", &json!({"do": "sleep", "ms": 8_000})).await
    });
    platform.logged("does", "START").await;
    platform.terminate();
    let begun = Instant::now();
    loop {
        let ready = ask(&admin, "GET", "/ready").await;
        if ready.status == 503 {
            assert_eq!(ready.text(), "not ready: draining\n");
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(7), "it is ready while it drains");
    }
    ask(&admin, "GET", "/health").await.expect(200);
    let metrics = ask(&admin, "GET", "/metrics").await.expect(200).text();
    let running = "lamina_lambda_concurrent_executions{function=\"does\",version=\"$LATEST\"} 1";
    assert!(metrics.lines().any(|line| line == running), "{metrics}");
    assert_eq!(call.await.unwrap().status, 200);
    assert!(platform.ended(Duration::from_secs(30)).success());
    assert!(!platform.data().join("admin").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_listener_shows_metrics_and_health_and_nothing_else() {
    let platform = Platform::start(Options::new(PROGRAM)).await;
    platform.deploy("seven", &tiny::constant("7")).await;
    let admin = admin(&platform);
    ask(&admin, "HEAD", "/health").await.expect(200);
    for path in ["/", "/lamina/v1/status", "/2015-03-31/functions", "/metrics/x"] {
        ask(&admin, "GET", path).await.expect(404);
    }
    assert_eq!(ask(&admin, "POST", "/metrics").await.expect(405).header("allow"), "GET, HEAD");
    // The door does not answer what the second listener does.
    assert_ne!(ask(&platform.client.authority, "GET", "/metrics").await.status, 200);
    let none = Options::new(PROGRAM).with(&["--admin-listen", "off"]);
    let closed = Platform::start(none).await;
    assert!(!closed.data().join("admin").exists());
    closed.serve_with(&["--admin-listen", "here"]).exited(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn top_shows_what_runs() {
    let platform = platform().await;
    platform.deploy("idle", &tiny::constant("7")).await;
    platform.create(&patient("does", &platform.sign(&test_guests::component("guest-function")))).await;
    for event in [json!({"do": "echo"}), json!({"do": "panic", "message": "m"})] {
        platform.invoke("does", &event).await.expect(200);
    }
    let client = platform.client.clone();
    let sleeping = tokio::spawn(async move {
        client.json("POST", "/2015-03-31/functions/does/invocations", &json!({"do": "sleep", "ms": 15_000})).await
    });
    platform.logged("does", "START").await;
    let admin = admin(&platform);
    let running = "lamina_lambda_concurrent_executions{function=\"does\",version=\"$LATEST\"} 1";
    let begun = Instant::now();
    while !ask(&admin, "GET", "/metrics").await.text().contains(running) {
        assert!(begun.elapsed() < Duration::from_secs(10), "the call does not run");
    }
    let once = platform.cli(&["--output", "json", "top", "--once"]).ok().json();
    let functions = once["Functions"].as_array().unwrap();
    let does = functions.iter().find(|row| row["FunctionName"] == "does").unwrap_or_else(|| panic!("{once}"));
    assert_eq!((&does["Calls"], &does["Errors"], &does["Running"]), (&json!(2), &json!(1), &json!(1)));
    assert!(does["P50Seconds"].as_f64() <= does["P99Seconds"].as_f64() && does["P99Seconds"].as_f64() > Some(0.0));
    let piped = platform.cli(&["top"]).ok().stdout;
    assert!(piped.starts_with("FUNCTION\tVERSION\tRUNNING\t") && piped.contains("does\t$LATEST\t1\t1\t"), "{piped}");

    // A terminal, which `script` makes; what is typed there is a signal to the program.
    let line = format!("exec {PROGRAM} top --data {}", platform.data().display());
    let mut command = process::command("script", platform.home());
    command.args(["-qefc", &line, "/dev/null"]).env("TERM", "xterm").current_dir(platform.home());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut terminal = Running(command.spawn().unwrap());
    let shown = process::Lines::default();
    shown.follow(terminal.0.stdout.take().unwrap());
    let begun = Instant::now();
    while shown.text().matches("FUNCTION").count() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(60), "no second picture: {}", shown.text());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    std::io::Write::write_all(terminal.0.stdin.as_mut().unwrap(), b"\x03").unwrap();
    let status = process::ended(&mut terminal.0, Duration::from_secs(30)).expect("it ends when it is interrupted");
    assert!(status.success() && shown.text().contains("does"), "{status} {}", shown.text());
    let begun = Instant::now();
    while !shown.text().contains("\x1b[?25h") {
        assert!(begun.elapsed() < Duration::from_secs(10), "the cursor stays hidden: {:?}", shown.text());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    sleeping.await.unwrap();
}

/// A file system of a few megabytes, of its own: gone when dropped.
struct Small(tempfile::TempDir);

impl Small {
    fn mounted(megabytes: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={megabytes}m");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path());
        process::run(&mut mount, Duration::from_secs(30)).ok();
        Self(folder)
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // At once, whoever still has a file of it open.
        let mut unmount = Command::new("umount");
        process::run(unmount.arg("--lazy").arg(self.0.path()), Duration::from_secs(30));
    }
}

/// Waits until `/ready` has this status; answers what it says.
async fn ready(admin: &str, status: u16) -> String {
    let begun = Instant::now();
    loop {
        let reply = ask(admin, "GET", "/ready").await;
        assert_eq!(ask(admin, "GET", "/health").await.expect(200).text(), "alive\n");
        if reply.status == status {
            return reply.text();
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{} {}", reply.status, reply.text());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A disk without room: what is written fails, what runs goes on.
#[tokio::test(flavor = "multi_thread")]
async fn readiness_ends_with_the_disks_room_and_comes_back_with_it() {
    let small = Small::mounted(64);
    let data = small.0.path().join("data");
    let platform = Platform::on(Options::new(PROGRAM).signing("off"), |path| {
        fs::create_dir(&data).unwrap();
        std::os::unix::fs::symlink(&data, path).unwrap();
    });
    platform.deploy("seven", &tiny::constant("7")).await;
    let url = platform.url("seven", "BUFFERED").await;
    let admin = admin(&platform);
    assert_eq!(ready(&admin, 200).await, "ready\n");
    // All there is, and what becomes free meanwhile.
    let filler = small.0.path().join("filler");
    let fill = || {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(&filler).unwrap();
        for piece in [64 << 10, 1] {
            while std::io::Write::write_all(&mut file, &vec![0; piece]).is_ok() {}
        }
    };
    let begun = Instant::now();
    let reason = loop {
        fill();
        // What was made ready for the journal is used up first.
        for _ in 0..20 {
            let body = json!({"Tags": {"k": "x".repeat(200)}});
            let path = "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Aseven";
            platform.client.json("POST", path, &body).await;
        }
        let reply = ask(&admin, "GET", "/ready").await;
        ask(&admin, "GET", "/health").await.expect(200);
        if reply.status == 503 {
            break reply.text();
        }
        assert!(begun.elapsed() < Duration::from_secs(100), "it stays ready on a full disk");
    };
    assert!(
        reason.starts_with("not ready: records cannot be written: ") && reason.contains("No space left"),
        "{reason}"
    );
    // Code that is loaded runs, whatever the disk does.
    url.get("/").await.expect(200);
    platform.client.get("/2015-03-31/functions/seven").await.expect(200);
    let refused = platform.client.json("POST", "/2015-03-31/functions/seven/versions", &json!({})).await;
    assert_eq!((refused.status, refused.error()), (500, "ServiceException"), "{}", refused.text());
    fs::remove_file(&filler).unwrap();
    assert_eq!(ready(&admin, 200).await, "ready\n");
    platform.client.json("POST", "/2015-03-31/functions/seven/versions", &json!({})).await.expect(201);
}
