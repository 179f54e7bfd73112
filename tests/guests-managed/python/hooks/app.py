"""Hooks of SnapStart."""

import os
import random

from snapshot_restore_py import register_after_restore, register_before_snapshot

done = []
register_before_snapshot(done.append, "before, first")
register_before_snapshot(done.append, "before, last")


@register_after_restore
def restored():
    done.append("after")


early = random.random()


def handler(event, context):
    return {"done": done, "own": os.environ.get("OWN")}


def draw(event, context):
    return [random.random() for _ in range(2)]
