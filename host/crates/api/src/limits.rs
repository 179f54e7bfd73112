//! What one client may cost: every limit of connections and requests, with its
//! default. The table in `ARCHITECTURE.md` says what happens past each.

use std::time::Duration;

/// Limits of connections and of what comes over them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time. Default 10,000.
    pub connections_max: usize,
    /// Connections of one address at a time; of IPv6, one network of 64 bits.
    /// Default 2,000.
    pub connections_per_address_max: usize,
    /// Bytes of a request's line and headers, and of a body's trailers; 8 KiB to
    /// 256 KiB. Default 64 KiB.
    pub head_bytes_max: usize,
    /// Header fields of a request. Default 100.
    pub head_fields_max: usize,
    /// Time for a request's head, from its first byte on. Default 10 s.
    pub head_timeout: Duration,
    /// Time for the handshake of TLS. Default 10 s.
    pub handshake_timeout: Duration,
    /// Time that a connection may have no request on it; it is closed before twice
    /// of it. Default 60 s.
    pub idle_timeout: Duration,
    /// Time that may be waited for all of a body that is read whole. Default 120 s.
    pub body_timeout: Duration,
    /// Time that may be waited for a body before its rate counts. Default 10 s.
    pub body_grace: Duration,
    /// Bytes a second that a body must come with while it is waited for. Default 500.
    pub body_rate_min: u32,
    /// Bytes of all bodies together that are read whole and not all there yet.
    /// Default 1 GiB.
    pub bodies_bytes_max: usize,
    /// Time in which a client must take something of an answer that waits for it.
    /// Default 30 s.
    pub stall_timeout: Duration,
    /// Requests of one HTTP/2 connection at a time. Default 128.
    pub streams_max: u32,
    /// Requests that an HTTP/2 client may give up, if they are also more than half
    /// of its connection's. Default 100.
    pub resets_max: u32,
    /// How often an HTTP/2 client is asked whether it is still there. Default 30 s.
    pub ping_period: Duration,
    /// Time that it has to say so. Default 20 s.
    pub ping_timeout: Duration,
}

impl Limits {
    /// The defaults.
    pub const DEFAULT: Self = Self {
        connections_max: 10_000,
        connections_per_address_max: 2_000,
        head_bytes_max: 64 << 10,
        head_fields_max: 100,
        head_timeout: Duration::from_secs(10),
        handshake_timeout: Duration::from_secs(10),
        idle_timeout: Duration::from_secs(60),
        body_timeout: Duration::from_secs(120),
        body_grace: Duration::from_secs(10),
        body_rate_min: 500,
        bodies_bytes_max: 1 << 30,
        stall_timeout: Duration::from_secs(30),
        streams_max: 128,
        resets_max: 100,
        ping_period: Duration::from_secs(30),
        ping_timeout: Duration::from_secs(20),
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
