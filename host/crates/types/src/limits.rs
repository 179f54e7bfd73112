//! Lambda's quotas, each with its unit. Source: AWS "Lambda quotas" and the
//! service model of November 2026, as recorded in reference section 8.

/// A synchronous request's payload, in bytes.
pub const REQUEST_PAYLOAD_BYTES_MAX: usize = 6_291_456;
/// A buffered answer, in bytes: 6 MiB and 100 (recorded).
pub const RESPONSE_PAYLOAD_BYTES_MAX: usize = 6_291_556;
/// A streamed answer, in bytes.
pub const STREAMED_RESPONSE_BYTES_MAX: u64 = 200 << 20;
/// The body of CreateFunction, in bytes (recorded).
pub const CREATE_REQUEST_BYTES_MAX: usize = 70_167_211;
/// A zip, or a bare component, as uploaded, in bytes.
pub const PACKAGE_ZIPPED_BYTES_MAX: usize = 52_428_800;
/// The package unpacked, in bytes.
pub const PACKAGE_UNZIPPED_BYTES_MAX: usize = 262_144_000;
/// MemorySize, in MB.
pub const MEMORY_MIB_MIN: u32 = 128;
/// MemorySize, in MB.
pub const MEMORY_MIB_MAX: u32 = 10_240;
/// MemorySize when none is given, in MB.
pub const MEMORY_MIB_DEFAULT: u32 = 128;
/// Timeout, in seconds.
pub const TIMEOUT_S_MIN: u32 = 1;
/// Timeout, in seconds.
pub const TIMEOUT_S_MAX: u32 = 900;
/// Timeout when none is given, in seconds.
pub const TIMEOUT_S_DEFAULT: u32 = 3;
/// The environment as compact JSON, in bytes (recorded).
pub const ENVIRONMENT_BYTES_MAX: usize = 4_096;
/// Description, in characters.
pub const DESCRIPTION_CHARS_MAX: usize = 256;
/// Handler, in characters.
pub const HANDLER_CHARS_MAX: usize = 128;
/// Tags of one function.
pub const TAGS_MAX: usize = 50;
/// A resource policy, in bytes.
pub const POLICY_BYTES_MAX: usize = 20_480;
/// Client context, in bytes of base64.
pub const CLIENT_CONTEXT_BYTES_MAX: usize = 3_583;
/// The tail of a log that Invoke answers, in bytes.
pub const LOG_TAIL_BYTES_MAX: usize = 4_096;
/// Concurrent executions of an account.
pub const ACCOUNT_CONCURRENCY: u32 = 1_000;
/// Functions that ListFunctions answers at most, whatever is asked.
pub const LIST_FUNCTIONS_PAGE_MAX: usize = 50;
/// Code and versions stored, in bytes: 75 GB.
pub const CODE_STORAGE_BYTES_MAX: u64 = 80_530_636_800;
