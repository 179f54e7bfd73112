"""What componentize-py is told to build: the world's exports, and what is in the snapshot."""

from _lamina.world import WitWorld

__all__ = ["WitWorld"]
