//! What was compiled of each function of a runtime: a snapshot of it has other memory
//! and the same functions.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use wasmtime::CacheStore;

/// Bytes that are kept of one runtime. Python's take some 100 MB.
const BYTES_MAX: usize = 256 << 20;

/// Compiled functions by what they were compiled from. Full, it takes no more.
#[derive(Debug, Default)]
pub(crate) struct Functions(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    functions: HashMap<Box<[u8]>, Box<[u8]>>,
    bytes: usize,
}

impl CacheStore for Functions {
    fn get(&self, key: &[u8]) -> Option<Cow<'_, [u8]>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.functions.get(key).map(|function| Cow::Owned(function.to_vec()))
    }

    fn insert(&self, key: &[u8], value: Vec<u8>) -> bool {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = kept.bytes + key.len() + value.len();
        let fits = bytes <= BYTES_MAX;
        if fits && kept.functions.insert(key.into(), value.into()).is_none() {
            kept.bytes = bytes;
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_store_takes_no_more() {
        let functions = Functions::default();
        assert!(functions.insert(b"a", vec![1; 10]));
        assert!(!functions.insert(b"b", vec![0; BYTES_MAX]));
        assert_eq!(functions.get(b"a").as_deref(), Some(&[1; 10][..]));
        assert_eq!(functions.get(b"b"), None);
    }
}
