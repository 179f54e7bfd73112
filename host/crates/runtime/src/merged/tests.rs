use wasmparser::{Parser, Payload};
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store, StoreContextMut};

use super::*;

/// Modules as a linker of shared libraries leaves them: `LIBRARY` has the table's and
/// the memory's places from the main module, and calls it; a shim stands for a function
/// that needs the memory; the last module comes when that is there.
const LINKED: &str = r#"
(component
  (import "say" (func $say (param "text" string)))
  (import "count" (func $count (result u32)))
  (core module $shim
    (type $t (func (param i32 i32)))
    (table (export "$imports") 1 1 funcref)
    (func (export "0") (param i32 i32) local.get 0 local.get 1 i32.const 0 call_indirect (type $t)))
  (core module $main
    (import "host" "count" (func $count (result i32)))
    (import "host" "say" (func $say (param i32 i32)))
    (memory (export "memory") 1)
    (table (export "table") 8 8 funcref)
    (global (export "base") i32 (i32.const 3))
    (global (export "address") (mut i32) (i32.const 16))
    (global $sum (export "sum") (mut i32) (i32.const 7))
    (data (i32.const 16) "hello")
    (func (export "counted") (result i32) call $count)
    (func (export "tell") (param i32 i32) local.get 0 local.get 1 call $say)
    (func (export "drop") (param i32))
    (func $nobody (export "nobody") (global.set 1 (i32.const 0)) call $nobody))
  (core module $library
    (import "env" "tell" (func $tell (param i32 i32)))
    (import "env" "counted" (func $counted (result i32)))
    (import "env" "memory" (memory 1))
    (import "env" "table" (table 8 funcref))
    (import "env" "base" (global $base i32))
    (import "env" "address" (global $address (mut i32)))
    (import "env" "sum" (global $sum (mut i32)))
    (type $t (func (result i32)))
    (elem (offset (global.get $base)) func $forty $nine)
    (data (offset (global.get $base)) "\2a")
    (func $forty (result i32) i32.const 40)
    (func $nine (result i32) i32.const 9)
    (func (export "run") (result i32)
      (call $tell (global.get $address) (i32.const 5))
      (global.set $sum (i32.add (global.get $sum) (call $counted)))
      (i32.add (global.get $sum)
        (i32.add (i32.load8_u (global.get $base))
          (i32.add (call_indirect (type $t) (i32.const 4)) (call_indirect (type $t) (i32.const 6)))))))
  (core module $fix
    (import "" "0" (func (param i32 i32)))
    (import "" "$imports" (table 1 funcref))
    (elem (i32.const 0) func 0))
  (core module $late
    (import "env" "table" (table 8 funcref))
    (func $thousand (result i32) i32.const 1000)
    (elem (i32.const 6) func $thousand))
  (core instance $s (instantiate $shim))
  (core func $counts (canon lower (func $count)))
  (core instance $m (instantiate $main
    (with "host" (instance (export "count" (func $counts)) (export "say" (func $s "0"))))))
  (core instance $l (instantiate $library (with "env" (instance $m))))
  (core func $says (canon lower (func $say) (memory (core memory $m "memory"))))
  (core instance (instantiate $fix
    (with "" (instance (export "0" (func $says)) (export "$imports" (table $s "$imports"))))))
  (core instance (instantiate $late (with "env" (instance $m))))
  (func (export "run") (result u32) (canon lift (core func $l "run"))))
"#;

/// What an instance answers, and what it said.
fn run(component: &[u8]) -> (u32, Vec<String>) {
    let engine = Engine::default();
    let component = Component::new(&engine, component).unwrap();
    let mut linker = Linker::<Vec<String>>::new(&engine);
    let mut root = linker.root();
    root.func_wrap("count", |_: StoreContextMut<'_, Vec<String>>, ()| Ok((100_u32,))).unwrap();
    root.func_wrap("say", |mut store: StoreContextMut<'_, Vec<String>>, (text,): (String,)| {
        store.data_mut().push(text);
        Ok(())
    })
    .unwrap();
    let mut store = Store::new(&engine, Vec::new());
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let run = instance.get_typed_func::<(), (u32,)>(&mut store, "run").unwrap();
    let (answer,) = run.call(&mut store, ()).unwrap();
    (answer, store.into_data())
}

/// Functions and globals of each module.
fn modules(component: &[u8]) -> Vec<(u32, u32)> {
    let mut modules = Vec::new();
    for payload in Parser::new(0).parse_all(component) {
        match payload.unwrap() {
            Payload::ModuleSection { .. } => modules.push((0, 0)),
            Payload::FunctionSection(functions) => modules.last_mut().unwrap().0 = functions.count(),
            Payload::GlobalSection(globals) => modules.last_mut().unwrap().1 = globals.count(),
            _ => {}
        }
    }
    modules
}

#[test]
fn modules_that_a_linker_made_become_one_and_do_the_same() {
    let linked = wat::parse_str(LINKED).unwrap();
    let made = merged(&linked).unwrap();
    let expected = (7 + 100 + 42 + 9 + 1000, vec!["hello".to_owned()]);
    assert_eq!((run(&linked), run(&made)), (expected.clone(), expected));
    assert_eq!(modules(&linked).len(), 5);
    // What fills the shim's table, and the rest: without the function that nobody calls
    // and the globals that nobody else sets.
    assert_eq!(modules(&made), [(0, 0), (7, 1)]);
    assert_eq!(merged(&made).unwrap(), made, "it is one already");
}

#[test]
fn a_global_that_is_set_stays_one_wherever_it_is_set() {
    let set = LINKED.replace("(global.set $sum", "(global.set $address (global.get $address)) (global.set $sum");
    let linked = wat::parse_str(set).unwrap();
    let made = merged(&linked).unwrap();
    assert_eq!(run(&linked), run(&made));
    assert_eq!(modules(&made)[1], (7, 2));
}

#[test]
fn what_is_passed_on_and_what_code_refers_to_is_found() {
    // The main module exports what it imports, and a table is filled by code.
    let refers = LINKED
        .replace(
            r#"(func $nobody (export "nobody")"#,
            r#"(export "counts" (func $count)) (func $nobody (export "nobody")"#,
        )
        .replace(r#""counted" (func $counted"#, r#""counts" (func $counted"#)
        .replace("(func $forty", r#"(export "nine" (func $nine)) (func $forty"#)
        .replace("(call $tell (global", "(table.set (i32.const 7) (ref.func $nine)) (call $tell (global")
        .replace("(call_indirect (type $t) (i32.const 4))", "(call_indirect (type $t) (i32.const 7))");
    let linked = wat::parse_str(refers).unwrap();
    let made = merged(&linked).unwrap();
    assert_eq!(run(&linked), run(&made));
    assert_eq!(run(&made).0, 7 + 100 + 42 + 9 + 1000);
    // What is lifted is a function from outside.
    let lifted = LINKED.replace("(core func $l \"run\")", "(core func $m \"counts\")");
    let lifted = lifted.replace("(func $nobody (export", r#"(export "counts" (func $count)) (func $nobody (export"#);
    let made = merged(&wat::parse_str(lifted).unwrap()).unwrap();
    assert_eq!(run(&made), (100, Vec::new()));
}

#[test]
fn what_cannot_be_in_one_module_is_told() {
    let told = |from: &str, to: &str| {
        let linked = wat::parse_str(LINKED.replacen(from, to, 1)).unwrap();
        merged(&linked).unwrap_err().to_string()
    };
    let start = told("(func $forty", "(start $begin) (func $begin) (func $forty");
    assert_eq!(start, "its modules cannot become one: a module has a start function");
    let types = told("(func $forty", "(type (struct)) (func $forty");
    assert_eq!(types, "its modules cannot become one: a module has types other than of functions");
    let tag = told("(func $forty", "(tag) (func $forty");
    assert_eq!(tag, "its modules cannot become one: a module has tags");
    let passed = "its modules cannot become one: one is imported, exported or passed on";
    assert_eq!(told("(core module $shim", r#"(import "other" (core module)) (core module $shim"#), passed);
    assert_eq!(told("(core instance $s", r#"(export "module" (core module $fix)) (core instance $s"#), passed);
    assert_eq!(told("(core instance $s", "(component (alias outer 1 $fix (core module))) (core instance $s"), passed);
    let data = told("(elem (i32.const 0) func 0)", r#"(memory 1) (data (i32.const 0) "a")"#);
    assert!(data.ends_with("one that needs the others' memory has data or a start function"), "{data}");
    let shared = LINKED.replace(
        r#"(import "env" "table" (table 8 funcref))
    (func $thousand"#,
        r#"(import "env" "$imports" (table 8 funcref))
    (func $thousand"#,
    );
    let shared = shared.replace(
        "(instantiate $late (with \"env\" (instance $m)))",
        "(instantiate $late (with \"env\" (instance $s)))",
    );
    let shared = shared
        .replace(r#"(table (export "$imports") 1 1"#, r#"(table (export "$imports") 8 8"#)
        .replace("(table 1 funcref)", "(table 8 funcref)");
    let shared = merged(&wat::parse_str(shared).unwrap()).unwrap_err().to_string();
    assert!(shared.ends_with("one that needs the others' memory shares a table with a later one"), "{shared}");
    let resource =
        told("(core func $says", r#"(type (resource (rep i32) (dtor (core func $m "drop")))) (core func $says"#);
    assert_eq!(resource, "its modules cannot become one: a resource has a destructor");
    assert!(merged(b"\0asm\r\0\x01\0\x01").is_err(), "it is cut off");
}

#[test]
fn a_component_of_one_module_stays_as_it_is() {
    let one = wat::parse_str("(component (core module) (core instance (instantiate 0)))").unwrap();
    assert_eq!(merged(&one).unwrap(), one);
}
