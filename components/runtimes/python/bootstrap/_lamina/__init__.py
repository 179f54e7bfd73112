"""The runtime's own package: all that is not Python's and not the author's."""
