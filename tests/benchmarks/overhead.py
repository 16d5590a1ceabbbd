"""What the runtime adds to the work of a workflow.

The hand-written handler does the same work with the same functions as the compiled one and calls
them directly. Times are the best of several rounds, which is the least disturbed one.
"""

from __future__ import annotations

import asyncio
import gc
import json
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from nodegx.runtime import Node, Reply, Run, Trigger, Workflow, workflow
from nodegx.runtime.execution import Execution
from nodegx.runtime.history.record import ExecutionRecord, Status, StepRecord
from nodegx.runtime.history.sqlite import SqliteStore
from nodegx.runtime.history.writer import HistoryWriter
from nodegx.runtime.local import LocalHost
from nodegx.runtime.logs import Log

from tests.benchmarks.row import Row

STEPS = 200
ROUNDS = 12

WORK = Node("work", "data.set")
VALIDATE = Node("validate", "data.json")
LARGE = Node("large", "logic.if")
PRICE = Node("price", "data.transform")
SUMMARY = Node("summary", "data.set")
ACCEPT = Node("accept", "cloud.response")

ORDER = {
    "customer": {"name": "Ada Lovelace", "email": "ada@example.org", "country": "GB"},
    "items": [{"sku": f"A-{n}", "quantity": n, "price": 9.95} for n in range(1, 5)],
    "note": "Please ring twice; leave the parcel with the neighbours if nobody is in. " * 2,
}


async def echo(value: dict[str, Any], label: str = "") -> dict[str, Any]:
    """A step that does nothing but hand back its input of about 400 bytes."""
    return value


def check(order: str) -> dict[str, Any]:
    """Reads an order and checks its fields."""
    data = json.loads(order)
    for item in data["items"]:
        if not isinstance(item["sku"], str) or not item["quantity"] > 0 or item["price"] < 0:
            raise ValueError("not an order")
    if "@" not in data["customer"]["email"]:
        raise ValueError("not an order")
    return data


async def price(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The totals of the lines, the dearest first."""
    lines = [{**item, "total": round(item["quantity"] * item["price"], 2)} for item in items]
    return sorted(lines, key=lambda line: line["total"], reverse=True)


def summary(lines: list[dict[str, Any]], customer: dict[str, Any]) -> dict[str, Any]:
    """The order as the shop confirms it."""
    total = round(sum(line["total"] for line in lines), 2)
    return {"customer": customer["name"], "total": total, "lines": lines}


async def by_hand(text: str, answer: asyncio.Future[Reply | None]) -> None:
    """The workflow below as one would write it without a runtime."""
    order = check(text)
    lines = await price(order["items"])
    if sum(line["total"] for line in lines) > 10:
        confirmed = summary(lines, order["customer"])
        answer.set_result(Reply(201, {}, json.dumps(confirmed)))
    else:
        answer.set_result(Reply(204, {}, None))


@workflow("/Order", timeout=30.0)
async def order_workflow(run: Run) -> None:
    """The same as `by_hand`, in the shape the compiler gives it."""
    order = await run.step(VALIDATE, check, run.trigger)
    lines = await run.step(PRICE, price, order["items"])
    if run.branch(LARGE, sum(line["total"] for line in lines) > 10):
        confirmed = await run.step(SUMMARY, summary, lines, order["customer"])
        await run.respond(ACCEPT, status=201, body=json.dumps(confirmed))
    else:
        await run.respond(ACCEPT, status=204)


def _steps_workflow() -> Workflow:
    @workflow("/Steps", timeout=30.0)
    async def steps(run: Run) -> None:
        for _ in range(STEPS):
            await run.step(WORK, echo, ORDER, label="order")

    return steps


async def _bare_steps() -> None:
    for _ in range(STEPS):
        await echo(ORDER, label="order")


async def _execute(flow: Workflow, value: Any, host: LocalHost, log: Log) -> None:
    execution = Execution(flow, Trigger("start", "trigger.manual", value), host, log=log)
    await execution.start()
    await execution.response
    await execution.finish()


async def _answered_by_hand(text: str) -> None:
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Reply | None] = loop.create_future()
    task = loop.create_task(by_hand(text, answer))  # the answer may come before the end
    async with asyncio.timeout(30.0):
        await answer
        await task


async def _best(call: Callable[[], Awaitable[None]], times: int) -> float:
    """Seconds that one call takes, in the best of several rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        gc.collect()
        start = perf_counter()
        for _ in range(times):
            await call()
        best = min(best, (perf_counter() - start) / times)
    return best


class _Discard:
    """A history that keeps nothing: what remains is the cost of recording."""

    async def started(self, record: ExecutionRecord) -> None:
        pass

    async def finished(self, record: ExecutionRecord) -> None:
        pass


async def _overhead() -> list[Row]:
    log = Log("error")
    plain, recorded = LocalHost(), LocalHost(history=_Discard())
    steps = _steps_workflow()
    text = json.dumps(ORDER)
    bare = await _best(_bare_steps, 10) / STEPS * 1e6
    without = await _best(lambda: _execute(steps, None, plain, log), 10) / STEPS * 1e6
    captured = await _best(lambda: _execute(steps, None, recorded, log), 5) / STEPS * 1e6
    hand = await _best(lambda: _answered_by_hand(text), 200) * 1e6
    run = await _best(lambda: _execute(order_workflow, text, plain, log), 200) * 1e6
    full = await _best(lambda: _execute(order_workflow, text, recorded, log), 100) * 1e6
    return [
        Row("step, no history", without, "µs", bare, without / bare),
        Row("history on, per step", captured - without, "µs", limit=30.0),
        Row("run without history vs by hand", run, "µs", hand, run / hand, limit=1.3),
        Row("run with history vs without", full, "µs", run, full / run),
    ]


async def _writer(pairs: int = 12_000) -> Row:
    """Starts and ends through the writer into SQLite, in processor time: one core's worth."""
    value = json.dumps(ORDER)

    def steps() -> list[StepRecord]:
        return [
            StepRecord(f"s{n}", f"s{n}", "data.set", 0.0, 0.001, Status.SUCCESS, 1, "done", value)
            for n in range(5)
        ]

    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "history.sqlite3")
        writer = HistoryWriter(store)
        numbers = iter(range(pairs))

        async def work() -> None:
            for number in numbers:
                record = ExecutionRecord(
                    f"{number:026}", "/Order", "start", Status.RUNNING, number * 1.0, input=value
                )
                await writer.started(record)
                record.status, record.finished, record.steps = Status.SUCCESS, number + 0.1, steps()
                await writer.finished(record)

        used = process_time()
        async with asyncio.TaskGroup() as group:
            for _ in range(100):
                group.create_task(work())
        writer.close()
        used = process_time() - used
        store.close()
    rate = pairs / used
    return Row("start + end through the writer", rate, "/s", limit=6000, more_is_better=True)


def measure() -> list[Row]:
    """Microseconds that steps, runs and the history take, and how many runs the writer keeps."""
    rows = asyncio.run(_overhead())
    return [*rows, asyncio.run(_writer())]
