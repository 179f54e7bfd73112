//! MemorySize is the ceiling of all memories and tables together.

use lamina_types::{MemoryMib, Status};
use serde_json::json;

use crate::support::Host;

const MIB: u64 = 1 << 20;

#[tokio::test]
async fn a_guest_that_dies_of_it_is_out_of_memory() {
    let host = Host::new();
    let called = host.call(json!({"do": "fill"})).await;
    assert_eq!(called.failed_with(), ("Runtime.OutOfMemory", "memory limit of 128 MB reached"));
    assert_eq!(called.usage.status, Status::Crash);
    let peak = called.usage.memory_bytes_peak;
    assert!(peak > 100 * MIB && peak <= 128 * MIB, "{peak}");
}

#[tokio::test]
async fn the_peak_is_measured() {
    let host = Host::new();
    let small = host.call(json!({"do": "echo"})).await.usage.memory_bytes_peak;
    assert!(small > 0 && small < 4 * MIB, "{small}");
    let large = host.call(json!({"do": "big", "bytes": 4 * MIB})).await.usage.memory_bytes_peak;
    assert!(large >= small + 4 * MIB && large < 64 * MIB, "{large}");
}

#[tokio::test]
async fn growth_past_the_ceiling_fails_and_the_guest_goes_on() {
    let host = Host::new();
    for (memory, step_pages) in [(128, 1), (128, 100), (512, 64)] {
        let mut function = host.function("guest-function").await;
        function.memory = MemoryMib(memory);
        let called = host.run(&function, json!({"do": "grow", "step_pages": step_pages})).await;
        let pages = called.answer()["pages"].as_u64().unwrap();
        let ceiling_pages = u64::from(memory) * 16;
        // What the tables hold is less than a page.
        assert!(pages < ceiling_pages && pages + step_pages + 1 >= ceiling_pages, "{memory} MB: {pages} pages");
        assert!(called.usage.memory_bytes_peak <= u64::from(memory) * MIB);
    }
}

/// A growth that is refused must not give back what was counted before.
#[tokio::test]
async fn overreaching_lifts_no_ceiling() {
    let host = Host::new();
    let called = host.call(json!({"do": "grow", "step_pages": 100, "overreach": true})).await;
    let answer = called.answer();
    assert!(answer["pages"].as_u64().unwrap() < 128 * 16, "{answer}");
    assert_eq!(answer["overreached"], 0);
}

#[tokio::test]
async fn a_memory_ends_at_4_gib_whatever_memory_size_says() {
    let host = Host::new();
    let mut function = host.function("guest-function").await;
    function.memory = MemoryMib(10_240);
    let pages = host.run(&function, json!({"do": "grow", "step_pages": 1})).await.answer()["pages"].clone();
    assert_eq!(pages, 65_536);
}

/// A component that needs this many pages and table elements to begin with.
fn component(pages: u32, elements: u32) -> Vec<u8> {
    crate::support::handler_in_wat(&format!(
        r#"(memory (export "memory") {pages})
           (table {elements} funcref)
           (func (export "handle") (param i32) (result i32) i32.const 1024)
           (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 2048)"#
    ))
}

#[tokio::test]
async fn memories_and_tables_count_together_from_the_start() {
    let host = Host::new();
    let full = 128 * 16;
    for (pages, elements, fits) in [
        (1, 1, true),
        (full, 0, true),
        (full + 1, 0, false),
        (full, 1, false),
        // 65,536 bytes of table are a page.
        (full - 1, 8_192, true),
        (full - 1, 8_193, false),
    ] {
        let function = host.function_of(&component(pages, elements)).await;
        let called = host.run(&function, json!({})).await;
        let ended = called.result.map_err(|failure| failure.error_type);
        let expect = if fits { Ok(vec![]) } else { Err("Runtime.OutOfMemory".to_owned()) };
        assert_eq!(ended, expect, "{pages} pages, {elements} elements");
    }
}
