//! Bounds of what is kept.

use std::time::Duration;

/// Bounds of the logs on the disk. What is older than a group's retention goes as
/// well.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// Bytes of one group; past it its own oldest segment goes. At least four
    /// segments. Default 256 MiB.
    pub group_bytes_max: u64,
    /// Bytes of all groups; past it the oldest segment of the largest group goes.
    /// Default 4 GiB.
    pub bytes_max: u64,
    /// Bytes after which a segment is ended. Default 8 MiB.
    pub segment_bytes_max: u64,
    /// Groups; past it none is created, and the first line of one more takes the
    /// place of the group that was written to longest ago. Default 10,000.
    pub groups_max: usize,
    /// Streams of a group that were created by name. Default 10,000.
    pub streams_max: usize,
    /// The longest time that a line is in memory only. Default 400 ms.
    pub period: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            group_bytes_max: 256 << 20,
            bytes_max: 4 << 30,
            segment_bytes_max: 8 << 20,
            groups_max: 10_000,
            streams_max: 10_000,
            period: Duration::from_millis(400),
        }
    }
}
