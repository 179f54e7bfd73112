//! What an operator may set.

/// The runtime's settings. Every default is chosen for one machine with a few
/// cores; see `host/ARCHITECTURE.md` for where the numbers come from.
#[derive(Debug, Clone)]
pub struct Config {
    /// Instances that may exist at once; past it a call is throttled. Each
    /// reserves 4 GiB of address space, not of memory. 1 to 4,000; default 1,000.
    pub instances_max: u32,
    /// Bytes of a linear memory that stay mapped in its slot between calls, when
    /// the kernel can tell which pages were written. Default 1 MiB.
    pub memory_keep_resident_bytes: usize,
    /// Instances of managed runtimes that may exist at once; past it a call is
    /// throttled. 1 to 4,000; default 1,000.
    pub runtime_instances_max: u32,
    /// The memory that unused slots of managed runtimes may keep between calls, in
    /// bytes: an equal part each. Default 4 GiB, of which Python's calls touch less
    /// than half.
    pub runtimes_bytes_max: usize,
    /// Bytes of the bundles of packages that are kept in memory; past it the sources
    /// serve. Default 512 MiB.
    pub bundles_bytes_max: usize,
    /// Bytes of the snapshots of versions that are kept in memory; past it the one used
    /// longest ago goes. Default 2 GiB.
    pub snapshots_bytes_max: usize,
    /// Bytes of `/tmp` of one instance: Lambda's EphemeralStorage. Default 512 MiB.
    pub tmp_bytes_max: u64,
    /// Names in `/tmp` of one instance. Default 10,000.
    pub tmp_names_max: u64,
    /// Loaded images kept; past it the one used longest ago goes. Default 1,000.
    pub images_max: usize,
    /// Threads that compile. Default 1.
    pub compile_workers: usize,
    /// Components that may wait to be compiled; past it a deploy is refused.
    /// Default 1,000.
    pub compile_queue_max: usize,
    /// Fuel of one call: this, times MemorySize in GB, times the timeout in
    /// seconds. A core was seen to burn 13,000,000,000 in a second; the default of
    /// 1,000,000,000,000 is ten times that at the smallest MemorySize, so that the
    /// timeout is felt first. Lower it to sell less.
    pub fuel_per_gb_second: u64,
    /// Handles a guest may hold at once (streams, files, pollables). Default 1,024:
    /// Lambda's limit of descriptors.
    pub handles_max: usize,
    /// Bytes a guest may pass to the host in one call. Default 8 MiB: an answer
    /// and its frame.
    pub hostcall_bytes_max: usize,
    /// Bytes of randomness a guest may read in one call. Default 1 MiB.
    pub random_bytes_max: u64,
    /// Bytes of HTTP fields in one message, as held in memory. Default 128 KiB.
    pub http_fields_bytes_max: usize,
    /// Core instances, memories and tables of one component. Default 256, 16, 64.
    pub core_instances_max: u32,
    #[expect(missing_docs, reason = "said above")]
    pub memories_max: u32,
    #[expect(missing_docs, reason = "said above")]
    pub tables_max: u32,
}

impl Config {
    /// The default of `instances_max`.
    pub const INSTANCES_MAX: u32 = 1_000;
    /// The default of `bundles_bytes_max`.
    pub const BUNDLES_BYTES_MAX: usize = 512 << 20;
    /// The default of `fuel_per_gb_second`.
    pub const FUEL_PER_GB_SECOND: u64 = 1_000_000_000_000;
}

impl Default for Config {
    fn default() -> Self {
        Self {
            instances_max: Self::INSTANCES_MAX,
            memory_keep_resident_bytes: 1 << 20,
            runtime_instances_max: 1_000,
            runtimes_bytes_max: 4 << 30,
            bundles_bytes_max: Self::BUNDLES_BYTES_MAX,
            snapshots_bytes_max: 2 << 30,
            tmp_bytes_max: 512 << 20,
            tmp_names_max: 10_000,
            images_max: 1_000,
            compile_workers: 1,
            compile_queue_max: 1_000,
            fuel_per_gb_second: Self::FUEL_PER_GB_SECOND,
            handles_max: 1_024,
            hostcall_bytes_max: 8 << 20,
            random_bytes_max: 1 << 20,
            http_fields_bytes_max: 128 << 10,
            core_instances_max: 256,
            memories_max: 16,
            tables_max: 64,
        }
    }
}
