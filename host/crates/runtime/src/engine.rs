//! The engine and the thread that ticks its epochs.
//!
//! Settings and their reasons: measured, see "The instance" in
//! `host/ARCHITECTURE.md`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use wasmtime::{Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, WasmBacktraceDetails};

use crate::config::Config;

/// Elements of one table: interpreters have tens of thousands.
const TABLE_ELEMENTS_MAX: usize = 100_000;
/// What a table costs the host for each element: a pointer.
pub(crate) const TABLE_ELEMENT_BYTES: u64 = 8;
/// Frames in a wasm backtrace.
const BACKTRACE_FRAMES_MAX: usize = 30;

/// The engine; its epoch thread ends with the last clone.
#[derive(Clone)]
pub(crate) struct Ticking {
    pub(crate) engine: Engine,
    _ticker: Arc<Ticker>,
}

struct Ticker {
    stop: Arc<AtomicBool>,
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
    }
}

/// Builds the engine and starts its epoch thread.
pub(crate) fn build(config: &Config) -> wasmtime::Result<Ticking> {
    let engine = Engine::new(&engine_config(config))?;
    let stop = Arc::new(AtomicBool::new(false));
    let (weak, stopped, tick) = (engine.weak(), stop.clone(), config.epoch_tick);
    thread::Builder::new().name("lamina-epoch".into()).spawn(move || {
        while !stopped.load(Ordering::SeqCst) {
            thread::sleep(tick);
            match weak.upgrade() {
                Some(engine) => engine.increment_epoch(),
                None => return,
            }
        }
    })?;
    Ok(Ticking { engine, _ticker: Arc::new(Ticker { stop }) })
}

fn engine_config(config: &Config) -> wasmtime::Config {
    let mut engine = wasmtime::Config::new();
    engine
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(config)))
        // The structures of component-model async cost the 0.2 path 1.8 us a call.
        .concurrency_support(false)
        .epoch_interruption(true)
        .consume_fuel(true)
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(BACKTRACE_FRAMES_MAX))
        // Else the environment decides whether a guest's debug sections are parsed.
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        // 64-bit memories would end past MemorySize's 4 GiB, but cost bounds checks.
        .wasm_memory64(false);
    engine
}

fn pool(config: &Config) -> PoolingAllocationConfig {
    let instances = config.instances_max.clamp(1, 4_000);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        // A count, behind which nothing is reserved: components of many modules
        // must not use up the slots of the others.
        .total_core_instances(instances.saturating_mul(config.core_instances_max))
        .total_memories(instances.saturating_mul(2))
        .total_tables(instances.saturating_mul(4))
        .total_stacks(instances)
        .max_core_instances_per_component(config.core_instances_max)
        .max_memories_per_component(config.memories_max)
        .max_tables_per_component(config.tables_max)
        .table_elements(TABLE_ELEMENTS_MAX)
        .table_keep_resident(1 << 20)
        .pagemap_scan(Enabled::Auto);
    // Without PAGEMAP_SCAN (Linux 6.7) the resident part is copied back whole on
    // every call: then only as much as a small guest dirties is kept.
    let resident = if has_pagemap_scan() { config.memory_keep_resident_bytes } else { 192 << 10 };
    pool.linear_memory_keep_resident(resident);
    pool
}

/// Whether the kernel has `PAGEMAP_SCAN`: the engine refuses `Yes` without it.
fn has_pagemap_scan() -> bool {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(1)
        .total_core_instances(1)
        .total_memories(1)
        .total_tables(1)
        .total_stacks(1)
        .pagemap_scan(Enabled::Yes);
    let mut probe = wasmtime::Config::new();
    probe.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&probe).is_ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_engine_builds() {
        super::build(&crate::Config::default()).unwrap();
    }
}
