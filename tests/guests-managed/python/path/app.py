import sys

import beside
from vendored import name
from inner import deep


def handler(event, context):
    return [name, deep, beside.kind, sys.path[:3]]
