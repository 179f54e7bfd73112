//! Components of a few hundred bytes, for tests whose subject is the platform and
//! not the guest: they compile in no time. Written by hand as WebAssembly text, so
//! they also show that a component needs none of our tools.

/// A function that answers with its event.
pub fn echo() -> Vec<u8> {
    function("", "(i32.load (local.get $event))", "(i32.load offset=4 (local.get $event))", "")
}

/// A function that answers with these bytes, whatever it is asked.
pub fn constant(answer: &str) -> Vec<u8> {
    let bytes: String = answer.bytes().map(|byte| format!("\\{byte:02x}")).collect();
    let data = format!("(data (i32.const 64) \"{bytes}\")");
    function(&data, "(i32.const 64)", &format!("(i32.const {})", answer.len()), "")
}

/// A function that computes until it is stopped.
pub fn spin() -> Vec<u8> {
    function("", "(i32.const 0)", "(i32.const 0)", "(loop $for-ever (br $for-ever))")
}

/// A valid component of no world of ours: it exports `example:other/thing`.
pub fn other_world() -> Vec<u8> {
    assembled(r#"(component (instance $thing) (export "example:other/thing" (instance $thing)))"#)
}

/// A valid core module.
pub fn core_module() -> Vec<u8> {
    assembled(r#"(module (memory (export "memory") 1) (func (export "handle")))"#)
}

fn assembled(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
}

/// The handler gets one pointer to its parameters, the event's address and length
/// first, and answers one to its result: 0 for `ok`, then address and length.
fn function(data: &str, address: &str, length: &str, before: &str) -> Vec<u8> {
    assembled(&format!(
        r#"(component
          (import "lamina:function/types@0.1.0" (instance $types
            (type $context (record
              (field "request-id" string) (field "function-name" string) (field "function-version" string)
              (field "invoked-function-arn" string) (field "memory-limit-in-mb" u32) (field "deadline-ms" u64)
              (field "log-group-name" string) (field "log-stream-name" string) (field "trace-id" string)
              (field "client-context" (option string)) (field "identity" (option string))))
            (export "context" (type (eq $context)))
            (type $function-error (record
              (field "error-type" string) (field "message" string) (field "stack-trace" (list string))))
            (export "function-error" (type (eq $function-error)))))
          (alias export $types "context" (type $context))
          (alias export $types "function-error" (type $function-error))
          (core module $code
            (memory (export "memory") 2)
            (global $free (mut i32) (i32.const 65536))
            {data}
            (func (export "realloc") (param i32 i32) (param $align i32) (param $size i32) (result i32)
              (local $at i32) (local $mask i32)
              (local.set $mask (i32.sub (local.get $align) (i32.const 1)))
              (local.set $at (i32.and
                (i32.add (global.get $free) (local.get $mask))
                (i32.xor (local.get $mask) (i32.const -1))))
              (global.set $free (i32.add (local.get $at) (local.get $size)))
              (block $enough
                (br_if $enough (i32.le_u (global.get $free) (i32.mul (memory.size) (i32.const 65536))))
                (br_if $enough (i32.ne (i32.const -1) (memory.grow
                  (i32.add (i32.const 1) (i32.div_u (local.get $size) (i32.const 65536))))))
                unreachable)
              (local.get $at))
            (func (export "handle") (param $event i32) (result i32)
              {before}
              (i32.store (i32.const 8) (i32.const 0))
              (i32.store (i32.const 12) {address})
              (i32.store (i32.const 16) {length})
              (i32.const 8)))
          (core instance $code (instantiate $code))
          (func $handle (param "event" (list u8)) (param "context" $context)
            (result (result (list u8) (error $function-error)))
            (canon lift (core func $code "handle")
              (memory (core memory $code "memory")) (realloc (core func $code "realloc"))))
          (instance $handler (export "handle" (func $handle)))
          (export "lamina:function/handler@0.1.0" (instance $handler)))"#
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_can_be_assembled() {
        for component in [echo(), constant("{\"a\":\"\\\"\"}"), spin(), other_world()] {
            assert_eq!(&component[..8], b"\0asm\x0d\0\x01\0");
        }
        assert_eq!(&core_module()[..8], b"\0asm\x01\0\0\0");
    }
}
