"""A package with data."""


def twice(n):
    return 2 * n
