use lamina_package::{Package, Writer};

use super::*;

fn erase_all(files: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut writer = Writer::new();
    files.iter().for_each(|(name, text)| writer.file(name, 0o644, text.as_bytes()).unwrap());
    let zip = writer.finish();
    let package = Package::read(&zip).unwrap();
    let made = erase(&package.files()).unwrap();
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

/// A stack that is too small ends the process: the longest source of what nests with
/// each byte or two is read, or refused, and nothing else happens.
#[test]
fn deep_sources_do_no_harm() {
    let deep = |unit: &str| unit.repeat(SOURCE_BYTES_MAX / 8 / unit.len());
    for unit in ["!", "(", "[", "{", "-", "1+", "a=>", "a?1:", "if(1)", "a=", "<T>", "a(", "f`${", "new ", "x."] {
        let made = erase_all(&[("a.ts", &deep(unit))]);
        assert!(!made.is_empty(), "{unit}");
        let closed = format!("let x = {}1;", deep(unit));
        erase_all(&[("a.ts", &closed)]);
    }
    for unit in ["A<", "[", "(", "{a:", "keyof ", "()=>", "A extends B?C:"] {
        erase_all(&[("a.ts", &format!("type X = {}1;", deep(unit)))]);
    }
}
