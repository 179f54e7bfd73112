//! Which runtime and handler a package is for, by what is in it.

use lamina_types::{Language, RuntimeKind};
use serde_json::Value;

/// What functions in JavaScript and Python get, unless it is said otherwise.
const JAVASCRIPT: &str = "nodejs22.x";
const PYTHON: &str = "python3.13";

/// Modules that hold a handler, by their usual names, the likeliest first.
const JAVASCRIPT_STEMS: &[&str] = &["index", "handler", "app", "main", "lambda"];
const JAVASCRIPT_EXTENSIONS: &[&str] = &["mjs", "js", "cjs", "mts", "ts", "cts", "tsx"];
const PYTHON_STEMS: &[&str] = &["lambda_function", "app", "main", "handler", "index", "function", "lambda_handler"];
/// Functions that are handlers, by their usual names, the likeliest first.
const JAVASCRIPT_HANDLERS: &[&str] = &["handler", "lambdaHandler", "main"];
const PYTHON_HANDLERS: &[&str] = &["lambda_handler", "handler", "main"];

/// A runtime and a handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Guess {
    pub(crate) runtime: String,
    pub(crate) handler: String,
}

impl Guess {
    /// Of a component.
    pub(super) fn component() -> Self {
        Self { runtime: "provided.al2023".into(), handler: "bootstrap.wasm".into() }
    }

    /// Whether a function of this runtime can run what this is a guess for.
    pub(super) fn fits(&self, runtime: &str) -> bool {
        RuntimeKind::of(runtime) == RuntimeKind::of(&self.runtime)
    }
}

/// Looks at a package's files; `text` reads one. What was found of which language, and
/// why there is no guess. `runtime` is what was said already.
pub(super) fn guess(
    names: &[&str],
    text: impl Fn(&str) -> Option<String>,
    runtime: Option<&str>,
) -> Result<Guess, String> {
    let said = runtime.map(RuntimeKind::of);
    let may_be = |language| said.is_none_or(|kind| kind == RuntimeKind::Managed(language));
    let javascript = may_be(Language::JavaScript).then(|| javascript(names, &text)).flatten();
    let python = may_be(Language::Python).then(|| python(names, &text)).flatten();
    let (own, handler) = match (javascript, python) {
        (Some(handler), None) => (JAVASCRIPT, handler),
        (None, Some(handler)) => (PYTHON, handler),
        (Some(javascript), Some(python)) => {
            return Err(format!("it could be {JAVASCRIPT} with {javascript}, or {PYTHON} with {python}"));
        }
        (None, None) => {
            return Err("there is no module of a usual name (index.mjs, lambda_function.py, app.py) at its root".into());
        }
    };
    Ok(Guess { runtime: runtime.unwrap_or(own).to_owned(), handler })
}

fn javascript(names: &[&str], text: &impl Fn(&str) -> Option<String>) -> Option<String> {
    let main = names.contains(&"package.json").then(|| main_of(&text("package.json")?)).flatten();
    let known = |stem: &str| {
        JAVASCRIPT_EXTENSIONS
            .iter()
            .map(|extension| format!("{stem}.{extension}"))
            .find(|name| names.contains(&name.as_str()))
    };
    let main = main.filter(|main| names.contains(&main.as_str()));
    let module = main.or_else(|| JAVASCRIPT_STEMS.iter().find_map(|stem| known(stem)))?;
    let source = text(&module).unwrap_or_default();
    let handler = first_of(JAVASCRIPT_HANDLERS, |name| is_word(&source, name));
    Some(format!("{}.{handler}", stem(&module)))
}

fn python(names: &[&str], text: &impl Fn(&str) -> Option<String>) -> Option<String> {
    let stem = PYTHON_STEMS.iter().find(|stem| names.contains(&format!("{stem}.py").as_str()))?;
    let source = text(&format!("{stem}.py")).unwrap_or_default();
    let defined = |name: &str| {
        let starts = [format!("def {name}("), format!("async def {name}("), format!("{name} ="), format!("{name}=")];
        source.lines().any(|line| starts.iter().any(|start| line.starts_with(start.as_str())))
    };
    Some(format!("{stem}.{}", first_of(PYTHON_HANDLERS, defined)))
}

/// The handler of one file: what its name and text say.
pub(super) fn of_file(name: &str, text: &str, runtime: Option<&str>) -> Option<Guess> {
    let (stem, extension) = name.rsplit_once('.')?;
    let guess = |own: &str, handler: &str| Guess {
        runtime: runtime.unwrap_or(own).to_owned(),
        handler: format!("{stem}.{handler}"),
    };
    if extension == "py" {
        let defined = |name: &str| text.contains(&format!("def {name}("));
        return Some(guess(PYTHON, first_of(PYTHON_HANDLERS, defined)));
    }
    let is_javascript = JAVASCRIPT_EXTENSIONS.contains(&extension) && !name.ends_with(".d.ts");
    is_javascript.then(|| guess(JAVASCRIPT, first_of(JAVASCRIPT_HANDLERS, |name| is_word(text, name))))
}

/// The first name that is there, or else the likeliest.
fn first_of<'a>(names: &[&'a str], is_there: impl Fn(&str) -> bool) -> &'a str {
    names.iter().copied().find(|name| is_there(name)).or(names.first().copied()).unwrap_or_default()
}

fn is_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).any(|one| one == word)
}

/// `main` of a package.json, as a path in the package.
fn main_of(text: &str) -> Option<String> {
    let json: Value = serde_json::from_str(text).ok()?;
    let main = json.get("main")?.as_str()?;
    Some(main.strip_prefix("./").unwrap_or(main).to_owned())
}

/// A module's path without its extension.
fn stem(module: &str) -> &str {
    module.rsplit_once('.').map_or(module, |(stem, _)| stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[(&str, &str)], runtime: Option<&str>) -> Result<String, String> {
        let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
        let text = |name: &str| files.iter().find(|(own, _)| *own == name).map(|(_, text)| (*text).to_owned());
        guess(&names, text, runtime).map(|guess| format!("{} {}", guess.runtime, guess.handler))
    }

    #[test]
    fn folders() {
        let check = |files: &[(&str, &str)], expect: &str| assert_eq!(of(files, None).unwrap(), expect, "{files:?}");
        check(&[("index.mjs", "export const handler = 1")], "nodejs22.x index.handler");
        check(&[("app.mjs", "export const lambdaHandler = 1")], "nodejs22.x app.lambdaHandler");
        check(&[("index.ts", "export async function handler() {}"), ("lib.ts", "")], "nodejs22.x index.handler");
        check(
            &[("package.json", "{\"main\": \"./dist/a.js\"}"), ("dist/a.js", "exports.handler")],
            "nodejs22.x dist/a.handler",
        );
        check(&[("package.json", "{\"main\": \"gone.js\"}"), ("index.js", "")], "nodejs22.x index.handler");
        check(
            &[("lambda_function.py", "def lambda_handler(event, context):")],
            "python3.13 lambda_function.lambda_handler",
        );
        check(&[("app.py", "async def handler(event, context):")], "python3.13 app.handler");
        check(&[("app.py", "x = 1")], "python3.13 app.lambda_handler");
        check(&[("main.py", "handler = Mangum(app)")], "python3.13 main.handler");
    }

    #[test]
    fn what_is_said_decides() {
        let both = [("index.mjs", ""), ("app.py", "")];
        assert!(
            of(&both, None)
                .unwrap_err()
                .contains("nodejs22.x with index.handler, or python3.13 with app.lambda_handler")
        );
        assert_eq!(of(&both, Some("python3.9")).unwrap(), "python3.9 app.lambda_handler");
        assert_eq!(of(&both, Some("nodejs24.x")).unwrap(), "nodejs24.x index.handler");
        assert!(of(&[("readme", "")], None).unwrap_err().contains("index.mjs"));
    }

    #[test]
    fn files() {
        let of = |name: &str, text: &str| {
            of_file(name, text, None).map(|guess| format!("{} {}", guess.runtime, guess.handler))
        };
        assert_eq!(of("hello.py", "def handler(e, c):").as_deref(), Some("python3.13 hello.handler"));
        assert_eq!(of("hello.mts", "export const handler = 1").as_deref(), Some("nodejs22.x hello.handler"));
        assert_eq!(of("hello.txt", ""), None);
        assert_eq!(of("types.d.ts", ""), None);
    }
}
