use lamina_kit::{FixedClock, Ids, SeededIds};
use lamina_types::{MemoryMib, Status, Usage};

use super::*;
use crate::LogsConfig;

struct Bench {
    logs: Logs,
    clock: Arc<FixedClock>,
    id: RequestId,
}

fn bench(lines_per_s: u32) -> Bench {
    let config = LogsConfig { call_lines_per_s: lines_per_s, line_bytes_max: 16, ..LogsConfig::default() };
    let id = RequestId::from_random(SeededIds::new(1).random16());
    Bench { logs: Logs::new(config), clock: Arc::new(FixedClock::at(1_000_000)), id }
}

impl Bench {
    fn start(&self, tail: bool) -> InvocationLog {
        let opening = Opening {
            group: &"g".into(),
            stream: "s".into(),
            request_id: &self.id,
            version: Version::Latest,
            tail,
            observer: None,
        };
        self.logs.start(opening, self.clock.clone())
    }

    fn end(&self, log: &InvocationLog) -> Option<Vec<u8>> {
        let usage = Usage {
            status: Status::Success,
            duration: Duration::from_micros(1500),
            init: None,
            memory_bytes_peak: 1,
            fuel: 7,
        };
        log.end(&Report {
            request_id: &self.id,
            memory: MemoryMib(128),
            timeout: Duration::from_secs(3),
            usage,
            error_type: None,
        })
    }

    fn texts(&self) -> Vec<String> {
        self.logs.read("g", 0, 10_000).into_iter().map(|event| event.message.into()).collect()
    }
}

#[test]
fn a_call_in_order() {
    let bench = bench(100);
    let log = bench.start(false);
    log.write(Source::Stdout, b"one\ntw");
    log.write(Source::Stderr, b"err\n");
    log.write(Source::Stdout, b"o");
    assert!(bench.end(&log).is_none());
    log.write(Source::Stdout, b"late\n");
    let id = &bench.id;
    let expect = [
        format!("START RequestId: {id} Version: $LATEST"),
        "one".into(),
        "err".into(),
        "two".into(),
        format!("END RequestId: {id}"),
        format!(
            "REPORT RequestId: {id}\tDuration: 1.50 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 1 MB\tFuel Used: 7\t"
        ),
    ];
    assert_eq!(bench.texts(), expect);
}

#[test]
fn a_flood_is_cut_and_said() {
    let bench = bench(3);
    let log = bench.start(false);
    for _ in 0..10 {
        log.write(Source::Stdout, b"x\n");
    }
    bench.clock.advance(Duration::from_secs(1));
    log.write(Source::Stdout, b"after\n");
    let texts = bench.texts();
    assert_eq!(texts[1..4], ["x", "x", "x"]);
    assert!(texts[4].starts_with("LAMINA log lines dropped: 7 (14 bytes)"), "{texts:?}");
    assert_eq!(texts[5..], ["after"]);
}

#[test]
fn the_tail_is_the_last_4_kib() {
    let bench = bench(u32::MAX);
    let log = bench.start(true);
    for number in 0..2000 {
        log.write(Source::Stdout, format!("{number}\n").as_bytes());
    }
    let tail = bench.end(&log).unwrap();
    assert_eq!(tail.len(), 4096);
    assert!(tail.ends_with(b"Fuel Used: 7\t\n"));
}
