"""A second file of the author's."""


def fail():
    raise LookupError("not here")
