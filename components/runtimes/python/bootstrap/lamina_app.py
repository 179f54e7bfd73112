"""What componentize-py is told to build: the world's exports.

Importing it makes the snapshot that every instance begins with.
"""

from _lamina import snapshot
from _lamina.world import WitWorld

__all__ = ["WitWorld"]

snapshot.finish()
