//! The JavaScript sources, and how they are compiled.

use rquickjs::{Ctx, Exception, Function, Result, context::EvalOptions};

/// A source: its name, whether users may ask for it, its text.
struct Source {
    name: &'static str,
    public: bool,
    text: &'static str,
}

macro_rules! sources {
    ($($public:literal $name:literal $file:literal,)*) => {
        const SOURCES: &[Source] = &[$(Source {
            name: $name,
            public: $public,
            text: include_str!(concat!("../js/", $file)),
        },)*];
    };
}

sources! {
    false "bootstrap" "bootstrap.js",
    true "assert" "assert.js",
    true "assert/strict" "assert_strict.js",
    true "async_hooks" "async_hooks.js",
    true "buffer" "buffer.js",
    true "child_process" "child_process.js",
    true "console" "console.js",
    true "constants" "constants.js",
    true "crypto" "crypto.js",
    true "diagnostics_channel" "diagnostics_channel.js",
    true "dns" "dns.js",
    true "dns/promises" "dns_promises.js",
    true "events" "events.js",
    true "fs" "fs.js",
    true "fs/promises" "fs_promises.js",
    true "http" "http.js",
    true "http2" "http2.js",
    true "https" "https.js",
    false "internal/abort" "internal_abort.js",
    false "internal/absent" "internal_absent.js",
    false "internal/blob" "internal_blob.js",
    false "internal/buffer_methods" "internal_buffer_methods.js",
    false "internal/buffer_numbers" "internal_buffer_numbers.js",
    false "internal/clone" "internal_clone.js",
    false "internal/deep_equal" "internal_deep_equal.js",
    false "internal/dns" "internal_dns.js",
    false "internal/emitter_resource" "internal_emitter_resource.js",
    false "internal/encoding" "internal_encoding.js",
    false "internal/errors" "internal_errors.js",
    false "internal/event_target" "internal_event_target.js",
    false "internal/fetch" "internal_fetch.js",
    false "internal/format" "internal_format.js",
    false "internal/fs_streams" "internal_fs_streams.js",
    false "internal/fs_sync" "internal_fs_sync.js",
    false "internal/hashes" "internal_hashes.js",
    false "internal/inspect" "internal_inspect.js",
    false "internal/messaging" "internal_messaging.js",
    false "internal/parse_args" "internal_parse_args.js",
    false "internal/performance" "internal_performance.js",
    false "internal/stdio" "internal_stdio.js",
    false "internal/stream_destroy" "internal_stream_destroy.js",
    false "internal/stream_duplex" "internal_stream_duplex.js",
    false "internal/stream_finished" "internal_stream_finished.js",
    false "internal/stream_iterate" "internal_stream_iterate.js",
    false "internal/stream_legacy" "internal_stream_legacy.js",
    false "internal/stream_marks" "internal_stream_marks.js",
    false "internal/stream_readable" "internal_stream_readable.js",
    false "internal/stream_web" "internal_stream_web.js",
    false "internal/stream_writable" "internal_stream_writable.js",
    false "internal/textstreams" "internal_textstreams.js",
    false "internal/url" "internal_url.js",
    false "internal/webcrypto" "internal_webcrypto.js",
    false "internal/webstreams" "internal_webstreams.js",
    true "module" "module.js",
    true "net" "net.js",
    true "os" "os.js",
    true "path" "path.js",
    true "path/posix" "path_posix.js",
    true "path/win32" "path_win32.js",
    true "perf_hooks" "perf_hooks.js",
    true "process" "process.js",
    true "punycode" "punycode.js",
    true "querystring" "querystring.js",
    true "readline" "readline.js",
    true "readline/promises" "readline_promises.js",
    true "stream" "stream.js",
    true "stream/consumers" "stream_consumers.js",
    true "stream/promises" "stream_promises.js",
    true "stream/web" "stream_web.js",
    true "string_decoder" "string_decoder.js",
    true "sys" "sys.js",
    true "timers" "timers.js",
    true "timers/promises" "timers_promises.js",
    true "tls" "tls.js",
    true "tty" "tty.js",
    true "url" "url.js",
    true "util" "util.js",
    true "util/types" "util_types.js",
    true "v8" "v8.js",
    true "vm" "vm.js",
    true "worker_threads" "worker_threads.js",
    true "zlib" "zlib.js",
}

/// The name of a module that users may ask for, as this crate writes it.
pub fn public(name: &str) -> Option<&'static str> {
    SOURCES.iter().find(|source| source.public && source.name == name).map(|source| source.name)
}

/// Every module, internal ones included.
pub fn names() -> impl Iterator<Item = &'static str> {
    SOURCES.iter().map(|source| source.name).filter(|name| *name != "bootstrap")
}

/// The names that users may ask for: `module.builtinModules`.
pub fn public_names() -> Vec<&'static str> {
    SOURCES.iter().filter(|source| source.public).map(|source| source.name).collect()
}

/// The function that a module's source is the body of.
pub fn compile_module<'js>(ctx: Ctx<'js>, name: String) -> Result<Function<'js>> {
    compile(&ctx, &name)
}

pub fn compile<'js>(ctx: &Ctx<'js>, name: &str) -> Result<Function<'js>> {
    let Some(source) = SOURCES.iter().find(|source| source.name == name) else {
        return Err(Exception::throw_internal(ctx, &format!("no source of the name {name}")));
    };
    // On one line with the source's first, so that line numbers are those of the file.
    let head = if name == "bootstrap" {
        "(function (natives, compileModule, global) {"
    } else {
        "(function (module, exports, require, natives) {"
    };
    let mut options = EvalOptions::default();
    options.strict = true;
    options.filename = Some(format!("node:{name}"));
    ctx.eval_with_options(format!("{head}{}\n}})", source.text), options)
}
