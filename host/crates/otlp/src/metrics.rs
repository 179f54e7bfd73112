//! The meters as metrics (opentelemetry.proto.metrics.v1): sums since the start,
//! histograms of durations, and what runs now.

use lamina_meter::{BOUNDS, Snapshot, seconds};

use crate::protobuf::Message;

/// Sums are since the start, not since the last time.
const CUMULATIVE: u64 = 2;

/// When the sums began, and now, in nanoseconds since the Unix epoch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) start: u64,
    pub(crate) now: u64,
}

struct Sum {
    name: &'static str,
    unit: &'static str,
    value: fn(&Snapshot) -> u64,
}

const SUMS: &[Sum] = &[
    Sum { name: "lamina.lambda.invocations", unit: "{invocation}", value: |s| s.total.invocations },
    Sum { name: "lamina.lambda.errors", unit: "{error}", value: |s| s.total.errors() },
    Sum { name: "lamina.lambda.throttles", unit: "{invocation}", value: |s| s.total.throttles },
    Sum { name: "lamina.lambda.billed_duration", unit: "ms", value: |s| s.total.billed_ms },
    Sum { name: "lamina.lambda.fuel", unit: "{fuel}", value: |s| s.total.fuel },
    Sum { name: "lamina.lambda.received", unit: "By", value: |s| s.total.bytes_in },
    Sum { name: "lamina.lambda.sent", unit: "By", value: |s| s.total.bytes_out },
];

/// `ExportMetricsServiceRequest`.
pub(crate) fn request(service: &str, snapshots: &[Snapshot], dropped: u64, times: Times) -> Vec<u8> {
    let mut request = Message::default();
    request.message(1, |resource_metrics| {
        resource_metrics.resource(service);
        resource_metrics.message(2, |metrics| {
            metrics.scope();
            for sum in SUMS {
                let points = snapshots.iter().map(|snapshot| (Some(snapshot), (sum.value)(snapshot)));
                write_sum(metrics, (sum.name, sum.unit), times, points);
            }
            let dropped = [(None, dropped)].into_iter();
            write_sum(metrics, ("lamina.otlp.dropped_spans", "{span}"), times, dropped);
            running(metrics, snapshots, times);
            durations(metrics, snapshots, times);
        });
    });
    request.into_bytes()
}

fn head(metric: &mut Message, name: &str, unit: &str) {
    metric.text(1, name);
    metric.text(3, unit);
}

fn labels(point: &mut Message, field: u64, snapshot: &Snapshot) {
    point.attribute(field, "faas.name", snapshot.subject.name());
    point.attribute(field, "faas.version", &snapshot.subject.version());
}

fn write_sum<'a>(
    metrics: &mut Message,
    (name, unit): (&str, &str),
    times: Times,
    points: impl Iterator<Item = (Option<&'a Snapshot>, u64)>,
) {
    metrics.message(2, |metric| {
        head(metric, name, unit);
        metric.message(7, |sum| {
            for (snapshot, value) in points {
                sum.message(1, |point| number(point, snapshot, times, value));
            }
            sum.varint(2, CUMULATIVE);
            sum.varint(3, 1);
        });
    });
}

/// `NumberDataPoint`.
fn number(point: &mut Message, snapshot: Option<&Snapshot>, times: Times, value: u64) {
    point.fixed64(2, times.start);
    point.fixed64(3, times.now);
    point.fixed64(6, value);
    if let Some(snapshot) = snapshot {
        labels(point, 7, snapshot);
    }
}

fn running(metrics: &mut Message, snapshots: &[Snapshot], times: Times) {
    metrics.message(2, |metric| {
        head(metric, "lamina.lambda.concurrent_executions", "{invocation}");
        metric.message(5, |gauge| {
            for snapshot in snapshots {
                gauge.message(1, |point| number(point, Some(snapshot), times, u64::from(snapshot.concurrent)));
            }
        });
    });
}

fn durations(metrics: &mut Message, snapshots: &[Snapshot], times: Times) {
    metrics.message(2, |metric| {
        head(metric, "lamina.lambda.duration", "s");
        metric.message(9, |histogram| {
            for snapshot in snapshots {
                histogram.message(1, |point| {
                    point.fixed64(2, times.start);
                    point.fixed64(3, times.now);
                    point.fixed64(4, snapshot.durations.count());
                    point.double(5, seconds(snapshot.total.duration_us));
                    point.packed64(6, snapshot.durations.buckets.iter().copied());
                    point.packed64(7, BOUNDS.iter().map(|bound| seconds(*bound).to_bits()));
                    labels(point, 9, snapshot);
                });
            }
            histogram.varint(2, CUMULATIVE);
        });
    });
}
