//! The managed runtime for JavaScript: QuickJS-ng as a component of the world
//! `managed-runtime-source` (`wit/managed.wit`).
//!
//! Rust finds and loads modules, runs the event loop and speaks with the host; what is
//! easier said in JavaScript is in `js/`. Web APIs and Node's modules are not here but
//! in the crate `modules` beside this one.

mod bindings;
mod builtins;
mod engine;
mod guest;
mod handler;
mod host;
mod loader;
mod package;
mod realm;
mod run_loop;
mod snapshot;
mod source_map;
mod stream;
