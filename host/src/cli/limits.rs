//! The limits that an operator may set for `serve`; what each means stands in the
//! table of `host/ARCHITECTURE.md`.

use std::time::Duration;

use clap::builder::RangedU64ValueParser;
use clap::value_parser;
use lamina_api::Limits;

use crate::serve;

const DEFAULT: Limits = Limits::DEFAULT;

/// A number of milliseconds that is a time to wait: up to a day.
fn wait() -> RangedU64ValueParser {
    value_parser!(u64).range(1..=86_400_000)
}

/// A number that is a bound: at least one.
fn bound() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=u64::from(u32::MAX))
}

const fn ms(time: Duration) -> u64 {
    time.as_secs() * 1_000
}

/// Limits of connections and requests.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitArgs {
    /// Connections at a time; more are answered with 503 and closed
    #[arg(long, value_name = "N", default_value_t = DEFAULT.connections_max, env = "LAMINA_CONNECTIONS_MAX", hide_env_values = true, value_parser = bound())]
    connections_max: usize,
    /// Connections of one address at a time; more are answered with 429 and closed
    #[arg(long, value_name = "N", default_value_t = DEFAULT.connections_per_address_max, env = "LAMINA_CONNECTIONS_PER_ADDRESS_MAX", hide_env_values = true, value_parser = bound())]
    connections_per_address_max: usize,
    /// Calls of all functions at a time; more are throttled with 429
    #[arg(long, value_name = "N", default_value_t = lamina_invoke::Config::DEFAULT.concurrency_max, env = "LAMINA_CONCURRENCY_MAX", hide_env_values = true, value_parser = value_parser!(u32).range(1..))]
    concurrency_max: u32,
    /// Calls of one function at a time; more are throttled with 429 [default: as many as of all]
    #[arg(long, value_name = "N", env = "LAMINA_FUNCTION_CONCURRENCY_MAX", hide_env_values = true, value_parser = value_parser!(u32).range(1..))]
    function_concurrency_max: Option<u32>,
    /// Instances at a time, 4000 at most; more are throttled with 429
    #[arg(long, value_name = "N", default_value_t = serve::INSTANCES_MAX, env = "LAMINA_INSTANCES_MAX", hide_env_values = true, value_parser = value_parser!(u32).range(1..=4_000))]
    instances_max: u32,
    /// Memory for the bundles of packages in Python and JavaScript; past it, and with 0
    /// always, their sources serve
    #[arg(long, value_name = "BYTES", default_value_t = serve::BUNDLES_BYTES_MAX, env = "LAMINA_BUNDLES_BYTES_MAX", hide_env_values = true)]
    bundles_bytes_max: usize,
    /// Bytes of a request's line and headers; more are answered with 431
    #[arg(long, value_name = "BYTES", default_value_t = DEFAULT.head_bytes_max, env = "LAMINA_HEAD_BYTES_MAX", hide_env_values = true, value_parser = RangedU64ValueParser::<usize>::new().range(8_192..=262_144))]
    head_bytes_max: usize,
    /// Header fields of a request; more are answered with 431
    #[arg(long, value_name = "N", default_value_t = DEFAULT.head_fields_max, env = "LAMINA_HEAD_FIELDS_MAX", hide_env_values = true, value_parser = RangedU64ValueParser::<usize>::new().range(1..=10_000))]
    head_fields_max: usize,
    /// Bytes of an event, and of a request to a function URL; more are answered with 413
    #[arg(long, value_name = "BYTES", default_value_t = serve::BODY_BYTES_MAX, env = "LAMINA_BODY_BYTES_MAX", hide_env_values = true, value_parser = RangedU64ValueParser::<usize>::new().range(1..=serve::BODY_BYTES_MAX as u64))]
    body_bytes_max: usize,
    /// Time for a request's head, from its first byte on; past it 408
    #[arg(long, value_name = "MS", default_value_t = ms(DEFAULT.head_timeout), env = "LAMINA_HEAD_TIMEOUT_MS", hide_env_values = true, value_parser = wait())]
    head_timeout_ms: u64,
    /// Time for the handshake of TLS; past it the connection is closed
    #[arg(long, value_name = "MS", default_value_t = ms(DEFAULT.handshake_timeout), env = "LAMINA_HANDSHAKE_TIMEOUT_MS", hide_env_values = true, value_parser = wait())]
    handshake_timeout_ms: u64,
    /// Time that a connection may have no request on it; past it, it is closed
    #[arg(long, value_name = "MS", default_value_t = ms(DEFAULT.idle_timeout), env = "LAMINA_IDLE_TIMEOUT_MS", hide_env_values = true, value_parser = wait())]
    idle_timeout_ms: u64,
    /// Time for all of a body that is read whole; past it 408
    #[arg(long, value_name = "MS", default_value_t = ms(DEFAULT.body_timeout), env = "LAMINA_BODY_TIMEOUT_MS", hide_env_values = true, value_parser = wait())]
    body_timeout_ms: u64,
    /// Time that a body may be waited for before its rate counts
    #[arg(long, value_name = "MS", default_value_t = ms(DEFAULT.body_grace), env = "LAMINA_BODY_GRACE_MS", hide_env_values = true, value_parser = wait())]
    body_grace_ms: u64,
    /// Bytes a second that a body must come with, 0 for any; under it 408
    #[arg(long, value_name = "BYTES", default_value_t = DEFAULT.body_rate_min, env = "LAMINA_BODY_RATE_MIN", hide_env_values = true)]
    body_rate_min: u32,
    /// Bytes of all bodies together that are read whole and not all there yet; past it
    /// 429
    #[arg(long, value_name = "BYTES", default_value_t = DEFAULT.bodies_bytes_max, env = "LAMINA_BODIES_BYTES_MAX", hide_env_values = true, value_parser = bound())]
    bodies_bytes_max: usize,
    /// Time in which a client must take something of an answer that waits for it;
    /// past it the connection is cut
    #[arg(long, value_name = "MS", default_value_t = ms(DEFAULT.stall_timeout), env = "LAMINA_STALL_TIMEOUT_MS", hide_env_values = true, value_parser = wait())]
    stall_timeout_ms: u64,
    /// Requests of one HTTP/2 connection at a time
    #[arg(long, value_name = "N", default_value_t = DEFAULT.streams_max, env = "LAMINA_STREAMS_MAX", hide_env_values = true, value_parser = value_parser!(u32).range(1..))]
    streams_max: u32,
    /// Requests that an HTTP/2 client may give up; past it, when they are also more
    /// than half of its connection's, that is cut
    #[arg(long, value_name = "N", default_value_t = DEFAULT.resets_max, env = "LAMINA_RESETS_MAX", hide_env_values = true)]
    resets_max: u32,
    /// How often an HTTP/2 client is asked whether it is still there
    #[arg(long, value_name = "MS", default_value_t = ms(DEFAULT.ping_period), env = "LAMINA_PING_PERIOD_MS", hide_env_values = true, value_parser = wait())]
    ping_period_ms: u64,
    /// Time that it has to say so; past it the connection is closed
    #[arg(long, value_name = "MS", default_value_t = ms(DEFAULT.ping_timeout), env = "LAMINA_PING_TIMEOUT_MS", hide_env_values = true, value_parser = wait())]
    ping_timeout_ms: u64,
}

impl LimitArgs {
    /// Those of connections.
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            connections_max: self.connections_max,
            connections_per_address_max: self.connections_per_address_max,
            head_bytes_max: self.head_bytes_max,
            head_fields_max: self.head_fields_max,
            head_timeout: Duration::from_millis(self.head_timeout_ms),
            handshake_timeout: Duration::from_millis(self.handshake_timeout_ms),
            idle_timeout: Duration::from_millis(self.idle_timeout_ms),
            body_timeout: Duration::from_millis(self.body_timeout_ms),
            body_grace: Duration::from_millis(self.body_grace_ms),
            body_rate_min: self.body_rate_min,
            bodies_bytes_max: self.bodies_bytes_max,
            stall_timeout: Duration::from_millis(self.stall_timeout_ms),
            streams_max: self.streams_max,
            resets_max: self.resets_max,
            ping_period: Duration::from_millis(self.ping_period_ms),
            ping_timeout: Duration::from_millis(self.ping_timeout_ms),
        }
    }

    /// Those of calls.
    pub(crate) fn calls(&self) -> lamina_invoke::Config {
        lamina_invoke::Config {
            concurrency_max: self.concurrency_max,
            function_concurrency_max: self.function_concurrency_max,
        }
    }

    /// Places of the instance pool.
    pub(crate) const fn instances_max(&self) -> u32 {
        self.instances_max
    }

    /// Memory for bundles.
    pub(crate) const fn bundles_bytes_max(&self) -> usize {
        self.bundles_bytes_max
    }

    /// Bytes of an event.
    pub(crate) const fn body_bytes_max(&self) -> usize {
        self.body_bytes_max
    }
}
