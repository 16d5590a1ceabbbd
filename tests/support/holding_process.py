"""A process that claims executions: `python -m tests.support.holding_process TARGET LEASE HOLD`.

Claims from the store at TARGET, a few at a time, until there are none left that are queued. Prints
the id of each once it has it. Then holds what it has until it is killed, or, if HOLD is 0, ends in
good order.
"""

from __future__ import annotations

import sys
import time

from nodegx.runtime.durable.state import RunStatus
from nodegx.runtime.durable.stores import open_runs


def main(target: str, lease: float, hold: float) -> None:
    """Claims, then holds."""
    store = open_runs(target)
    store.beat(lease)
    while left := store.counts()[RunStatus.QUEUED]:
        for state in store.claim(min(left, 5), now=time.time()):
            print(state.id, flush=True)
    time.sleep(hold)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]))
