//! Which world a component was built for, without compiling it.

use lamina_types::World;
use wasmparser::{ComponentExternalKind, Encoding, Parser, Payload, Validator, WasmFeatures};

/// Why bytes are not a function.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InspectError {
    /// Not WebAssembly at all.
    #[error(
        "the code is not a WebAssembly component that exports lamina:function/handler, lamina:function/stream-handler or wasi:http/incoming-handler: {0}"
    )]
    NotWasm(String),
    /// A core module.
    #[error(
        "the code is a core WebAssembly module, not a component: it cannot export lamina:function/handler; build for wasm32-wasip2 or wrap it with `wasm-tools component new`"
    )]
    CoreModule,
    /// A component that is damaged or uses what is not supported.
    #[error("the component is not valid: {0}")]
    Invalid(String),
    /// A function in it is too large to be compiled within reasonable memory.
    #[error(
        "a function of the component has {bytes} bytes and {locals} locals: at most {FUNCTION_BYTES_MAX} bytes, and \
         {FUNCTION_WEIGHT_MAX} of bytes times locals, are allowed"
    )]
    TooComplex {
        /// Bytes of its body.
        bytes: u64,
        /// Its locals.
        locals: u64,
    },
    /// A managed runtime of which no instance may be made yet.
    #[error(
        "the component is the source of a managed runtime: it is run once before it is installed (`lamina runtime build`)"
    )]
    NotStarted,
    /// A component of another world.
    #[error(
        "the component exports none of lamina:function/handler@0.1.0, lamina:function/stream-handler@0.1.0 and wasi:http/incoming-handler@0.2.x: {0}"
    )]
    OtherWorld(String),
}

/// The largest function, in bytes of its body. An interpreter's main loop has some
/// hundred thousand.
const FUNCTION_BYTES_MAX: u64 = 2 << 20;
/// The largest function, in bytes times locals. A function of 4 MB with 40,000
/// locals (160 times this) was seen to take the compiler more than 24 GB.
const FUNCTION_WEIGHT_MAX: u64 = 1_000_000_000;

/// What a managed runtime exports (`wit/managed.wit`), beside what it need not.
const MANAGED: [&str; 5] = ["preload", "handle", "before-snapshot", "after-restore", DERIVE];
pub(crate) const DERIVE: &str = "derive";
/// What it exports while it is not started: `lamina runtime build` runs it once.
pub(crate) const START: &str = "start";
/// What that export is called afterwards; as long a name, for it is written over it.
pub(crate) const STARTED: &str = "ready";

pub(crate) const HANDLER: &str = "lamina:function/handler@0.1.0";
pub(crate) const STREAM_HANDLER: &str = "lamina:function/stream-handler@0.1.0";
const INCOMING_HANDLER: &str = "wasi:http/incoming-handler@0.2.";
/// How many of a foreign component's exports an error names.
const EXPORTS_NAMED_MAX: usize = 10;

/// Validates the whole component and finds its world.
///
/// A component that exports several of the handlers is taken as the first of
/// `function`, `function-stream`, `function-http`, `managed-runtime`.
pub fn inspect(bytes: &[u8]) -> Result<World, InspectError> {
    if !bytes.starts_with(b"\0asm") {
        return Err(InspectError::NotWasm("it does not begin with the bytes \\0asm".to_owned()));
    }
    let Exports { instances: exports, functions } = validated_exports(bytes)?;
    let has = |name: &str| exports.iter().any(|export| export.starts_with(name));
    let does = |name: &str| functions.iter().any(|function| function == name);
    if has(HANDLER) {
        Ok(World::Function)
    } else if has(STREAM_HANDLER) {
        Ok(World::FunctionStream)
    } else if has(INCOMING_HANDLER) {
        Ok(World::FunctionHttp)
    } else if MANAGED.into_iter().all(does) {
        if does(START) { Err(InspectError::NotStarted) } else { Ok(World::ManagedRuntime) }
    } else if exports.is_empty() {
        Err(InspectError::OtherWorld("it exports nothing".to_owned()))
    } else {
        let named = exports.iter().take(EXPORTS_NAMED_MAX).map(|name| name.chars().take(100).collect::<String>());
        Err(InspectError::OtherWorld(format!("it exports {}", named.collect::<Vec<_>>().join(", "))))
    }
}

/// The features the engine is built with (`engine.rs`).
pub(crate) fn features() -> WasmFeatures {
    let mut features = WasmFeatures::default();
    for off in [
        WasmFeatures::THREADS,
        WasmFeatures::MEMORY64,
        WasmFeatures::GC,
        WasmFeatures::FUNCTION_REFERENCES,
        WasmFeatures::EXCEPTIONS,
        WasmFeatures::CM_ASYNC,
    ] {
        features.remove(off);
    }
    features
}

/// The names that a component exports.
#[derive(Default)]
struct Exports {
    instances: Vec<String>,
    functions: Vec<String>,
}

fn validated_exports(bytes: &[u8]) -> Result<Exports, InspectError> {
    let mut validator = Validator::new_with_features(features());
    let invalid = |error: wasmparser::BinaryReaderError| InspectError::Invalid(error.to_string());
    let mut exports = Exports::default();
    let mut depth = 0_u32;
    let mut functions = wasmparser::FuncValidatorAllocations::default();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(invalid)?;
        match &payload {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => return Err(InspectError::CoreModule),
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section.clone() {
                    let export = export.map_err(invalid)?;
                    match export.kind {
                        ComponentExternalKind::Instance => exports.instances.push(export.name.name.to_owned()),
                        ComponentExternalKind::Func => exports.functions.push(export.name.name.to_owned()),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        if let wasmparser::ValidPayload::Func(function, body) = validator.payload(&payload).map_err(invalid)? {
            bounded(&body)?;
            let mut function = function.into_validator(std::mem::take(&mut functions));
            function.validate(&body).map_err(invalid)?;
            functions = function.into_allocations();
        }
    }
    Ok(exports)
}

/// Refuses functions that would take the compiler gigabytes: its memory grows with
/// instructions times locals.
fn bounded(body: &wasmparser::FunctionBody<'_>) -> Result<(), InspectError> {
    let invalid = |error: wasmparser::BinaryReaderError| InspectError::Invalid(error.to_string());
    let mut locals = 0_u64;
    for group in body.get_locals_reader().map_err(invalid)? {
        let (count, _) = group.map_err(invalid)?;
        locals += u64::from(count);
    }
    let bytes = body.range().len() as u64;
    if bytes > FUNCTION_BYTES_MAX || bytes.saturating_mul(locals) > FUNCTION_WEIGHT_MAX {
        return Err(InspectError::TooComplex { bytes, locals });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expect: &str) {
        let error = inspect(bytes).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    }

    #[test]
    fn what_is_refused() {
        check(b"", "does not begin with");
        check(b"PK\x03\x04", "does not begin with");
        check(b"\0asm\x01\0\0\0", "a core WebAssembly module");
        check(b"\0asm\x0d\0\x01\0", "it exports nothing");
        check(b"\0asm\x0d\0\x01\0\xff", "not valid");
        let other = wat::parse_str("(component (instance $i) (export \"a:b/c\" (instance $i)))").unwrap();
        check(&other, "it exports a:b/c");
    }

    #[test]
    fn functions_that_would_drown_the_compiler() {
        let check = |locals: usize, instructions: usize| {
            let (locals, body) = ("i32 ".repeat(locals), "(drop (i32.const 70000))".repeat(instructions));
            let text = format!("(component (core module (func (local {locals}) {body})))");
            inspect(&wat::parse_str(text).unwrap()).unwrap_err()
        };
        assert!(matches!(check(1_000, 10_000), InspectError::OtherWorld(_)));
        assert!(matches!(check(40_000, 10_000), InspectError::TooComplex { locals: 40_000, .. }));
        assert!(matches!(check(1, 500_000), InspectError::TooComplex { locals: 1, .. }));
    }

    #[test]
    fn worlds() {
        for (name, world) in [
            ("lamina:function/handler@0.1.0", World::Function),
            ("lamina:function/stream-handler@0.1.0", World::FunctionStream),
            ("wasi:http/incoming-handler@0.2.3", World::FunctionHttp),
        ] {
            let bytes = wat::parse_str(format!("(component (instance $i) (export \"{name}\" (instance $i)))")).unwrap();
            assert_eq!(inspect(&bytes).unwrap(), world, "{name}");
        }
    }

    #[test]
    fn managed_runtimes() {
        let runtime = |names: &[&str]| {
            let exports: String = names.iter().map(|name| format!("(export \"{name}\" (func $f))")).collect();
            let text = format!(
                "(component (core module $m (func (export \"f\"))) (core instance $i (instantiate $m))
                    (func $f (canon lift (core func $i \"f\"))) {exports})"
            );
            inspect(&wat::parse_str(text).unwrap())
        };
        assert_eq!(runtime(&MANAGED), Ok(World::ManagedRuntime));
        assert_eq!(runtime(&[&MANAGED[..], &[START]].concat()), Err(InspectError::NotStarted));
        assert!(matches!(runtime(&MANAGED[1..]), Err(InspectError::OtherWorld(_))));
    }
}
