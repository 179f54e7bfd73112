"""In a package of a folder that has no `__init__`."""

from . import beside


def handler(event, context):
    return [__name__, __file__, __package__, beside.VALUE]
