//! The engines.
//!
//! Settings and their reasons: measured, see "The instance" in
//! `host/ARCHITECTURE.md`.

use std::sync::Arc;

use wasmtime::{Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, WasmBacktraceDetails};

use crate::config::Config;

/// Elements of one table: interpreters have tens of thousands.
const TABLE_ELEMENTS_MAX: usize = 100_000;
/// What a table costs the host for each element: a pointer.
pub(crate) const TABLE_ELEMENT_BYTES: u64 = 8;
/// The host's stack that an interpreter's own recursion may use. Tried: QuickJS with a
/// limit of 4 MiB of its own needs up to eight times as much, so that every recursion of
/// a handler ends in its language's error and not in a trap.
const RUNTIME_WASM_STACK_BYTES: usize = 32 << 20;
/// What host calls get besides.
const RUNTIME_HOST_STACK_BYTES: usize = 1 << 20;
/// Of a stack, what is wiped in place after a call; the rest goes back to the system.
const RUNTIME_STACK_KEPT_BYTES: usize = 64 << 10;
/// Frames in a wasm backtrace.
const BACKTRACE_FRAMES_MAX: usize = 30;

/// What an engine's instances are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Functions' own components: small, and many.
    Components,
    /// Interpreters: they touch megabytes a call, and recurse deeply.
    Runtimes,
}

/// Builds an engine.
pub(crate) fn build(config: &Config, kind: Kind) -> wasmtime::Result<Engine> {
    Engine::new(&engine_config(config, kind))
}

/// An engine that only compiles, and keeps what it compiled of each function. Its images
/// are those of the others.
pub(crate) fn compiler(config: &Config, functions: Arc<dyn wasmtime::CacheStore>) -> wasmtime::Result<Engine> {
    let mut engine = engine_config(&Config { runtime_instances_max: 1, ..config.clone() }, Kind::Runtimes);
    engine.enable_incremental_compilation(functions)?;
    Engine::new(&engine)
}

fn engine_config(config: &Config, kind: Kind) -> wasmtime::Config {
    let mut engine = wasmtime::Config::new();
    engine
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(config, kind)))
        // The structures of component-model async cost the 0.2 path 1.8 us a call.
        .concurrency_support(false)
        .consume_fuel(true)
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(BACKTRACE_FRAMES_MAX))
        // Else the environment decides whether a guest's debug sections are parsed.
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        // 64-bit memories would end past MemorySize's 4 GiB, but cost bounds checks.
        .wasm_memory64(false);
    if kind == Kind::Runtimes {
        // None of it is in an image's fingerprint: a test says so.
        engine
            .max_wasm_stack(RUNTIME_WASM_STACK_BYTES)
            .async_stack_size(RUNTIME_WASM_STACK_BYTES + RUNTIME_HOST_STACK_BYTES)
            // A deep recursion must not keep its stack's memory for ever.
            .async_stack_zeroing(true);
    }
    engine
}

fn pool(config: &Config, kind: Kind) -> PoolingAllocationConfig {
    let instances = match kind {
        Kind::Components => config.instances_max,
        Kind::Runtimes => config.runtime_instances_max,
    };
    let instances = instances.clamp(1, 4_000);
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
        .max_tables_per_module(config.tables_max)
        .max_memories_per_module(config.memories_max)
        .table_elements(TABLE_ELEMENTS_MAX)
        .table_keep_resident(1 << 20)
        .pagemap_scan(Enabled::Auto);
    // Without PAGEMAP_SCAN (Linux 6.7) the resident part is copied back whole on
    // every call: then only as much as a small guest dirties is kept.
    let resident = match kind {
        Kind::Components => config.memory_keep_resident_bytes,
        Kind::Runtimes => {
            pool.async_stack_keep_resident(RUNTIME_STACK_KEPT_BYTES);
            config.runtimes_bytes_max / instances as usize
        }
    };
    let resident = if has_pagemap_scan() { resident } else { resident.min(192 << 10) };
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
    use super::*;
    use crate::image::Fingerprint;

    #[test]
    fn images_fit_every_engine() {
        let config = Config::default();
        let components = build(&config, Kind::Components).unwrap();
        let runtimes = build(&config, Kind::Runtimes).unwrap();
        assert_eq!(Fingerprint::of(&components), Fingerprint::of(&runtimes));
        let compiler = compiler(&config, Arc::new(crate::snapshot::Functions::default())).unwrap();
        assert_eq!(Fingerprint::of(&components), Fingerprint::of(&compiler));
    }
}
