"""A process that runs executions until it is killed: `python busy_process.py HISTORY COUNT`.

Prints the id of every execution once its start has returned.
"""

from __future__ import annotations

import asyncio
import os
import sys

from nodegx.runtime import Node, Run, Trigger, workflow
from nodegx.runtime.execution import Execution
from nodegx.runtime.history.sqlite import SqliteStore
from nodegx.runtime.history.writer import HistoryWriter
from nodegx.runtime.local import LocalHost
from nodegx.runtime.logs import Log

WORK = Node("work", "data.set")


async def rest(number: int) -> int:
    """Some take long, some end at once."""
    await asyncio.sleep(30 if number % 2 else 0.001)
    return number


@workflow("/Busy", timeout=60.0)
async def busy(run: Run) -> None:
    """Rests."""
    await run.step(WORK, rest, run.trigger)


async def main(path: str, count: int) -> None:
    """Starts executions, ever more."""
    host = LocalHost(history=HistoryWriter(SqliteStore(path)))
    log = Log("error")
    slots = asyncio.Semaphore(count)

    async def one(number: int) -> None:
        async with slots:
            run = Execution(busy, Trigger("t", "trigger.manual", number), host, log=log)
            await run.start()
            os.write(1, f"{run.id}\n".encode())
            await run.finish()

    async with asyncio.TaskGroup() as group:
        for number in range(100_000):
            group.create_task(one(number))
            await asyncio.sleep(0)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
