"""What `table.json` asks of a handler, in Python."""

import asyncio
import logging
import os
import random
import sys
import tempfile
import time
import uuid

import helper

calls = 0
last = None


class OrderError(Exception):
    pass


def handler(event, context):
    return globals()["do_" + event["do"].replace("-", "_")](event, context)


def do_echo(event, context):
    return event["value"]


def do_text(event, context):
    return '{"a":1}'


def do_nothing(event, context):
    pass


def do_length(event, context):
    return len(event["value"])


def do_big(event, context):
    return "x" * (event["bytes"] - 2)


def do_raise(event, context):
    raise OrderError(event["message"])


def do_raise_standard(event, context):
    return [][3]


def do_raise_cause(event, context):
    try:
        int("three")
    except ValueError as error:
        raise OrderError("order 7 cannot be shipped") from error


def do_raise_elsewhere(event, context):
    helper.fail()


def do_raise_other(event, context):
    raise "a text"


def do_unserialisable(event, context):
    value = []
    value.append(value)
    return value


def do_print(event, context):
    print("one")
    print("two", file=sys.stderr)
    print("three\nfour")
    print("gr\u00fc\u00dfe \u4e2d \U0001f600")
    print("")
    print("no end", end="")


def do_levels(event, context):
    logger = logging.getLogger("orders")
    logging.getLogger().setLevel(logging.DEBUG) if event.get("all") else None
    for level in ("debug", "info", "warning", "error"):
        getattr(logger, level)("at %s", level)


def do_many_lines(event, context):
    logging.error("one\ntwo")


def do_context(event, context):
    return {
        "requestId": context.aws_request_id,
        "functionName": context.function_name,
        "functionVersion": context.function_version,
        "arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb,
        "logGroup": context.log_group_name,
        "logStream": context.log_stream_name,
        "clientContext": context.client_context and context.client_context.custom,
        "remaining": 0 < context.get_remaining_time_in_millis() <= 20000,
    }


def do_env(event, context):
    return {name: os.environ.get(name) for name in event["names"]}


async def never():
    await asyncio.get_running_loop().create_future()


def do_never(event, context):
    return asyncio.run(never())


async def leaving():
    async def late():
        await asyncio.sleep(0.03)
        print("late")

    global last
    last = asyncio.create_task(late())
    return "answered"


def do_leave(event, context):
    return asyncio.run(leaving())


def do_count(event, context):
    global calls
    calls += 1
    return [calls, last is None]


def do_wait(event, context):
    time.sleep(event["ms"] / 1000)
    return "waited"


def do_exit(event, context):
    print("before")
    sys.exit(event["status"])


def recurse(n):
    return recurse(n + 1) + 1


def do_recurse(event, context):
    return recurse(0)


def do_recurse_caught(event, context):
    try:
        recurse(0)
    except RecursionError:
        return "caught"


def do_fill(event, context):
    held = []
    while True:
        held.append(bytearray(1 << 20))


def do_spin(event, context):
    while True:
        pass


def do_tmp(event, context):
    before = sorted(os.listdir("/tmp"))
    with open("/tmp/one.txt", "w") as file:
        file.write("kept")
    with open("/tmp/one.txt") as file:
        return {"before": before, "read": file.read(), "after": sorted(os.listdir("/tmp")), "usual": tempfile.gettempdir()}


def do_task(event, context):
    failed = []
    for attempt in (
        lambda: open("/var/task/new", "w"),
        lambda: open(event["file"], "a"),
        lambda: os.remove(event["file"]),
        lambda: os.rename(event["file"], "/var/task/other"),
        lambda: os.mkdir("/var/task/folder"),
    ):
        try:
            attempt()
            failed.append(False)
        except OSError:
            failed.append(True)
    with open(event["file"], "rb") as file:
        return {"read": len(file.read()) > 0, "failed": failed}


def do_outside(event, context):
    def opens(path):
        try:
            open(path).close()
            return True
        except OSError:
            return False

    return [opens(path) for path in event["paths"]]


def do_random(event, context):
    return [random.random(), str(uuid.uuid4()), os.urandom(8).hex()]


def do_time(event, context):
    begun = time.time(), time.monotonic()
    time.sleep(0.02)
    return time.time() - begun[0] >= 0.019 and time.monotonic() - begun[1] >= 0.019 and begun[0] > 1.7e9


def stream(event, context):
    do = event["do"]
    if do == "fail-before":
        raise OrderError("before the head")
    head = {"contentType": event.get("content_type"), "statusCode": event.get("status")}
    head |= {"headers": dict(event.get("headers", [])) or None, "cookies": event.get("cookies")}
    yield {name: value for name, value in head.items() if value is not None}
    if do == "fail-after":
        yield "first"
        raise OrderError("after the first byte")
    yield from event.get("chunks", [])


def kind(event, context):
    return "object" if event == {} else repr(event)
