use std::time::Duration;

use lamina_types::{MemoryMib, Status, Usage};

use super::*;
use crate::meter::Used;

const HOUR_S: u64 = 3_600;

fn at(seconds: u64) -> Timestamp {
    Timestamp(seconds * 1_000_000)
}

fn name(text: &str) -> FunctionName {
    text.parse().unwrap()
}

fn used(status: Status) -> Used {
    Used {
        usage: Usage {
            status,
            duration: Duration::from_micros(1_500),
            init: Some(Duration::from_micros(700)),
            restore: None,
            memory_bytes_peak: 3 << 20,
            fuel: 1_000,
        },
        memory: MemoryMib(128),
        billed_ms: 3,
        bytes_in: 10,
        bytes_out: 20,
    }
}

fn call(meters: &Meters, function: &str, at: Timestamp) {
    meters.begin(&name(function), Version::Latest, at).ended(&used(Status::Success));
}

fn sum(meters: &Meters) -> Counters {
    let mut sum = Counters::default();
    meters.snapshot().iter().for_each(|snapshot| sum.add(&snapshot.total));
    sum
}

#[test]
fn every_kind_of_end_is_counted_once() {
    let meters = Meters::new(Config::default());
    let f = name("f");
    for status in [Status::Success, Status::Success, Status::Failure, Status::Timeout, Status::Crash] {
        meters.begin(&f, Version::Latest, at(HOUR_S)).ended(&used(status));
    }
    meters.throttled(&f, Version::Latest, at(HOUR_S));
    meters.begin(&f, Version::Latest, at(HOUR_S)).throttled();
    drop(meters.begin(&f, Version::Latest, at(HOUR_S)));
    let running = meters.begin(&f, Version::Latest, at(HOUR_S));
    let traffic = running.traffic();
    traffic.read(7);
    traffic.wrote(9);
    let [snapshot] = meters.snapshot().try_into().unwrap();
    let expect = Counters {
        invocations: 5,
        function_errors: 1,
        timeouts: 1,
        crashes: 1,
        throttles: 2,
        not_run: 1,
        billed_ms: 15,
        billed_mib_ms: 15 * 128,
        duration_us: 7_500,
        inits: 5,
        init_us: 3_500,
        fuel: 5_000,
        memory_bytes_peak: 3 << 20,
        bytes_in: 50,
        bytes_out: 100,
    };
    assert_eq!((snapshot.total, snapshot.durations.count(), snapshot.concurrent), (expect, 5, 1));
    assert_eq!((snapshot.total.errors(), meters.concurrent()), (3, (1, 1)));
    drop((running, traffic));
    let [snapshot] = meters.snapshot().try_into().unwrap();
    let expect = Counters { not_run: 2, bytes_in: 57, bytes_out: 109, ..expect };
    assert_eq!((snapshot.total, snapshot.concurrent), (expect, 0));
}

#[test]
fn what_does_not_fit_is_folded_and_not_lost() {
    let meters = Meters::new(Config { meters_max: 8, ..Config::default() });
    for _ in 0..5 {
        call(&meters, "much", at(HOUR_S));
    }
    // One that runs on while its meter goes.
    let running = meters.begin(&name("runs"), Version::Latest, at(HOUR_S));
    for number in 0..100 {
        call(&meters, &format!("f{number}"), at(HOUR_S));
    }
    assert!(meters.snapshot().len() <= 9);
    assert_eq!(sum(&meters).invocations, 105);
    running.ended(&used(Status::Crash));
    let all = sum(&meters);
    assert_eq!((all.invocations, all.crashes), (106, 1));
    let much = meters.snapshot().into_iter().find(|snapshot| snapshot.subject.name() == "much").unwrap();
    assert_eq!(much.total.invocations, 5, "the most used keeps its own");
    let mut written = Counters::default();
    meters.take_unwritten().iter().for_each(|hourly| written.add(&hourly.counters));
    assert_eq!(written, all);
}

#[test]
fn the_ledger_takes_everything_once_and_gives_back_what_it_could_not_write() {
    let meters = Meters::new(Config::default());
    call(&meters, "f", at(HOUR_S - 1));
    call(&meters, "f", at(HOUR_S));
    call(&meters, "f", at(HOUR_S));
    let taken = meters.take_unwritten();
    let hours: Vec<(u64, u64)> = taken.iter().map(|hourly| (hourly.hour, hourly.counters.invocations)).collect();
    assert_eq!((hours, meters.take_unwritten()), (vec![(0, 1), (1, 2)], Vec::new()));
    call(&meters, "f", at(HOUR_S));
    meters.untake(taken);
    let again: u64 = meters.take_unwritten().iter().map(|hourly| hourly.counters.invocations).sum();
    assert_eq!((again, sum(&meters).invocations), (4, 4));
}

#[test]
fn minutes_are_summed_and_forgotten() {
    let meters = Meters::new(Config { minutes_kept: 10, ..Config::default() });
    let (f, g) = (name("f"), name("g"));
    let one = meters.begin(&f, Version::Latest, at(600));
    let two = meters.begin(&g, Version::Number(1), at(610));
    one.ended(&used(Status::Success));
    two.ended(&used(Status::Failure));
    call(&meters, "f", at(660));
    let look = |name: Option<&FunctionName>, version| -> Vec<(u64, u64, u32)> {
        let minutes = meters.minutes(name, version, 0..1_000).into_iter();
        minutes.map(|minute| (minute.minute, minute.counters.invocations, minute.concurrent_max)).collect()
    };
    assert_eq!(look(Some(&f), None), [(10, 1, 1), (11, 1, 1)]);
    assert_eq!(look(Some(&g), Some(Version::Number(1))), [(10, 1, 1)]);
    assert_eq!(look(Some(&g), Some(Version::Latest)), []);
    assert_eq!(look(None, None), [(10, 2, 2), (11, 1, 1)]);
    meters.forget(at(21 * 60));
    assert_eq!(look(Some(&f), None), [(11, 1, 1)]);
}

#[test]
fn minutes_of_all_functions_together_are_bounded() {
    let meters = Meters::new(Config { minutes_max: 6, ..Config::default() });
    for minute in 10..20 {
        call(&meters, "f", at(minute * 60));
        call(&meters, "g", at(minute * 60));
    }
    meters.forget(at(20 * 60));
    let kept: Vec<u64> = meters.minutes(None, None, 0..100).iter().map(|minute| minute.minute).collect();
    assert_eq!(kept, [17, 18, 19]);
}

#[test]
fn threads_lose_nothing() {
    let meters = Meters::new(Config { meters_max: 4, ..Config::default() });
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let meters = &meters;
            scope.spawn(move || {
                (0..500).for_each(|number| call(meters, &format!("f{}", (thread * number) % 9), at(number)));
            });
        }
    });
    assert_eq!((sum(&meters).invocations, meters.concurrent().0), (2_000, 0));
}
