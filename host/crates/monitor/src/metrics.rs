//! Prometheus' text format (version 0.0.4): Lambda's names, in base units. Written
//! here as it is a page of it; labels are a function's name and version, which need
//! no escaping, and as many as there are meters.

use std::fmt::{Display, Write as _};

use lamina_meter::{BOUNDS, Counters, Snapshot, seconds};
use lamina_telemetry::Dropped;

use crate::process::Process;

pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// One family of counters or gauges with the usual labels.
struct Family {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    value: fn(&Snapshot) -> Value,
}

enum Value {
    Whole(u64),
    Seconds(f64),
}

impl Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole(number) => number.fmt(f),
            Self::Seconds(number) => number.fmt(f),
        }
    }
}

const fn counter(name: &'static str, help: &'static str, value: fn(&Snapshot) -> Value) -> Family {
    Family { name, kind: "counter", help, value }
}

const fn gauge(name: &'static str, help: &'static str, value: fn(&Snapshot) -> Value) -> Family {
    Family { name, kind: "gauge", help, value }
}

const FAMILIES: &[Family] = &[
    counter("lamina_lambda_invocations_total", "Calls that ran, however they ended.", |s| {
        Value::Whole(s.total.invocations)
    }),
    counter("lamina_lambda_throttles_total", "Calls that a limit kept from running.", |s| {
        Value::Whole(s.total.throttles)
    }),
    counter("lamina_lambda_not_run_total", "Calls that did not run for another reason.", |s| {
        Value::Whole(s.total.not_run)
    }),
    counter("lamina_lambda_billed_duration_seconds_total", "Billed duration.", |s| {
        Value::Seconds(seconds(s.total.billed_ms.saturating_mul(1_000)))
    }),
    counter("lamina_lambda_billed_byte_seconds_total", "Billed duration times MemorySize.", |s| {
        Value::Seconds(byte_seconds(s.total.billed_mib_ms))
    }),
    counter("lamina_lambda_inits_total", "Calls that waited for their code to be loaded.", |s| {
        Value::Whole(s.total.inits)
    }),
    counter("lamina_lambda_init_duration_seconds_total", "How long calls waited for their code.", |s| {
        Value::Seconds(seconds(s.total.init_us))
    }),
    counter("lamina_lambda_fuel_total", "Fuel burned, about one unit a wasm instruction.", |s| {
        Value::Whole(s.total.fuel)
    }),
    counter("lamina_lambda_received_bytes_total", "Bytes of events and requests' bodies.", |s| {
        Value::Whole(s.total.bytes_in)
    }),
    counter("lamina_lambda_sent_bytes_total", "Bytes of answers.", |s| Value::Whole(s.total.bytes_out)),
    gauge("lamina_lambda_memory_peak_bytes", "The largest peak of memory of one call.", |s| {
        Value::Whole(s.total.memory_bytes_peak)
    }),
    gauge("lamina_lambda_concurrent_executions", "Calls under way.", |s| Value::Whole(s.concurrent.into())),
    gauge("lamina_lambda_concurrent_executions_peak", "The most calls that were under way at once.", |s| {
        Value::Whole(s.concurrent_max.into())
    }),
];

#[expect(clippy::cast_precision_loss, reason = "a metric is a float")]
fn byte_seconds(mib_ms: u64) -> f64 {
    mib_ms as f64 * 1_048.576
}

/// What of the platform is not a function's.
pub(crate) struct Platform {
    pub(crate) process: Process,
    /// Seconds since the Unix epoch.
    pub(crate) started_s: u64,
    pub(crate) version: &'static str,
    pub(crate) concurrent: u32,
    pub(crate) concurrent_max: u32,
    /// Values of functions' own metrics that there was no room for.
    pub(crate) custom_refused: u64,
    /// Lines of functions' logs that were not kept.
    pub(crate) dropped: Dropped,
}

/// The whole text.
pub(crate) fn render(snapshots: &[Snapshot], platform: &Platform) -> String {
    let mut text = Text(String::with_capacity(4_096 + snapshots.len() * 4_096));
    let labels: Vec<String> = snapshots
        .iter()
        .map(|snapshot| format!("function=\"{}\",version=\"{}\"", snapshot.subject.name(), snapshot.subject.version()))
        .collect();
    let labelled = || snapshots.iter().zip(&labels);
    for family in FAMILIES {
        text.head(family.name, family.kind, family.help);
        for (snapshot, labels) in labelled() {
            text.sample(family.name, labels, (family.value)(snapshot));
        }
    }
    let name = "lamina_lambda_errors_total";
    text.head(name, "counter", "Calls that failed, by how: function, timeout or crash.");
    for (snapshot, labels) in labelled() {
        let Counters { function_errors, timeouts, crashes, .. } = snapshot.total;
        for (kind, count) in [("function", function_errors), ("timeout", timeouts), ("crash", crashes)] {
            text.sample(name, &format!("{labels},kind=\"{kind}\""), count);
        }
    }
    let name = "lamina_lambda_duration_seconds";
    text.head(name, "histogram", "How long calls took.");
    for (snapshot, labels) in labelled() {
        text.histogram(name, labels, snapshot);
    }
    text.platform(platform);
    text.0
}

struct Text(String);

// Writing into a String cannot fail.
impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn sample(&mut self, name: &str, labels: &str, value: impl Display) {
        let _ = match labels {
            "" => writeln!(self.0, "{name} {value}"),
            labels => writeln!(self.0, "{name}{{{labels}}} {value}"),
        };
    }

    fn histogram(&mut self, name: &str, labels: &str, snapshot: &Snapshot) {
        let mut through = 0;
        for (at, count) in snapshot.durations.buckets.iter().enumerate() {
            through += count;
            let _ = match BOUNDS.get(at) {
                Some(bound) => writeln!(self.0, "{name}_bucket{{{labels},le=\"{}\"}} {through}", seconds(*bound)),
                None => writeln!(self.0, "{name}_bucket{{{labels},le=\"+Inf\"}} {through}"),
            };
        }
        self.sample(&format!("{name}_sum"), labels, seconds(snapshot.total.duration_us));
        self.sample(&format!("{name}_count"), labels, through);
    }

    fn alone(&mut self, name: &str, kind: &str, help: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.head(name, kind, help);
            self.sample(name, "", value);
        }
    }

    fn platform(&mut self, platform: &Platform) {
        let Platform { process, started_s, version, concurrent, concurrent_max, custom_refused, dropped } = platform;
        self.head("lamina_build_info", "gauge", "The version that runs.");
        self.sample("lamina_build_info", &format!("version=\"{version}\""), 1);
        let name = "lamina_lambda_account_concurrent_executions";
        self.alone(name, "gauge", "Calls of all functions under way.", Some(concurrent));
        let name = "lamina_lambda_account_concurrent_executions_peak";
        self.alone(name, "gauge", "The most calls of all functions that were under way at once.", Some(concurrent_max));
        let name = "lamina_custom_metric_values_refused_total";
        self.alone(
            name,
            "counter",
            "Values of functions' own metrics that there was no room for.",
            Some(custom_refused),
        );
        let name = "lamina_log_lines_dropped_total";
        let help = "Lines of logs that were not kept: over a call's rate, faster than they could be kept, or with \
                    their group when memory was full of such.";
        self.head(name, "counter", help);
        let Dropped { rate, memory, groups } = dropped;
        for (reason, lines) in [("rate", rate), ("memory", memory), ("groups", groups)] {
            self.sample(name, &format!("reason=\"{reason}\""), lines);
        }
        let gauge = "gauge";
        self.alone("process_resident_memory_bytes", gauge, "Resident memory.", process.resident_bytes);
        self.alone("process_virtual_memory_bytes", gauge, "Address space.", process.virtual_bytes);
        let cpu = process.cpu_hundredths.map(|hundredths| seconds(hundredths.saturating_mul(10_000)));
        self.alone("process_cpu_seconds_total", "counter", "CPU time, user and system.", cpu);
        self.alone("process_open_fds", gauge, "Open files.", process.open_fds);
        self.alone("process_max_fds", gauge, "Files that may be open.", process.max_fds);
        self.alone("process_threads", gauge, "Threads.", process.threads);
        self.alone("process_start_time_seconds", gauge, "When it started, as Unix time.", Some(started_s));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use lamina_meter::{Meters, Used};
    use lamina_types::{MemoryMib, Status, Timestamp, Usage, Version};

    use super::*;

    #[test]
    fn what_a_scrape_sees() {
        let meters = Meters::new(lamina_meter::Config::default());
        let usage = Usage {
            status: Status::Timeout,
            duration: Duration::from_micros(70),
            init: None,
            restore: None,
            memory_bytes_peak: 5,
            fuel: 7,
        };
        let used = Used { usage, memory: MemoryMib(128), billed_ms: 1_500, bytes_in: 1, bytes_out: 2 };
        meters.begin(&"f".parse().unwrap(), Version::Latest, Timestamp(0)).ended(&used);
        let platform = Platform {
            process: Process { resident_bytes: Some(9), ..Process::default() },
            started_s: 5,
            version: "1",
            concurrent: 0,
            concurrent_max: 1,
            custom_refused: 0,
            dropped: Dropped { rate: 1, memory: 2, groups: 3 },
        };
        let text = render(&meters.snapshot(), &platform);
        let labels = "{function=\"f\",version=\"$LATEST\"";
        for line in [
            format!("lamina_lambda_invocations_total{labels}}} 1"),
            format!("lamina_lambda_errors_total{labels},kind=\"timeout\"}} 1"),
            format!("lamina_lambda_billed_duration_seconds_total{labels}}} 1.5"),
            format!("lamina_lambda_billed_byte_seconds_total{labels}}} 201326592"),
            format!("lamina_lambda_duration_seconds_bucket{labels},le=\"0.00005\"}} 0"),
            format!("lamina_lambda_duration_seconds_bucket{labels},le=\"0.0001\"}} 1"),
            format!("lamina_lambda_duration_seconds_bucket{labels},le=\"+Inf\"}} 1"),
            format!("lamina_lambda_duration_seconds_sum{labels}}} 0.00007"),
            format!("lamina_lambda_duration_seconds_count{labels}}} 1"),
            "lamina_log_lines_dropped_total{reason=\"rate\"} 1".to_owned(),
            "lamina_log_lines_dropped_total{reason=\"groups\"} 3".to_owned(),
            "process_resident_memory_bytes 9".to_owned(),
            "process_start_time_seconds 5".to_owned(),
        ] {
            assert!(text.lines().any(|written| written == line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("process_open_fds"), "a figure that is not known is not there");
    }
}
