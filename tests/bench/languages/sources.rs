//! Handlers as their authors write them.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::Platform;

/// What each answers.
pub(crate) const GREETING: &str = r#"{"message":"Hello, world!"}"#;

/// One file, and what it is called.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) name: &'static str,
    pub(super) file: &'static str,
    pub(super) text: &'static str,
    /// Bytes of other code that it carries, as a bundler leaves it in one file.
    padding: usize,
}

pub(crate) const JAVASCRIPT: Source = Source {
    name: "javascript",
    file: "index.mjs",
    text: "export const handler = async (event) => ({ message: 'Hello, world!' });\n",
    padding: 0,
};

pub(crate) const TYPESCRIPT: Source = Source {
    name: "typescript",
    file: "index.ts",
    text: "interface Event { name?: string }\n\
           export const handler = async (event: Event): Promise<{ message: string }> => ({ message: 'Hello, world!' });\n",
    padding: 0,
};

pub(crate) const PYTHON: Source = Source {
    name: "python",
    file: "lambda_function.py",
    text: "def lambda_handler(event, context):\n    return {'message': 'Hello, world!'}\n",
    padding: 0,
};

pub(crate) const JAVASCRIPT_SLEEP: Source = Source {
    name: "javascript-sleep",
    file: "index.mjs",
    text: "export const handler = async () => { await new Promise((go) => setTimeout(go, 3000)); return 'Hello'; };\n",
    padding: 0,
};

pub(crate) const PYTHON_SLEEP: Source = Source {
    name: "python-sleep",
    file: "lambda_function.py",
    text: "import time\n\ndef lambda_handler(event, context):\n    time.sleep(3)\n    return 'Hello'\n",
    padding: 0,
};

/// It answers how many milliseconds the work took.
pub(crate) const JAVASCRIPT_WORK: Source = Source {
    name: "javascript-work",
    file: "index.mjs",
    text: "const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2));
const rows = Array.from({ length: 2000 }, (_, id) => ({ id, name: `row ${id}`, tags: ['a', 'b'], on: id % 2 === 0 }));
const works = {
  calls: () => fib(22),
  loop: () => { let sum = 0; for (let n = 0; n < 1e6; n++) sum = (sum * 31 + n) | 0; return sum; },
  json: () => JSON.parse(JSON.stringify(rows)).length,
};
export const handler = async (event) => {
  const began = performance.now();
  works[event.work]();
  return performance.now() - began;
};
",
    padding: 0,
};

/// The same in Python.
pub(crate) const PYTHON_WORK: Source = Source {
    name: "python-work",
    file: "lambda_function.py",
    text: "import json
import time


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def loop():
    total = 0
    for n in range(300_000):
        total = (total * 31 + n) & 0xFFFFFFFF
    return total


ROWS = [{'id': n, 'name': f'row {n}', 'tags': ['a', 'b'], 'on': n % 2 == 0} for n in range(2000)]
WORKS = {'calls': lambda: fib(20), 'loop': loop, 'json': lambda: len(json.loads(json.dumps(ROWS)))}


def lambda_handler(event, context):
    began = time.perf_counter()
    WORKS[event['work']]()
    return (time.perf_counter() - began) * 1000
",
    padding: 0,
};

/// Only the Logger of Powertools.
pub(crate) const PYTHON_LOGGER: Source = Source {
    name: "python-logger",
    file: "app.py",
    text: "from aws_lambda_powertools import Logger

logger = Logger(service='orders')


@logger.inject_lambda_context
def lambda_handler(event, context):
    logger.info('an order came in', order=7)
    return {'message': 'Hello, world!'}
",
    padding: 0,
};

/// JavaScript with so many bytes of code around the handler, as bundlers leave it.
pub(crate) fn javascript_of(bytes: usize) -> Source {
    let name = if bytes > 400 << 10 { "javascript_750k" } else { "javascript_200k" };
    Source { name, padding: bytes, ..JAVASCRIPT }
}

/// The same in Python.
pub(crate) fn python_of(bytes: usize) -> Source {
    let name = if bytes > 400 << 10 { "python_750k" } else { "python_200k" };
    Source { name, padding: bytes, ..PYTHON }
}

impl Source {
    /// A copy of a folder with the file in it.
    pub(crate) fn beside(&self, folder: &Path, platform: &Platform) -> anyhow::Result<PathBuf> {
        let copy = PathBuf::from(platform.path(self.name));
        let copied = Command::new("cp").arg("-r").arg(folder).arg(&copy).status()?;
        anyhow::ensure!(copied.success(), "copying {} failed", folder.display());
        fs::write(copy.join(self.file), self.text)?;
        Ok(copy)
    }

    /// A folder with the file, whose text is this function's own.
    pub(crate) fn written(&self, platform: &Platform, function: &str) -> anyhow::Result<PathBuf> {
        let folder = PathBuf::from(platform.path(&format!("source-{function}")));
        fs::create_dir_all(&folder)?;
        let is_python = self.file.ends_with(".py");
        let comment = if is_python { "#" } else { "//" };
        let mut text = format!("{comment} {function}\n");
        for number in 0.. {
            if text.len() >= self.padding {
                break;
            }
            if is_python {
                write!(
                    text,
                    "def helper_{number}(value, other=None):\n    if other is None:\n        other = [value, {number}]\n    \
                     return {{'value': value, 'sum': sum(len(str(one)) for one in other), 'name': 'helper {number}'}}\n\n\n"
                )?;
            } else {
                write!(
                    text,
                    "export function helper{number}(value, other = [value, {number}]) {{\n  const sum = \
                     other.reduce((all, one) => all + String(one).length, 0);\n  return {{ value, sum, name: 'helper \
                     {number}' }};\n}}\n"
                )?;
            }
        }
        text.push_str(self.text);
        fs::write(folder.join(self.file), text)?;
        Ok(folder)
    }
}
