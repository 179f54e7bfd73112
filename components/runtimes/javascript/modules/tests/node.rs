//! The modules against Node: tables of cases (`cases/`), what each comes to
//! (`expected/`, made by Node 20), and where this runtime differs (`differences.txt`).
//!
//! `TABLES_RECORD=1 cargo test` writes `expected/` anew, by the Node on the path.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test: what fails here fails it, and its time is the clock's"
)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use lamina_javascript_modules::{builtin, install};
use rquickjs::{
    CatchResultExt, Context, Ctx, Function, Module, Object, Promise, Result, Runtime, Value,
    loader::{ImportAttributes, Loader, Resolver},
    module::Declared,
};

struct Builtins;

impl Resolver for Builtins {
    fn resolve(&mut self, _: &Ctx<'_>, _: &str, name: &str, _: Option<ImportAttributes<'_>>) -> Result<String> {
        Ok(name.to_owned())
    }
}

impl Loader for Builtins {
    fn load<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        name: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> Result<Module<'js, Declared>> {
        builtin(name).ok_or_else(|| rquickjs::Error::new_loading(name))?.declare(ctx)
    }
}

fn require<'js>(ctx: Ctx<'js>, name: String) -> Result<Value<'js>> {
    builtin(&name).ok_or_else(|| rquickjs::Error::new_loading(&name))?.require(&ctx)
}

fn support(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support").join(name)
}

fn body<'js>(ctx: &Ctx<'js>, parameters: &str, path: &Path) -> Result<Function<'js>> {
    let text = fs::read_to_string(path).unwrap();
    ctx.eval(format!("(function ({parameters}) {{{text}\n}})"))
}

/// Runs a table here.
fn run_here(cases: &Path) -> String {
    let runtime = Runtime::new().unwrap();
    runtime.set_loader(Builtins, Builtins);
    let context = Context::full(&runtime).unwrap();
    context.with(|ctx| {
        let run = || -> Result<String> {
            let tick: Function = body(&ctx, "global", &support("timers.js"))?.call((ctx.globals(),))?;
            install(&ctx)?;
            let require = Function::new(ctx.clone(), require)?;
            ctx.globals().set("require", require.clone())?;
            let module = Object::new(ctx.clone())?;
            body(&ctx, "module, require", cases)?.call::<_, ()>((module.clone(), require.clone()))?;
            let table: Value = module.get("exports")?;
            let promise: Promise = body(&ctx, "require, cases", &support("show.js"))?.call((require, table))?;
            let end = Instant::now() + Duration::from_secs(60);
            loop {
                while ctx.execute_pending_job() {}
                if let Some(result) = promise.result() {
                    return result;
                }
                assert!(Instant::now() < end, "{} does not end", cases.display());
                if !tick.call::<_, bool>(())? {
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
        };
        run().catch(&ctx).unwrap_or_else(|error| panic!("{}: {error}", cases.display()))
    })
}

/// Runs a table under Node.
fn run_node(cases: &Path) -> String {
    let output = Command::new("node")
        .arg("--no-warnings")
        .arg(support("node.cjs"))
        .arg(support("show.js"))
        .arg(cases)
        .output()
        .expect("Node 20 is needed: these tests hold this runtime against it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What a table came to, by its cases' sources.
fn parsed(text: &str) -> BTreeMap<String, String> {
    let mut lines = text.lines();
    let mut found = BTreeMap::new();
    while let (Some(case), Some(result)) = (lines.next(), lines.next()) {
        found.insert(case.to_owned(), result.trim_start().to_owned());
    }
    found
}

/// `case -> reason`: two lines each.
fn differences() -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differences.txt");
    parsed(&fs::read_to_string(path).unwrap())
}

fn tables() -> Vec<(PathBuf, PathBuf)> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut tables = Vec::new();
    for entry in fs::read_dir(tests.join("cases")).unwrap() {
        let cases = entry.unwrap().path();
        let expected = tests.join("expected").join(cases.file_stem().unwrap()).with_extension("txt");
        tables.push((cases, expected));
    }
    tables.sort();
    tables
}

#[test]
fn every_case_comes_to_what_node_says() {
    let differences = differences();
    let mut wrong = String::new();
    let mut count = 0;
    let only = std::env::var("TABLES_ONLY").ok();
    for (cases, expected) in tables() {
        if only.as_ref().is_some_and(|only| !cases.ends_with(format!("{only}.js"))) {
            continue;
        }
        let expected = parsed(&fs::read_to_string(expected).unwrap_or_default());
        let found = parsed(&run_here(&cases));
        assert_eq!(found.len(), expected.len(), "{}: record its expectations", cases.display());
        for (case, result) in found {
            count += 1;
            let expected = expected.get(&case).map_or("nothing", String::as_str);
            let differs = result != expected;
            if differs != differences.contains_key(&case) {
                wrong += &format!("{case}\n    here: {result}\n    Node: {expected}\n");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}\n{} of {count}", wrong.lines().count() / 3);
}

#[test]
fn the_expectations_are_those_of_node() {
    for (cases, expected) in tables() {
        let found = run_node(&cases);
        if std::env::var_os("TABLES_RECORD").is_some() {
            fs::write(&expected, &found).unwrap();
        }
        let expected = parsed(&fs::read_to_string(&expected).unwrap());
        assert_eq!(parsed(&found), expected, "{}", cases.display());
    }
}
