//! GetAccountSettings (reference 4.9).

use lamina_types::limits::{CODE_STORAGE_BYTES_MAX, PACKAGE_UNZIPPED_BYTES_MAX, PACKAGE_ZIPPED_BYTES_MAX};
use serde_json::{Value, json};

/// The answer, for an account with this many functions and bytes of code, which
/// may run this many calls at a time.
pub fn settings(functions: usize, code_bytes: u64, concurrency: u32) -> Value {
    json!({
        "AccountLimit": {
            "TotalCodeSize": CODE_STORAGE_BYTES_MAX,
            "CodeSizeUnzipped": PACKAGE_UNZIPPED_BYTES_MAX,
            "CodeSizeZipped": PACKAGE_ZIPPED_BYTES_MAX,
            "ConcurrentExecutions": concurrency,
            "UnreservedConcurrentExecutions": concurrency,
        },
        "AccountUsage": { "TotalCodeSize": code_bytes, "FunctionCount": functions },
    })
}
