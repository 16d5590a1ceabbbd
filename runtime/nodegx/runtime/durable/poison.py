"""Executions that take their host down with them, again and again.

Each further pass of an execution notes how far its journal had come. One that finds it no further
than the pass before did may be what its last host died of, or may just have been there. It is put
off for a while, longer each time, so that the innocent get a host without it; one that never gets
further becomes a dead letter.
"""

from __future__ import annotations

import json
import random
from time import time
from typing import NamedTuple

from nodegx.runtime.errors import NodegxError

from .state import Entry, Kind
from .store import Kept

KEY = "!pass"
MOST = 6
"""Passes without progress after which an execution is given up."""
LONGEST = 60.0
"""Seconds, the longest that one is put off."""


class Suspicion(NamedTuple):
    """What to do before a pass begins: write `entry`; wait for `delay` seconds first, if there is
    one; or give up, for `reason`."""

    entry: Entry
    delay: float | None = None
    reason: NodegxError | None = None


def suspicion(kept: Kept) -> Suspicion:
    """What to do with an execution that has been claimed.

    Args:
        kept: what there is of it.
    """
    known = next((entry for entry in kept.entries if entry.key == KEY), None)
    others = [entry.number for entry in kept.entries if entry.key != KEY]
    last, count = max(others, default=0), len(others)
    passes, put_off = 1, False
    if known is not None:
        before, last_before, count_before, put_off = json.loads(known.value)
        if (last_before, count_before) == (last, count):
            passes = before if put_off else before + 1
    delays = passes > 1 and not put_off
    entry = Entry(KEY, Kind.DRAW, json.dumps([passes, last, count, delays]), started=time())
    if passes > MOST:
        reason = NodegxError(
            f"Its hosts have died {MOST} times without getting any further with it",
            code="execution.poison",
        )
        return Suspicion(entry, reason=reason)
    if delays:
        longest = min(2.0**passes, LONGEST)
        return Suspicion(entry, delay=longest * random.uniform(0.3, 1.0))  # noqa: S311
    return Suspicion(entry)
