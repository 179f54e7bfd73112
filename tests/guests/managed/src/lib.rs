//! A managed runtime for tests. A module `main` is the file `main.txt`; a line
//! `NAME: COMMAND; COMMAND` is a handler, and what its last command answers is the
//! handler's answer. A module with a line `!` has a syntax error.

mod script;
mod snapshot;

use std::cell::RefCell;
use std::fs;

wit_bindgen::generate!({
    path: "../../../wit",
    world: "lamina:function/managed-runtime",
    generate_all,
});

use lamina::function::managed_host;

struct Runtime;

thread_local! {
    static LOADED: RefCell<Option<(String, &'static str)>> = const { RefCell::new(None) };
}

fn error(error_type: &str, message: &str) -> FunctionError {
    FunctionError { error_type: error_type.to_owned(), message: message.to_owned(), stack_trace: Vec::new() }
}

/// The text of a module, of the bundle or of its file.
fn source(module: &str) -> Result<(String, &'static str), FunctionError> {
    let bundle = managed_host::bundle().map(|bundle| String::from_utf8_lossy(&bundle).into_owned());
    // Functions with other handlers share it.
    if let Some((_, text)) =
        bundle.as_deref().and_then(|bundle| bundle.split_once('\n')).filter(|(of, _)| *of == module)
    {
        return Ok((text.to_owned(), "bundle"));
    }
    let path = format!("/var/task/{module}.txt");
    let missing = |_| error("Runtime.ImportModuleError", &format!("Unable to import module '{module}'"));
    Ok((fs::read_to_string(path).map_err(missing)?, "files"))
}

impl Guest for Runtime {
    fn preload(handler: String) -> Result<(), FunctionError> {
        let Some((module, name)) = handler.split_once('.') else {
            return Err(error("Runtime.MalformedHandlerName", "Bad handler"));
        };
        let (text, from) = source(module)?;
        if text.lines().any(|line| line == "!") {
            managed_host::log("[ERROR] Runtime.UserCodeSyntaxError: line !\nTraceback");
            return Err(error("Runtime.UserCodeSyntaxError", "Syntax error in module"));
        }
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let line = line.ok_or_else(|| error("Runtime.HandlerNotFound", &format!("{name} is undefined")))?;
        LOADED.with(|loaded| *loaded.borrow_mut() = Some((line.to_owned(), from)));
        Ok(())
    }

    fn handle(event: Vec<u8>, context: Context, response: ResponseWriter) -> Result<Option<Vec<u8>>, FunctionError> {
        let (line, from) = LOADED.with(|loaded| loaded.borrow_mut().take()).expect("preload came first");
        let mut call = script::Call { event, context, response, from, answer: Vec::new(), streamed: false };
        for command in line.split(';') {
            call.run(command.trim())?;
        }
        Ok((!call.streamed).then_some(call.answer))
    }

    fn before_snapshot() -> Result<(), FunctionError> {
        snapshot::let_go();
        Ok(())
    }

    fn after_restore() -> Result<(), FunctionError> {
        Ok(())
    }

    fn derive(handler: String) -> Result<Vec<u8>, String> {
        let module = handler.split('.').next().unwrap_or_default();
        let text = fs::read_to_string(format!("/var/task/{module}.txt")).map_err(|error| error.to_string())?;
        let environment: Vec<String> = std::env::vars().map(|(name, _)| name).collect();
        match text.contains("no-bundle") {
            true => Err("asked not to".to_owned()),
            false => Ok(format!("{module}\n{text}\nderived: say {}", environment.join(",")).into_bytes()),
        }
    }
}

export!(Runtime);
