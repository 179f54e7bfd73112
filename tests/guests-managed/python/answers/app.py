"""Handlers whose answers are compared."""

import asyncio
import collections
import decimal
import functools
import typing


class Point(typing.NamedTuple):
    x: int
    y: int


Pair = collections.namedtuple("Pair", "a b")


def echo(event, context):
    return event


def kind(event, context):
    return type(event).__name__


def text(event, context):
    return '{"a": 1}'


def nothing(event, context):
    pass


def unicode(event, context):
    return {"text": "\u00e9\u4e2d\U0001f600", "half": event.get("half")}


def half(event, context):
    return "\ud83d"


def raw(event, context):
    return b"\x00\x01\xff"


def decimals(event, context):
    return {"n": decimal.Decimal("12345678901234567890.10"), "m": [decimal.Decimal("3")], "f": 1.5, "inside": b"text"}


def tuples(event, context):
    return {"modules": [Point.__module__, Pair.__module__], "point": Point(1, 2), "pairs": [Pair("x", Point(3, 4))], "tuple": (1, 2)}


def numbers(event, context):
    return [float("nan"), float("inf"), 1e100, 2**70, -0.0, True, None]


def unserialisable(event, context):
    return {"when": {1, 2}}


def circular(event, context):
    value = []
    value.append(value)
    return value


async def later(event, context):
    await asyncio.sleep(0.01)
    return [await asyncio.to_thread(len, "four"), *await asyncio.gather(asyncio.sleep(0, 1), asyncio.sleep(0, 2))]


def runs(event, context):
    async def main():
        async with asyncio.timeout(5):
            queue = asyncio.Queue()
            task = asyncio.create_task(queue.put(7))
            value = await queue.get()
            await task
            return value

    return asyncio.run(main())


def timeouts(event, context):
    async def main():
        try:
            await asyncio.wait_for(asyncio.sleep(10), 0.02)
        except TimeoutError:
            return "timed out"

    return asyncio.run(main())


class Callable:
    def __call__(self, event, context):
        return "called"

    def method(self, event, context):
        return "method"


instance = Callable()
method = instance.method
partial = functools.partial(lambda prefix, event, context: prefix, "partial")


def about(event, context):
    return {
        "aws_request_id": context.aws_request_id,
        "function_name": context.function_name,
        "function_version": context.function_version,
        "invoked_function_arn": context.invoked_function_arn,
        "memory_limit_in_mb": context.memory_limit_in_mb,
        "log_group_name": context.log_group_name,
        "log_stream_name": context.log_stream_name,
        "identity": [context.identity.cognito_identity_id, context.identity.cognito_identity_pool_id],
        "client_context": context.client_context and {
            "custom": context.client_context.custom,
            "env": context.client_context.env,
            "client": context.client_context.client and context.client_context.client.app_title,
        },
        "tenant_id": context.tenant_id,
        "remaining": 0 < context.get_remaining_time_in_millis() <= 30000,
        "type": type(context).__name__,
    }
