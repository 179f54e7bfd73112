"""Handlers whose lines are compared."""

import logging
import os
import sys
import warnings


def order(event, context):
    logger = logging.getLogger("own")
    logging.getLogger().setLevel(logging.INFO)
    print("one")
    logger.info("two\nwith a second line")
    print("three", file=sys.stderr)
    sys.stdout.write("four, ")
    sys.stdout.write("five\nsix")
    logger.warning("seven %s", 7)
    os.environ["X"] = "1"
    print("\u00e9\u4e2d", end="")
    context.log("eight")
    sys.stdout.buffer.write(b"nine\n")
    print("ten", flush=True, end="")


def levels(event, context):
    logger = logging.getLogger("own.part")
    for level in ("debug", "info", "warning", "error", "critical"):
        getattr(logger, level)("at %s", level)


def extra(event, context):
    logging.warning("with more", extra={"order": 42, "tags": ["a"]})
    try:
        1 / 0
    except ZeroDivisionError:
        logging.exception("caught")


def fails(event, context):
    raise ValueError("first\nsecond")


def own_format(event, context):
    logging.getLogger().handlers[0].setFormatter(logging.Formatter("%(levelname)s|%(message)s"))
    logging.warning("mine")


def basic(event, context):
    logging.basicConfig(level=logging.DEBUG)
    logging.debug("not shown, as there is a handler already")
    logging.basicConfig(level=logging.DEBUG, force=True)
    logging.debug("to standard error")


def warns(event, context):
    warnings.warn("old way")


print("at import")
