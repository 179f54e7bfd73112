//! The memory ceiling: all linear memories and tables of one instance together.

use wasmtime::ResourceLimiter;

use crate::engine::TABLE_ELEMENT_BYTES;

/// Bytes that a 32-bit memory can have.
const MEMORY32_BYTES_MAX: u64 = 1 << 32;

/// Counts what the instance holds, refuses what would pass the ceiling, and
/// remembers that it did.
#[derive(Debug)]
pub(crate) struct Limiter {
    ceiling: u64,
    used: u64,
    pub(crate) peak: u64,
    /// The limit that a growth ran into last, in bytes: the ceiling, or the end of a
    /// 32-bit memory.
    pub(crate) refused_at: Option<u64>,
    instances_max: usize,
    memories_max: usize,
    tables_max: usize,
}

impl Limiter {
    pub(crate) fn new(ceiling: u64, config: &crate::Config) -> Self {
        Self {
            ceiling,
            used: 0,
            peak: 0,
            refused_at: None,
            instances_max: config.core_instances_max as usize,
            memories_max: config.memories_max as usize,
            tables_max: config.tables_max as usize,
        }
    }

    fn grow(&mut self, bytes: u64) -> bool {
        let after = self.used.saturating_add(bytes);
        if after > self.ceiling {
            self.refused_at = Some(self.ceiling);
            return false;
        }
        self.used = after;
        self.peak = self.peak.max(after);
        true
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if let Some(maximum) = maximum.filter(|maximum| desired > *maximum) {
            // Without a maximum of its own a memory ends where its addresses do.
            if maximum as u64 == MEMORY32_BYTES_MAX {
                self.refused_at = Some(self.ceiling.min(MEMORY32_BYTES_MAX));
            }
            return Ok(false);
        }
        Ok(self.grow(desired.saturating_sub(current) as u64))
    }

    /// The engine could not make a growth that was allowed. It stays counted: the
    /// engine may also call this without having asked before (as it does for
    /// memories of 1-byte pages), and a guest must not have anything given back that
    /// it holds.
    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let elements = desired.saturating_sub(current) as u64;
        Ok(self.grow(elements.saturating_mul(TABLE_ELEMENT_BYTES)))
    }

    /// As for memories.
    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        Ok(())
    }

    fn instances(&self) -> usize {
        self.instances_max
    }

    fn memories(&self) -> usize {
        self.memories_max
    }

    fn tables(&self) -> usize {
        self.tables_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_and_tables_share_one_ceiling() {
        let mut limiter = Limiter::new(1000, &crate::Config::default());
        assert!(limiter.memory_growing(0, 400, None).unwrap());
        assert!(limiter.memory_growing(0, 400, None).unwrap());
        assert!(limiter.table_growing(0, 20, None).unwrap());
        assert!(!limiter.table_growing(20, 30, None).unwrap());
        assert_eq!((limiter.peak, limiter.refused_at), (960, Some(1000)));
    }

    #[test]
    fn a_failure_gives_nothing_back() {
        let mut limiter = Limiter::new(1000, &crate::Config::default());
        assert!(limiter.memory_growing(0, 600, None).unwrap());
        limiter.memory_grow_failed(wasmtime::Error::msg("not asked for")).unwrap();
        assert!(!limiter.memory_growing(600, 1200, None).unwrap());
        limiter.table_grow_failed(wasmtime::Error::msg("not asked for")).unwrap();
        assert!(!limiter.table_growing(0, 60, None).unwrap());
    }

    #[test]
    fn a_memory_without_a_maximum_ends_at_4_gib() {
        for (ceiling, expect) in [(10 << 30, 4 << 30), (1 << 30, 1 << 30)] {
            let mut limiter = Limiter::new(ceiling, &crate::Config::default());
            assert!(!limiter.memory_growing(0, (4 << 30) + 1, Some(4 << 30)).unwrap());
            assert_eq!(limiter.refused_at, Some(expect));
        }
    }

    #[test]
    fn a_declared_maximum_is_not_a_refusal_of_ours() {
        let mut limiter = Limiter::new(1000, &crate::Config::default());
        assert!(!limiter.memory_growing(0, 400, Some(300)).unwrap());
        assert_eq!(limiter.refused_at, None);
    }
}
