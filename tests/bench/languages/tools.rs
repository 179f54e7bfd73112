//! Other people's engines on this machine.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;

use super::sources;
use crate::process::Server;

/// workerd as npm has it, with the file it is locked by.
const WORKERD: [(&str, &str); 3] = [
    ("package.json", include_str!("workerd/package.json")),
    ("package-lock.json", include_str!("workerd/package-lock.json")),
    (".npmrc", include_str!("workerd/.npmrc")),
];
const INSTALL_MAX: Duration = Duration::from_secs(600);

/// An interpreter that runs the handler of [`sources`] natively.
#[derive(Clone, Copy)]
pub(super) struct Native {
    program: &'static str,
    arguments: [&'static str; 2],
    script: &'static str,
}

pub(super) const NODE: Native = Native {
    program: "node",
    arguments: ["--input-type=module", "-e"],
    script: "const { handler } = await import(process.argv[1] + '/index.mjs');
console.log(await handler({ work: process.argv[2] }));",
};

pub(super) const PYTHON: Native = Native {
    program: "python3",
    arguments: ["-B", "-c"],
    script: "import sys; sys.path.insert(0, sys.argv[1]); import lambda_function
print(lambda_function.lambda_handler({'work': sys.argv[2]}, None))",
};

impl Native {
    /// How many milliseconds the work took, in a new process as in a fresh instance.
    pub(super) fn times(self, folder: &Path, work: &str) -> anyhow::Result<f64> {
        let Self { program, arguments, script } = self;
        let output = Command::new(program).args(arguments).arg(script).arg(folder).arg(work).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        text.trim().parse().with_context(|| format!("{program}: {text}{}", String::from_utf8_lossy(&output.stderr)))
    }
}

/// node's own HTTP server around the handler.
pub(super) fn node_server(folder: &Path) -> anyhow::Result<Server> {
    let file = folder.join("server.mjs");
    let text = format!(
        "import {{ createServer }} from 'node:http';
const handler = async () => ({greeting});
const server = createServer(async (request, response) => {{
  const body = JSON.stringify(await handler());
  response.writeHead(200, {{ 'content-type': 'application/json', 'content-length': body.length }});
  response.end(body);
}});
server.listen(0, '127.0.0.1', () => console.log(`127.0.0.1:${{server.address().port}}`));
",
        greeting = sources::GREETING
    );
    fs::write(&file, text)?;
    Server::saying_its_address(Command::new("node").arg(&file))
}

/// workerd around the handler.
pub(super) fn workerd(folder: &Path) -> anyhow::Result<Server> {
    let mut parts: Vec<&[u8]> = WORKERD.iter().map(|(_, text)| text.as_bytes()).collect();
    parts.push(b"workerd");
    let tools = harness::cache::once(&format!("workerd-{}", harness::cache::fingerprint(&parts)), install);
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let script = format!(
        "const handler = async () => ({});\nexport default {{ async fetch() {{ return Response.json(await handler()); }} }};\n",
        sources::GREETING
    );
    fs::write(folder.join("worker.js"), script)?;
    fs::write(
        folder.join("config.capnp"),
        format!(
            "using Workerd = import \"/workerd/workerd.capnp\";
const config :Workerd.Config = (
  services = [(name = \"main\", worker = (modules = [(name = \"worker.js\", esModule = embed \"worker.js\")], \
             compatibilityDate = \"2025-01-01\"))],
  sockets = [(name = \"http\", address = \"127.0.0.1:{port}\", http = (), service = \"main\")],
);
"
        ),
    )?;
    let program = tools.join("node_modules/@cloudflare/workerd-linux-64/bin/workerd");
    let mut command = Command::new(program);
    command.arg("serve").arg(folder.join("config.capnp")).stderr(Stdio::null());
    Server::at(&mut command, format!("127.0.0.1:{port}"))
}

#[expect(clippy::expect_used, reason = "a comparison that cannot be set up ends here")]
fn install(folder: &Path) {
    eprintln!("setting up workerd in {}", folder.display());
    for (name, text) in WORKERD {
        fs::write(folder.join(name), text).expect("a file in the new folder");
    }
    // Its install script would only check that the program starts.
    let npm = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
    harness::process::run(Command::new("npm").args(npm).current_dir(folder), INSTALL_MAX).ok();
}
