"""What of the library works, and what says why not."""

import importlib
import os
import sys


def modules(event, context):
    failed = {}
    for name in event:
        try:
            importlib.import_module(name)
        except BaseException as error:
            failed[name] = f"{type(error).__name__}: {error}"
    return failed


def every(event, context):
    return modules([name for name in sys.stdlib_module_names if name not in event], context)


def files(event, context):
    import tempfile

    found = {"cwd": os.getcwd(), "relative": open("data/one.txt").read(), "listed": sorted(os.listdir("data"))}
    try:
        open("/var/task/new", "w")
    except OSError as error:
        found["write"] = type(error).__name__
    with tempfile.NamedTemporaryFile("w+") as file:
        file.write("in /tmp")
        file.seek(0)
        found["tmp"] = [file.read(), file.name.startswith("/tmp/")]
    return found


def resources(event, context):
    import importlib.metadata
    import importlib.resources
    import pkgutil

    import carrier

    return {
        "resource": importlib.resources.files("carrier").joinpath("note.txt").read_text(),
        "get_data": pkgutil.get_data("carrier", "note.txt").decode(),
        "modules": [each.name for each in pkgutil.iter_modules(carrier.__path__)],
        "version": importlib.metadata.version("carrier"),
        "file": carrier.__file__,
        "source": __import__("inspect").getsource(carrier.twice).splitlines()[0],
        "namespace": importlib.import_module("spaced.part").NAME,
    }


def threads(event, context):
    import concurrent.futures
    import threading

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        squares = list(pool.map(lambda n: n * n, range(4)))
        failed = pool.submit(int, "x").exception()
        first = [each.result() for each in concurrent.futures.as_completed([pool.submit(len, "ab")])]
    try:
        threading.Thread(target=print).start()
    except RuntimeError as error:
        refused = str(error)
    return {"squares": squares, "failed": type(failed).__name__, "first": first, "refused": refused}


def network(event, context):
    import socket
    import urllib.request

    said = {}
    for name, work in {
        "http": lambda: urllib.request.urlopen("http://example.com/"),
        "https": lambda: urllib.request.urlopen("https://example.com/"),
        "socket": lambda: socket.create_connection(("127.0.0.1", 80), 1),
        "address": lambda: socket.getaddrinfo("example.com", 80),
    }.items():
        try:
            work()
        except Exception as error:
            said[name] = "functions have no network yet" in str(error)
        else:
            said[name] = "no error"
    return said


def digests(event, context):
    import hashlib
    import hmac

    return [
        hashlib.sha256(b"a").hexdigest()[:8],
        hashlib.new("md5", b"a").hexdigest()[:8],
        hmac.new(b"k", b"a", "sha256").hexdigest()[:8],
        hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 2).hex()[:16],
        sorted(hashlib.algorithms_guaranteed - {"sha1"})[:2],
    ]


def processes(event, context):
    import subprocess
    import time

    said = []
    try:
        subprocess.run(["true"])
    except OSError as error:
        said.append(str(error))
    os.environ["TZ"] = "Europe/Berlin"
    said.append(time.strftime("%H %Z", time.localtime(0)))
    said.append([hasattr(os, "system"), hasattr(os, "fork")])
    return said


def zones(event, context):
    import datetime
    import zoneinfo

    noon = datetime.datetime(2026, 7, 1, 12, tzinfo=datetime.timezone.utc)
    zone = zoneinfo.ZoneInfo("Europe/Berlin")
    try:
        zoneinfo.ZoneInfo("Nowhere/Else")
    except zoneinfo.ZoneInfoNotFoundError as error:
        missing = str(error)
    return [noon.astimezone(zone).isoformat(), len(zoneinfo.available_timezones()) > 400, missing]


def random_numbers(event, context):
    import random
    import secrets
    import uuid

    return [random.random(), secrets.token_hex(8), str(uuid.uuid4()), str(uuid.uuid1())]


def environment(event, context):
    return {
        "own": os.environ.get("OWN"),
        "region": os.environ["AWS_REGION"],
        "handler": os.environ["_HANDLER"],
        "execution": os.environ["AWS_EXECUTION_ENV"],
        "root": os.environ["LAMBDA_TASK_ROOT"],
        "path": sys.path,
        "version": sys.version_info[:2],
        "build": [name for name in os.environ if name.startswith(("PYTHON", "VIRTUAL"))],
    }


def layers(event, context):
    import inlayer
    import insite

    return [inlayer.NAME, insite.NAME, inlayer.__file__]


def vendored(event, context):
    sys.path.insert(0, os.path.join(os.path.dirname(__file__), "vendor"))
    import inside_vendor

    return inside_vendor.NAME
