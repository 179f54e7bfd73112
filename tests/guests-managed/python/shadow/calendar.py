"""A module of the author in the place of one of the library."""

import json

import queue


def handler(event, context):
    return [queue.SOURCE, json.dumps(1)]
