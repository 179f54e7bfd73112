use super::*;

#[track_caller]
fn check(source: &str, requires: &[&str], exports: &[&str], reexports: &[&str]) {
    let scan = scan(source.as_bytes());
    assert_eq!(scan.requires, requires, "{source}");
    assert_eq!(scan.exports, exports, "{source}");
    assert_eq!(scan.reexports, reexports, "{source}");
    assert!(!scan.module, "{source}");
}

#[test]
fn what_is_required_is_found() {
    check("const a = require('a'), b = require(\"./b\").c;", &["a", "./b"], &[], &[]);
    check("// require('a')\n/* require('b') */ x.require('c'); 'require(\"d\")'; require(e);", &[], &[], &[]);
    check("const x = a / b; require('a'); y = c / d;", &["a"], &[], &[]);
    check("if (/require('x')[/]\"/.test(s)) require('a');", &["a"], &[], &[]);
    check("`text ${require('a') + `${{a: 1}.a}`} require('b')`; require('c')", &["a", "c"], &[], &[]);
}

#[test]
fn exported_names_are_found() {
    check("exports.a = 1; module.exports.b = 2; exports['c d'] = 3; exports.e == 4;", &[], &["a", "b", "c d"], &[]);
    check(
        "module.exports = { a, b: f(1, {x: 2}), 'c': 3, get d() {}, e() {}, };",
        &[],
        &["a", "b", "c", "d", "e"],
        &[],
    );
    check("Object.defineProperty(exports, '__esModule', { value: true });", &[], &["__esModule"], &[]);
    check("0 && (module.exports = { a, ...require('./b') });", &["./b"], &["a"], &["./b"]);
    check("module.exports = require('./a');", &["./a"], &[], &["./a"]);
    check("__exportStar(require('./a'), exports);", &["./a"], &[], &["./a"]);
    check(
        "var _a = require('./a'); Object.keys(_a).forEach(function (k) { exports[k] = _a[k]; });",
        &["./a"],
        &[],
        &["./a"],
    );
}

#[test]
fn es_modules_are_told_by_their_syntax() {
    for source in [
        "import fs from 'fs'",
        "import 'a'",
        "import { a } from 'a'; a()",
        "export const a = 1",
        "export default 1",
        "export { a }",
        "console.log(import.meta.url)",
    ] {
        assert!(scan(source.as_bytes()).module, "{source}");
    }
    for source in ["import('a')", "({ import: 1 })", "x.export", "// import 'a'", "exports.a = 1", ""] {
        assert!(!scan(source.as_bytes()).module, "{source}");
    }
    assert_eq!(scan(b"const { a } = await import('./a.mjs')").imports, ["./a.mjs"]);
}

#[test]
fn nothing_panics_on_what_is_no_javascript() {
    for source in ["'", "`${", "/", "/*", "`${`${`${", "}}}}", "\\", "exports", "module.exports = {", "#!"] {
        scan(source.as_bytes());
    }
    // Every prefix of something with all kinds of tokens.
    let source = "exports['a\\'b'] = `x${ {a: /[/]\\//g} }`; module.exports = {...require('a'), b: [1.5e3]} /* */ // x";
    for end in 0..source.len() {
        scan(&source.as_bytes()[..end]);
    }
    scan(&[0xff, b'\'', 0xfe, b'`', 0x80]);
}
