//! The memory ceiling: all linear memories and tables of one instance together.

use wasmtime::ResourceLimiter;

use crate::engine::TABLE_ELEMENT_BYTES;

/// Counts what the instance holds, refuses what would pass the ceiling, and
/// remembers that it did.
#[derive(Debug)]
pub(crate) struct Limiter {
    ceiling: u64,
    used: u64,
    last_growth: u64,
    pub(crate) peak: u64,
    pub(crate) refused: bool,
    instances_max: usize,
    memories_max: usize,
    tables_max: usize,
}

impl Limiter {
    pub(crate) fn new(ceiling: u64, config: &crate::Config) -> Self {
        Self {
            ceiling,
            used: 0,
            last_growth: 0,
            peak: 0,
            refused: false,
            instances_max: config.core_instances_max as usize,
            memories_max: config.memories_max as usize,
            tables_max: config.tables_max as usize,
        }
    }

    fn grow(&mut self, bytes: u64) -> bool {
        let after = self.used.saturating_add(bytes);
        if after > self.ceiling {
            self.refused = true;
            return false;
        }
        self.used = after;
        self.last_growth = bytes;
        self.peak = self.peak.max(after);
        true
    }

    /// The engine could not do what was allowed: what was counted is given back.
    fn failed(&mut self) {
        self.used -= std::mem::take(&mut self.last_growth);
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        Ok(self.grow(desired.saturating_sub(current) as u64))
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.failed();
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        Ok(self.grow(desired.saturating_sub(current) as u64 * TABLE_ELEMENT_BYTES))
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.failed();
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
        assert_eq!((limiter.peak, limiter.refused), (960, true));
        assert!(limiter.memory_growing(400, 440, None).unwrap());
        limiter.memory_grow_failed(wasmtime::Error::msg("no")).unwrap();
        assert!(limiter.memory_growing(400, 440, None).unwrap());
    }

    #[test]
    fn a_declared_maximum_is_not_a_refusal_of_ours() {
        let mut limiter = Limiter::new(1000, &crate::Config::default());
        assert!(!limiter.memory_growing(0, 400, Some(300)).unwrap());
        assert!(!limiter.refused);
    }
}
