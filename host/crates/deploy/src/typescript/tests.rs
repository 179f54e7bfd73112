use lamina_package::{Package, Writer};

use super::*;

fn erase_all(files: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut writer = Writer::new();
    files.iter().for_each(|(name, text)| writer.file(name, 0o644, text.as_bytes()).unwrap());
    let zip = writer.finish();
    let package = Package::read(&zip).unwrap();
    let made = Eraser::default().erase(&package.files()).unwrap();
    made.into_iter().map(|file| (file.name, String::from_utf8(file.content).unwrap())).collect()
}

fn code(text: &str) -> String {
    let made = erase_all(&[("index.ts", text)]);
    assert_eq!(made[0].0, "index.js");
    made[0].1.clone()
}

#[test]
fn types_go_and_code_stays() {
    let check = |text: &str, expect: &str| {
        let code = code(text);
        let (code, url) = code.split_once("//# ").unwrap();
        assert_eq!((code, url), (expect, "sourceMappingURL=index.js.map\n"), "{text}");
    };
    check("export const a: number = 1;", "export const a = 1;\n");
    check(
        "import { type T, f } from \"./m.ts\";\nexport default f<T>(1);",
        "import { f } from \"./m.js\";\nexport default f(1);\n",
    );
    check("import T from \"./t\";\nlet a: T;", "let a;\nexport {};\n");
    check("interface I { a: 1 }\ntype X = I;\nexport const x = {} as X satisfies I;", "export const x = {};\n");
    let code =
        code("enum E { A, B = 5, C }\nclass P { constructor(private a: E, readonly b = 2) {} }\nexport { E, P };");
    for part in ["E[E[\"A\"] = 0] = \"A\"", "E[E[\"C\"] = 6] = \"C\"", "this.a = a", "this.b = b"] {
        assert!(code.contains(part), "{part}: {code}");
    }
}

#[test]
fn imports_without_an_extension_name_what_is_made() {
    let text = "import { a } from \"./greet\";\nexport * from './lib';\nexport { b } from \"./b.service\";\n\
                import t = require(\"./greet\");\n\
                export const x = [a, t, import(\"./lib\"), require(\"./greet\"), require(\"./b.service.ts\")];\n\
                import(a); require(a); import { c } from \"./none.ts\"; c; import type { d } from \"./greet\";\n";
    let other = "export const a = 1;";
    let made = erase_all(&[("b.service.ts", other), ("greet.ts", other), ("index.ts", text), ("lib/index.ts", other)]);
    let code = &made.iter().find(|(name, _)| name == "index.js").unwrap().1;
    let expect = "import { a } from \"./greet.js\";\nexport * from \"./lib/index.js\";\n\
                  export { b } from \"./b.service.js\";\nconst t = require(\"./greet.js\");\n\
                  export const x = [\n\ta,\n\tt,\n\timport(\"./lib/index.js\"),\n\trequire(\"./greet.js\"),\n\
                  \trequire(\"./b.service.js\")\n];\nimport(a);\nrequire(a);\nimport { c } from \"./none.js\";\nc;\n";
    // After the line that gives it `require`.
    let (_, code) = code.split_once('\n').unwrap();
    assert_eq!(code.split_once("//# ").unwrap().0, expect);
}

/// What is made of `index.ts` in a package of CommonJS, without its helpers.
fn commonjs(text: &str) -> String {
    let made = erase_all(&[("index.ts", text), ("package.json", "{\"type\":\"commonjs\"}")]);
    let (head, code) = made[0].1.split_once('\n').unwrap();
    assert!(head.starts_with("\"use strict\";Object.defineProperty(exports,\"__esModule\""), "{head}");
    assert!(made[1].1.contains("\"mappings\":\";"), "{}", made[1].1);
    code.split_once("//# ").unwrap().0.to_owned()
}

#[test]
fn sources_of_commonjs_are_compiled_to_it() {
    let check = |text: &str, expect: &[&str]| {
        let code = commonjs(text);
        assert!(expect.iter().all(|part| code.contains(part)), "{text}\n{code}");
        for word in ["vite", "import {", "export ", "await "] {
            assert!(!code.contains(word), "{word}: {text}\n{code}");
        }
    };
    check(
        "import { a as b } from \"x\"; b(b, { b });",
        &["= require(\"x\");", "(0, imported_0__.a)(imported_0__.a, { b: imported_0__.a });"],
    );
    check("import a from \"x\"; a.b();", &["= __importDefault(require(\"x\"));", "imported_0__.default.b();"]);
    check(
        "import a, { b } from \"x\"; a(b);",
        &["= __importStar(require(\"x\"));", "(0, imported_0__.default)(imported_0__.b);"],
    );
    check("import * as a from \"x\"; a.b();", &["imported_0__ = __importStar(require(\"x\"));", "imported_0__.b();"]);
    check(
        "import a, * as b from \"x\"; a(b);",
        &[
            "imported_0__ = __importDefault(require(\"x\"));",
            "imported_1__ = __importStar(require(\"x\"));",
            "(0, imported_0__.default)(imported_1__);",
        ],
    );
    check("import \"x\"; import { T } from \"y\"; let t: T;", &["imported_0__ = require(\"x\");\nlet t;"]);
    check("export * from \"x\";", &["imported_0__ = require(\"x\");\n__exportStar(imported_0__);"]);
    check("export * as n from \"x\";", &["Object.defineProperty(exports, \"n\"", "= __importStar(require(\"x\"));"]);
    check(
        "export { default as a } from \"x\";",
        &["Object.defineProperty(exports, \"a\"", "__importDefault(require(\"x\"))", "return imported_0__.default;"],
    );
    check(
        "export let a = 1; export class C {} export default function f() {}",
        &["Object.defineProperty(exports, \"a\"", "Object.defineProperty(exports, \"default\"", "\nfunction f() {}"],
    );
    check("export default () => 1;", &["return default_1;", "const default_1 = () => 1;"]);
    check("const default_1 = 2; export default default_1;", &["const default_1_ = default_1;"]);
    check(
        "import f = require(\"x\"); import { a } from \"y\"; export = f(a);",
        &["const f = require(\"x\");\nmodule.exports = f(imported_0__.a);"],
    );
    check(
        "import { a } from \"x\"; export const b = () => import(a); import(\"y\", { with: { a: 1 } });",
        &["import(imported_0__.a)", "import(\"y\", { with: { a: 1 } })"],
    );
    check(
        "export enum E { A } export namespace N { export const a = 1; }",
        &["Object.defineProperty(exports, \"E\"", "Object.defineProperty(exports, \"N\""],
    );
    // What only ES modules have stays: there is nothing else that it could mean.
    assert!(commonjs("export const a = import.meta.url;").contains("const a = import.meta.url;"));
}

#[test]
fn what_is_commonjs_is_said_by_extensions_manifests_and_export_assignments() {
    let text = "import { a } from \"./b\";\nexport const c = a;\n";
    let manifest = ("package.json", "{\"type\":\"commonjs\"}");
    let made = erase_all(&[("a.ts", text), ("b.cts", text), ("c.mts", text), manifest]);
    let of = |made: &[(String, String)], name: &str| made.iter().find(|(made, _)| made == name).unwrap().1.clone();
    assert!(of(&made, "a.js").contains("require(\"./b.cjs\")"), "{made:?}");
    assert!(of(&made, "b.cjs").contains("require(\"./b.cjs\")"), "{made:?}");
    assert!(of(&made, "c.mjs").starts_with("import { a } from \"./b.cjs\";"), "{made:?}");
    let made = erase_all(&[("a.ts", text), ("b.ts", "import { a } from \"x\"; const b = a; export = b;")]);
    assert!(of(&made, "a.js").starts_with("import { a } from \"./b.js\";"), "{made:?}");
    assert!(
        of(&made, "b.js").ends_with("const b = imported_0__.a;\nmodule.exports = b;\n//# sourceMappingURL=b.js.map\n"),
        "{made:?}"
    );
    // Without imports and exports there is nothing to change.
    let made = erase_all(&[("a.ts", "const a: any = require(\"x\"); module.exports = a;"), manifest]);
    assert!(of(&made, "a.js").starts_with("const a = require(\"x\");\nmodule.exports = a;\n"), "{made:?}");
}

#[test]
fn es_modules_have_what_typescript_lets_them_have_of_commonjs() {
    const REQUIRE: &str =
        "import{createRequire as createRequire}from\"node:module\";const require=createRequire(import.meta.url);";
    let check = |name: &str, text: &str, head: &str, code: &str| {
        let made = erase_all(&[(name, text)]);
        let (own, _) = made[0].1.split_once("//# ").unwrap();
        assert_eq!(own, [head, code].concat(), "{text}");
        assert_eq!(made[1].1.contains("\"mappings\":\";"), !head.is_empty(), "{}", made[1].1);
    };
    let line = format!("{REQUIRE}\n");
    for name in ["index.ts", "index.mts"] {
        let text = "import fs = require(\"fs\");\nexport const a = fs;";
        check(name, text, &line, "const fs = require(\"fs\");\nexport const a = fs;\n");
        let text = "export import fs = require(\"fs\");";
        check(name, text, &line, "export const fs = require(\"fs\");\n");
        // As a type it is gone.
        check(name, "import fs = require(\"fs\");\nexport let a: fs.T;", "", "export let a;\n");
    }
    let other = line.replace("createRequire as createRequire", "createRequire as createRequire_");
    let other = other.replace("=createRequire(", "=createRequire_(");
    check("a.ts", "export const createRequire = require;", &other, "export const createRequire = require;\n");
    let named = format!("{REQUIRE}const __dirname=import.meta.dirname;\n");
    check("a.ts", "export const a = [require, __dirname];", &named, "export const a = [require, __dirname];\n");
    let named = "const __filename=import.meta.filename;\n";
    check("a.ts", "export const a = __filename;", named, "export const a = __filename;\n");
    // What is declared, and what says that it is an ES module.
    check("a.ts", "export function require() {}\nrequire();", "", "export function require() {}\nrequire();\n");
    check("a.mts", "export const a = typeof require;", "", "export const a = typeof require;\n");
    check("a.ts", "require(\"x\");", "", "require(\"x\");\n");
}

#[test]
fn enums_have_the_values_that_typescript_gives_them() {
    let code = code(
        "enum A { a, b, c = \"x\", d = c + \"y\", e = `${d}!`, f = b + 2, g }\nexport const enum B { a = A.f << 1 }",
    );
    for part in ["A[\"d\"] = \"xy\";", "A[\"e\"] = \"xy!\";", "A[A[\"b\"] = 1]", "A[A[\"g\"] = 4]", "B[B[\"a\"] = 6]"] {
        assert!(code.contains(part), "{part}: {code}");
    }
}

/// Members that doubled each time took all of the host's memory.
#[test]
fn members_of_enums_do_not_grow_without_bound() {
    let doubled = |double: &dyn Fn(usize) -> String| {
        let members: Vec<String> = (1..60).map(|n| format!("m{n}={}", double(n - 1))).collect();
        format!("enum A{{m0=\"xxxxxxxx\",{}}}", members.join(","))
    };
    let long = "x".repeat(SOURCE_BYTES_MAX / 2);
    let often: Vec<String> = (0..1_000).map(|n| format!("m{n}=long")).collect();
    for text in [
        doubled(&|n| format!("m{n}+m{n}")),
        doubled(&|n| format!("+(m{n})+`${{m{n}}}`")),
        doubled(&|n| format!("`${{A.m{n}}}${{A[\"m{n}\"]}}`")),
        format!("enum A{{long=\"{long}\",{}}}", often.join(",")),
        format!("enum A{{long=\"{long}\"}}\nenum A{{{}}}", often.join(",")),
        format!("enum A{{a={}}}", vec!["\"xx\""; 100_000].join("+")),
    ] {
        let made = erase_all(&[("a.ts", &text)]);
        let expect = "throw new SyntaxError(\"a.ts: the members of its enums come to more than 4194304 bytes\");\n";
        assert_eq!((made.len(), made[0].1.as_str()), (1, expect), "{}", text.get(..60).unwrap());
    }
}

#[test]
fn decorators_are_those_of_experimental_decorators() {
    let text = "function d(t: any, k: string) {}\nexport class C { @d m(): void {} }";
    let made = erase_all(&[("index.ts", text)]);
    assert!(made[0].1.starts_with("var babelHelpers={decorate("), "{}", made[0].1);
    assert!(made[0].1.contains("babelHelpers.decorate([d], C.prototype, \"m\", null)"), "{}", made[0].1);
    assert!(made[1].1.contains("\"mappings\":\";"), "{}", made[1].1);
}

#[test]
fn each_source_gets_a_file_and_a_map_unless_there_is_one() {
    let text = "export const a: number = 1;";
    let names = |files: &[&str]| -> Vec<String> {
        let files: Vec<(&str, &str)> = files.iter().map(|name| (*name, text)).collect();
        erase_all(&files).into_iter().map(|(name, _)| name).collect()
    };
    assert_eq!(
        names(&["a.ts", "b/c.mts", "d.cts"]),
        ["a.js", "a.js.map", "b/c.mjs", "b/c.mjs.map", "d.cjs", "d.cjs.map"]
    );
    assert_eq!(names(&["e.tsx"]), ["e.js", "e.js.map"]);
    for there in [["a.js", "a.ts"], ["a.mjs", "a.ts"], ["a.cjs", "a.ts"], ["a.js/x", "a.ts"], ["a.js.map", "a.ts"]] {
        assert_eq!(names(&there), [""; 0], "{there:?}");
    }
    assert_eq!(names(&["a.ts", "a.tsx"]), ["a.js", "a.js.map"]);
    assert_eq!(names(&["a.d.ts", "a.d.mts", ".ts", "node_modules/x/a.ts"]), [""; 0]);
    let map = &erase_all(&[("b/c.ts", text)])[1].1;
    assert!(map.contains("\"sources\":[\"c.ts\"]") && map.contains("sourcesContent"), "{map}");
}

#[test]
fn what_cannot_be_erased_throws_where_it_is_imported() {
    let check = |text: &str, expect: &str| {
        let made = erase_all(&[("lib/a.ts", text)]);
        assert_eq!(made.len(), 1, "{made:?}");
        assert_eq!(made[0].0, "lib/a.js");
        let start = format!("throw new SyntaxError(\"lib/a.ts: {expect}");
        assert!(made[0].1.starts_with(&start), "{}", made[0].1);
    };
    check("let a = 1;\nlet b: = 2;", "2:8: ");
    check("let a = 1; let a = 2;", "1:");
    check(&" ".repeat(SOURCE_BYTES_MAX + 1), "it is larger than 1048576 bytes");
}

fn job(text: &str) -> Job {
    Job { source: "a.ts".into(), kind: Kind::CommonJs, text: text.into(), code: "a.js".into(), map: "a.js.map".into() }
}

/// Threads that do not end keep no others waiting, and erasing goes on when they end.
#[test]
fn lost_threads_are_bounded_and_found_again() {
    let eraser = Eraser::default();
    let erased = || {
        let job = job("let a: 1;");
        eraser.in_time(vec![job], Names::default())
    };
    let lost: Vec<Running> = (0..LOST_MAX).map(|_| Running::new(&eraser.0)).collect();
    // No module stands for it: it can be tried again.
    assert_eq!(erased().unwrap_err().to_string(), "types of TypeScript are not erased: others take too long");
    drop(lost);
    assert!(erased().unwrap()[0].content.starts_with(b"let a;"));
    assert_eq!(eraser.0.running.load(Ordering::SeqCst), 0);
}

/// What nests with each byte or two: expressions, statements, patterns and types.
const NESTING: &[&str] = &[
    "!",
    "(",
    "[",
    "{",
    "-",
    "1+",
    "a=>",
    "a?1:",
    "if(1)",
    "a=",
    "<T>",
    "a(",
    "f`${",
    "new ",
    "x.",
    "async()=>{",
    "class{a=",
    "function(){",
    "`${",
    "for(;;)",
    "a?.",
    "typeof ",
    "({a:",
    "[...",
    "@d class{}",
    "a??",
    "a:",
    "yield ",
    "do ",
    "1,",
];
const NESTING_TYPES: &[&str] =
    &["A<", "[", "(", "{a:", "keyof ", "()=>", "A extends B?C:", "A|", "A[", "typeof a<", "`${"];

/// Sources of about this length that nest as deeply as they can, some of them closed.
fn deep_sources(bytes: usize) -> impl Iterator<Item = String> {
    let deep = move |unit: &str| unit.repeat(bytes / unit.len());
    let expressions = NESTING.iter().flat_map(move |unit| [deep(unit), format!("let x = {}1;", deep(unit))]);
    let closed =
        [("(", "1", ")"), ("[", "1", "]"), ("{", "", "}"), ("a(", "1", ")"), ("({a:", "1", "})"), ("`${", "1", "}`")];
    let closed = closed.into_iter().map(move |(open, inner, close)| {
        let times = bytes / (open.len() + close.len());
        format!("{}{inner}{}", open.repeat(times), close.repeat(times))
    });
    let types = NESTING_TYPES.iter().map(move |unit| format!("type X = {}1;", deep(unit)));
    let closed_types =
        [("A<", "1", ">"), ("[", "1", "]"), ("{a:", "1", "}")].into_iter().map(move |(open, inner, close)| {
            let times = bytes / (open.len() + close.len());
            format!("type X = {}{inner}{};", open.repeat(times), close.repeat(times))
        });
    let enums = [("1+", "1", ""), ("-", "1", ""), ("(", "1", ")"), ("`${", "1", "}`")].into_iter();
    let enums = enums.map(move |(open, inner, close)| {
        let times = bytes / (open.len() + close.len());
        format!("enum A {{ a = {}{inner}{} }}", open.repeat(times), close.repeat(times))
    });
    // Without an export nothing would become CommonJS.
    let sources = expressions.chain(closed).chain(enums).chain(types).chain(closed_types);
    sources.map(|source| format!("{source}\nexport {{}};"))
}

/// A stack that is too small ends the process: what nests with each byte or two is
/// read, or refused, or left alone for its time, and nothing else happens.
#[test]
fn deep_sources_do_no_harm() {
    for source in deep_sources(SOURCE_BYTES_MAX / 8) {
        let shown = source.get(..20).unwrap_or_default().to_owned();
        let job = job(&source);
        match Eraser::default().in_time(vec![job], Names::default()) {
            Ok(made) => assert!(!made.is_empty(), "{shown}"),
            Err(error) => assert!(error.to_string().ends_with("it takes too long"), "{shown}: {error}"),
        }
    }
}

/// The bytes of the calling thread's stack that were ever touched.
#[cfg(target_os = "linux")]
fn touched_stack_bytes() -> usize {
    let here = 0_u8;
    let address = std::ptr::from_ref(&here).addr();
    let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
    let mut is_here = false;
    for line in maps.lines() {
        let range = line.split(' ').next().and_then(|range| range.split_once('-'));
        if let Some((start, end)) = range
            && let (Ok(start), Ok(end)) = (usize::from_str_radix(start, 16), usize::from_str_radix(end, 16))
        {
            is_here = (start..end).contains(&address);
        } else if let Some(kib) = line.strip_prefix("Rss:").filter(|_| is_here) {
            return kib.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10;
        }
    }
    panic!("no mapping has the stack in it:\n{maps}");
}

/// The measurement behind [`STACK_BYTES_PER_BYTE`]: no source takes more than three
/// quarters of it.
#[test]
#[cfg(target_os = "linux")]
fn deep_sources_take_no_more_stack_than_they_are_given() {
    const BYTES: usize = 32 << 10;
    let mut most = (0, String::new());
    for source in deep_sources(BYTES) {
        let shown = source.get(..20).unwrap_or_default().to_owned();
        let work = move || {
            // The longer way: all of it is read again when it becomes CommonJS.
            let _ = erased("a.ts", &source, Kind::CommonJs, &Names::default());
            touched_stack_bytes()
        };
        let stack = STACK_BYTES_MIN + 2 * BYTES * STACK_BYTES_PER_BYTE;
        let touched = thread::Builder::new().stack_size(stack).spawn(work).unwrap().join().unwrap();
        eprintln!("{:>6} bytes of stack a byte: {shown}", touched / BYTES);
        most = most.max((touched, shown));
    }
    assert!(most.0 <= BYTES * STACK_BYTES_PER_BYTE / 4 * 3, "{most:?} of {BYTES} bytes");
}
