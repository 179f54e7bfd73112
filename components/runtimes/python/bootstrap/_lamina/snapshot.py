"""What every instance begins with: the modules that are imported already, the rest of
the standard library as code, and the interpreter's settings.

It runs once, while the component is built.
"""

# ruff: noqa: F401, E402, I001
from . import memory as _memory

_room = _memory.room()
_notes = bytearray(_memory.NOTES_BYTES)
_hot = _memory.room(_memory.HOT_BYTES)

from . import network as _network

_network.install_tls()

# Lambda's own bootstrap has these in memory before a handler is imported, so that no
# package of an author can stand in for them there either.
import collections.abc
import datetime
import decimal
import enum
import http.client
import importlib
import json
import logging
import math
import os
import re
import sys
import time
import traceback
import typing
import warnings

CORE = frozenset(name.partition(".")[0] for name in sys.modules)

# What functions import most, so that an import costs a look-up. An author's module
# of such a name takes its place (`packages.uncover`).
import argparse
import array
import ast
import asyncio
import base64
import binascii
import bisect
import calendar
import cmath
import concurrent.futures
import concurrent.futures.thread
import configparser
import contextlib
import contextvars
import copy
import csv
import dataclasses
import difflib
import email
import email.mime.multipart
import email.mime.text
import email.parser
import email.policy
import email.utils
import fnmatch
import fractions
import functools
import gc
import getpass
import glob
import gzip
import hashlib
import heapq
import hmac
import html
import html.parser
import http.cookies
import importlib.metadata
import importlib.resources
import importlib.util
import inspect
import io
import ipaddress
import itertools
import linecache
import logging.config
import logging.handlers
import mimetypes
import numbers
import operator
import pathlib
import pickle
import pkgutil
import platform
import pprint
import queue
import random
import secrets
import select
import shlex
import shutil
import signal
import socket
import sqlite3
import ssl
import statistics
import string
import struct
import subprocess
import tempfile
import textwrap
import threading
import tokenize
import types
import unicodedata
import unittest.mock
import urllib.error
import urllib.parse
import urllib.request
import uuid
import weakref
import xml.etree.ElementTree
import zipfile
import zlib
import zoneinfo
import zoneinfo._common
import zoneinfo._tzpath

import encodings.ascii
import encodings.idna
import encodings.latin_1
import encodings.utf_8_sig

# What the build imports after this, so that `sys.path` can be the functions' own, and
# nothing comes behind what is sealed.
import componentize_py_types
import wit_world
import wit_world.imports

for _module in pkgutil.iter_modules(wit_world.imports.__path__):
    importlib.import_module(f"wit_world.imports.{_module.name}")

from . import (
    answer, context, depth, digests, handler, handles, hooks, immortal, instance, logs, loop, network, packages,
    rehearsal, stdlib, threads, world,
)  # fmt: skip


# Those that call what was moved, and those that call them.
_ROUNDS_MAX = 5


def finish():
    """When all is imported: the settings, and nothing left that only the build has."""
    network.install_sockets()
    loop.install()
    depth.install()
    digests.install()
    threads.install()
    stdlib.gather()
    _time_zones()
    sys.modules[hooks.NAME] = hooks.install()
    sys.meta_path.append(stdlib.Finder)
    packages.install(CORE)
    logs.install()
    answer.install()
    sys.dont_write_bytecode = True
    linecache.clearcache()
    re.purge()
    # A collection costs a millisecond, which a small handler does not spend.
    gc.set_threshold(20_000)
    _settle()


def _settle():
    """What a call writes to comes to lie together, and the rest stands still."""
    imports = wit_world.imports
    host, environment, preopens = imports.managed_host, imports.environment, imports.preopens
    functions = []
    more = [host.bundle, host.log, environment.get_environment, preopens.get_directories]
    more += [instance.unseeded, logs.configure]
    for _ in range(_ROUNDS_MAX):
        functions += more
        # Calls of what was moved are not specialized, so that their callers are next.
        _memory.move_code(more)
        rehearsal.rehearse()
        more = _memory.restless(_rehearse_twice)
    _clear()
    _memory.seal(_hot)
    instance.install()
    _memory.move_code([*functions, random.seed])
    for table in (sys.modules, sys.path_importer_cache, vars(random), vars(handler), vars(logs), vars(packages)):
        _memory.move_entries(table)
    sys.argv = ["bootstrap"]
    handles.install()
    # The build's last question: until then it takes memory and gives it back.
    instance.once(random, "seed", _end)


def _rehearse_twice():
    rehearsal.rehearse(2)


def _end():
    _clear()
    rehearsal.rehearse()
    if not instance.is_unseeded():
        raise RuntimeError("a rehearsal took a random number: every instance would be seeded at its start")
    seed = random.seed
    gc.collect()
    immortal.note(_notes)
    gc.collect()
    _memory.seal(_room)
    _notes.clear()
    gc.freeze()
    return seed


def _clear():
    """What is kept for reuse, and nothing else needs."""
    sys._clear_type_cache()
    gc.collect()


def _time_zones():
    """The time zones of the `tzdata` package, in memory."""
    import tzdata

    folder = os.path.join(os.path.dirname(tzdata.__file__), "zoneinfo")
    zones = {}
    for parent, _, files in os.walk(folder):
        for file in files:
            path = os.path.join(parent, file)
            with open(path, "rb") as opened:
                content = opened.read()
            if content.startswith(b"TZif"):
                zones[os.path.relpath(path, folder)] = content

    def load_tzdata(key):
        try:
            return io.BytesIO(zones[key])
        except KeyError:
            raise zoneinfo.ZoneInfoNotFoundError(f"No time zone found with key {key}") from None

    zoneinfo._common.load_tzdata = load_tzdata
    zoneinfo._tzpath.available_timezones = zoneinfo.available_timezones = lambda: set(zones)
    zoneinfo.reset_tzpath(())
    for name in [name for name in sys.modules if name.partition(".")[0] == "tzdata"]:
        del sys.modules[name]
