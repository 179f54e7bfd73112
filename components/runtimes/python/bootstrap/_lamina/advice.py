"""What to add to a message about a module that is not there, and cannot be."""

_SINGLE = "one process serves a call"
_TERMINAL = "a function has no terminal"
_UNIX = "WebAssembly has no such part of Unix"
_SDK = "this runtime brings no AWS SDK: put it into the function's package"
# Modules that CPython has elsewhere, each with why it is missing here.
MISSING = {
    "_ctypes": "WebAssembly loads no shared libraries, so ctypes does not work",
    "_hashlib": "this build of CPython has no OpenSSL; hashlib and hmac work",
    "_bz2": "this build of CPython has no bz2; gzip and zlib work",
    "_lzma": "this build of CPython has no lzma; gzip and zlib work",
    "_zstd": "this build of CPython has no zstd; gzip and zlib work",
    "_multiprocessing": _SINGLE,
    "_posixshmem": _SINGLE,
    "_posixsubprocess": _SINGLE,
    "_interpreters": _SINGLE,
    "_curses": _TERMINAL,
    "_tkinter": _TERMINAL,
    "readline": _TERMINAL,
    "termios": _TERMINAL,
    "tkinter": _TERMINAL,
    "fcntl": _UNIX,
    "grp": _UNIX,
    "mmap": _UNIX,
    "pwd": _UNIX,
    "resource": _UNIX,
    "syslog": _UNIX,
    "boto3": _SDK,
    "botocore": _SDK,
    "_dbm": "this build of CPython has no dbm; sqlite3 works, and dbm.dumb",
    "_gdbm": "this build of CPython has no dbm; sqlite3 works, and dbm.dumb",
}


def of(error):
    """A sentence to append, or nothing."""
    if isinstance(error, ModuleNotFoundError):
        reason = MISSING.get((error.name or "").partition(".")[0])
        if reason:
            return f" ({reason})"
    return ""


def native(name, path):
    """Why a compiled extension of a package is refused, and what to do."""
    package = name.partition(".")[0]
    return (
        f"package '{package}' has a native extension, {path}, which is compiled for another machine: "
        f"functions run in WebAssembly; install a release of '{package}' that is pure Python, or another package"
    )
