"""TLS and sockets: there so that programs import, refused when they are used.

Functions have no network yet. CPython for WebAssembly has no `_ssl`, without which
`ssl` does not import, and with it neither do boto3, urllib3 and requests.
"""

import errno
import sys
import types

REFUSAL = "functions have no network yet"

# Numbers that `ssl` turns into its enumerations, as OpenSSL has them.
_NUMBERS = {
    "PROTOCOL_SSLv2": 0,
    "PROTOCOL_SSLv3": 1,
    "PROTOCOL_TLS": 2,
    "PROTOCOL_SSLv23": 2,
    "PROTOCOL_TLSv1": 3,
    "PROTOCOL_TLSv1_1": 4,
    "PROTOCOL_TLSv1_2": 5,
    "PROTOCOL_TLS_CLIENT": 16,
    "PROTOCOL_TLS_SERVER": 17,
    "PROTO_MINIMUM_SUPPORTED": -2,
    "PROTO_MAXIMUM_SUPPORTED": -1,
    "PROTO_SSLv3": 0x300,
    "PROTO_TLSv1": 0x301,
    "PROTO_TLSv1_1": 0x302,
    "PROTO_TLSv1_2": 0x303,
    "PROTO_TLSv1_3": 0x304,
    "CERT_NONE": 0,
    "CERT_OPTIONAL": 1,
    "CERT_REQUIRED": 2,
    "VERIFY_DEFAULT": 0,
    "VERIFY_CRL_CHECK_LEAF": 0x4,
    "VERIFY_CRL_CHECK_CHAIN": 0xC,
    "VERIFY_X509_STRICT": 0x20,
    "VERIFY_ALLOW_PROXY_CERTS": 0x40,
    "VERIFY_X509_TRUSTED_FIRST": 0x8000,
    "VERIFY_X509_PARTIAL_CHAIN": 0x80000,
    "OP_ALL": 0x80000050,
    "OP_NO_SSLv2": 0,
    "OP_NO_SSLv3": 0x2000000,
    "OP_NO_TLSv1": 0x4000000,
    "OP_NO_TLSv1_1": 0x10000000,
    "OP_NO_TLSv1_2": 0x8000000,
    "OP_NO_TLSv1_3": 0x20000000,
    "OP_NO_COMPRESSION": 0x20000,
    "OP_NO_TICKET": 0x4000,
    "OP_NO_RENEGOTIATION": 0x40000000,
    "OP_CIPHER_SERVER_PREFERENCE": 0x400000,
    "OP_SINGLE_DH_USE": 0,
    "OP_SINGLE_ECDH_USE": 0,
    "OP_ENABLE_MIDDLEBOX_COMPAT": 0x100000,
    "OP_LEGACY_SERVER_CONNECT": 0x4,
    "OP_IGNORE_UNEXPECTED_EOF": 0x80,
    "SSL_ERROR_SSL": 1,
    "SSL_ERROR_WANT_READ": 2,
    "SSL_ERROR_WANT_WRITE": 3,
    "SSL_ERROR_WANT_X509_LOOKUP": 4,
    "SSL_ERROR_SYSCALL": 5,
    "SSL_ERROR_ZERO_RETURN": 6,
    "SSL_ERROR_WANT_CONNECT": 7,
    "SSL_ERROR_EOF": 8,
    "SSL_ERROR_INVALID_ERROR_CODE": 10,
    "ALERT_DESCRIPTION_CLOSE_NOTIFY": 0,
    "ALERT_DESCRIPTION_HANDSHAKE_FAILURE": 40,
    "ALERT_DESCRIPTION_INTERNAL_ERROR": 80,
    "HOSTFLAG_ALWAYS_CHECK_SUBJECT": 0x1,
    "HOSTFLAG_MULTI_LABEL_WILDCARDS": 0x8,
    "HOSTFLAG_NEVER_CHECK_SUBJECT": 0x20,
    "HOSTFLAG_NO_PARTIAL_WILDCARDS": 0x4,
    "HOSTFLAG_NO_WILDCARDS": 0x2,
    "HOSTFLAG_SINGLE_LABEL_SUBDOMAINS": 0x10,
    "OPENSSL_VERSION_NUMBER": 0x30000000,
}
_HAS = ("SNI", "ECDH", "ALPN", "TLSv1_2", "TLSv1_3")
_HAS_NOT = ("NPN", "SSLv2", "SSLv3", "TLSv1", "TLSv1_1", "PSK", "PSK_TLS13", "PHA")


def _refused(*_, **__):
    import ssl

    raise ssl.SSLError(errno.ENETUNREACH, f"{REFUSAL}: TLS does not work")


class SSLError(OSError):
    """An error of TLS."""

    def __str__(self):
        return str(self.strerror or self.args)


class _Context:
    """The settings of a context are kept, and never used."""

    __slots__ = (
        "options", "verify_flags", "verify_mode", "minimum_version", "maximum_version", "check_hostname",
        "_host_flags", "protocol", "sni_callback", "keylog_filename", "security_level", "num_tickets",
        "post_handshake_auth", "_msg_callback", "_ciphers", "__dict__",
    )  # fmt: skip

    def __new__(cls, protocol=2, *_, **__):
        self = object.__new__(cls)
        client = protocol == _NUMBERS["PROTOCOL_TLS_CLIENT"]
        for name, value in {
            "options": _NUMBERS["OP_ALL"] | _NUMBERS["OP_NO_SSLv3"],
            "verify_flags": _NUMBERS["VERIFY_X509_TRUSTED_FIRST"],
            "verify_mode": 2 if client else 0,
            "minimum_version": _NUMBERS["PROTO_TLSv1_2"],
            "maximum_version": _NUMBERS["PROTO_MAXIMUM_SUPPORTED"],
            "check_hostname": client,
            "_host_flags": _NUMBERS["HOSTFLAG_NO_PARTIAL_WILDCARDS"],
            "protocol": protocol,
            "sni_callback": None,
            "keylog_filename": None,
            "security_level": 2,
            "num_tickets": 2,
            "post_handshake_auth": False,
            "_msg_callback": None,
            "_ciphers": "",
        }.items():
            getattr(_Context, name).__set__(self, value)
        return self

    def _nothing(self, *_, **__):
        return None

    load_verify_locations = load_cert_chain = load_dh_params = set_default_verify_paths = _nothing
    set_ecdh_curve = _set_alpn_protocols = set_ciphers = set_psk_client_callback = _nothing
    _wrap_socket = _wrap_bio = _refused

    def get_ciphers(self):
        return []

    def get_ca_certs(self, *_):
        return []

    def cert_store_stats(self):
        return {"x509": 0, "crl": 0, "x509_ca": 0}

    def session_stats(self):
        return {}


def _module():
    module = types.ModuleType("_ssl", "A stand-in: there is no TLS.")
    errors = {"SSLError": SSLError}
    for name in ("ZeroReturn", "WantRead", "WantWrite", "Syscall", "EOF"):
        errors[f"SSL{name}Error"] = type(f"SSL{name}Error", (SSLError,), {"__module__": "ssl"})
    errors["SSLCertVerificationError"] = type("SSLCertVerificationError", (SSLError, ValueError), {"__module__": "ssl"})
    SSLError.__module__ = "ssl"
    vars(module).update(_NUMBERS, **errors)
    vars(module).update({f"HAS_{name}": True for name in _HAS}, **{f"HAS_{name}": False for name in _HAS_NOT})
    vars(module).update(
        OPENSSL_VERSION="OpenSSL 3.0.0 (only named: functions have no TLS)",
        OPENSSL_VERSION_INFO=(3, 0, 0, 0, 0),
        _OPENSSL_API_VERSION=(3, 0, 0, 0, 0),
        _DEFAULT_CIPHERS="@SECLEVEL=2:ECDH+AESGCM:ECDH+CHACHA20:!aNULL:!eNULL",
        _SSLContext=_Context,
        MemoryBIO=type("MemoryBIO", (), {"__new__": _refused}),
        SSLSession=type("SSLSession", (), {}),
        Certificate=type("Certificate", (), {}),
        txt2obj=lambda txt, name=False: (129, "serverAuth", "TLS Web Server Authentication", txt),
        nid2obj=lambda nid: (nid, "serverAuth", "TLS Web Server Authentication", "1.3.6.1.5.5.7.3.1"),
        RAND_status=lambda: True,
        RAND_add=lambda *_: None,
        RAND_bytes=lambda count: __import__("os").urandom(count),
        get_default_verify_paths=lambda: ("SSL_CERT_FILE", "/etc/ssl/cert.pem", "SSL_CERT_DIR", "/etc/ssl/certs"),
    )
    return module


def install_tls():
    """Before anything imports `ssl`."""
    sys.modules["_ssl"] = _module()


def install_sockets():
    """Every way to another machine fails with one text that says why."""
    import socket

    said = []

    def say(what):
        # Some libraries keep the reason to themselves.
        if not said:
            said.append(what)
            print(f"{REFUSAL}: {what} was refused", file=sys.stderr)

    def unreachable(*arguments, **__):
        say(f"a connection to {arguments[1]}" if len(arguments) > 1 else "a socket")
        raise OSError(errno.ENETUNREACH, REFUSAL)

    def unknown(host=None, *_, **__):
        say(f"the look-up of {host}")
        raise socket.gaierror(socket.EAI_FAIL, REFUSAL)

    def connect_ex(*_, **__):
        return errno.ENETUNREACH

    connection = socket.socket
    connection.connect = connection.bind = connection.listen = connection.sendto = unreachable
    connection.connect_ex = connect_ex
    socket.getaddrinfo = socket.gethostbyname = socket.gethostbyname_ex = unknown
    socket.gethostbyaddr = socket.getnameinfo = unknown
    socket.gethostname = lambda: "localhost"
    socket.getfqdn = lambda name="": name or "localhost"
    socket.socketpair = unreachable
