"""What the runtime adds to the work of a workflow.

The hand-written handler does the same work with the same functions as the compiled one and calls
them directly; both get the body of a request as bytes and give the answer's. Times are the best of several rounds, which is the least disturbed one.
"""

from __future__ import annotations

import asyncio
import gc
import json as text_json
import tempfile
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from time import process_time
from typing import Any
from uuid import uuid4

from nodegx.runtime import Node, Reply, Run, Trigger, Workflow, workflow
from nodegx.runtime.execution import Execution
from nodegx.runtime.history.record import ExecutionRecord, Status, StepRecord
from nodegx.runtime.history.sqlite import SqliteStore
from nodegx.runtime.history.writer import HistoryWriter
from nodegx.runtime.local import LocalHost
from nodegx.runtime.logs import Log
from nodegx.runtime.nodes import data, json

from tests.benchmarks.row import Row

STEPS = 200
ROUNDS = 150
BEFORE = 1.105
"""The order run against the one by hand in the version before durable executions (7b12fa1): the
median of three measurements that took turns with this version, whose median was 1.10."""

LIMIT = asyncio.Semaphore(100)

WORK = Node("work", "data.set")
VALIDATE = Node("validate", "data.json")
LARGE = Node("large", "logic.if")
PRICE = Node("price", "data.transform")
INVOICE = Node("invoice", "data.set")
CONFIRM = Node("confirm", "cloud.response")

ORDER = {
    "customer": {"name": "Ada Lovelace", "email": "ada@example.org", "country": "GB"},
    "items": [{"sku": f"A-{n}", "quantity": n, "price": 9.95} for n in range(1, 4)],
    "note": "Please ring twice; the bell is old, and the garden long. Thank you very much.",
}
BODY = text_json.dumps(ORDER).encode()
SCHEMA = {
    "type": "object",
    "required": ["customer", "items"],
    "properties": {
        "customer": {"type": "object", "required": ["name", "email"]},
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["sku", "quantity", "price"],
                "properties": {
                    "sku": {"type": "string", "minLength": 1},
                    "quantity": {"type": "integer", "minimum": 1},
                    "price": {"type": "number", "minimum": 0},
                },
            },
        },
    },
}


async def echo(value: dict[str, Any], label: str = "") -> dict[str, Any]:
    """A step that does nothing but hand back its input of about 300 bytes."""
    return value


async def price(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The totals of the lines, the dearest first."""
    lines = [{**item, "total": round(item["quantity"] * item["price"], 2)} for item in items]
    return sorted(lines, key=lambda line: line["total"], reverse=True)


async def by_hand(order: dict[str, Any], answer: asyncio.Future[Reply | None]) -> None:
    """The workflow below as one would write it without a runtime."""
    json.validate(order, schema=SCHEMA)
    lines = await price(order["items"])
    total = sum(line["total"] for line in lines)
    if total > 10:
        invoice = data.set({"customer": order["customer"]["name"], "total": total})
        answer.set_result(Reply(200, {}, invoice))
    else:
        answer.set_result(Reply(204, {}, None))


@workflow("/Order", timeout=30.0, concurrency=100)
async def order_workflow(run: Run) -> None:
    """The same as `by_hand`, in the shape the compiler gives it."""
    order = run.trigger
    await run.step(VALIDATE, json.validate, order, schema=SCHEMA)
    lines = await run.step(PRICE, price, order["items"])
    total = sum(line["total"] for line in lines)
    if run.branch(LARGE, total > 10):
        invoice = await run.step(
            INVOICE, data.set, {"customer": order["customer"]["name"], "total": total}
        )
        await run.respond(CONFIRM, status=200, body=invoice)
    else:
        await run.respond(CONFIRM, status=204)


async def by_hand_nothing(order: dict[str, Any], answer: asyncio.Future[Reply | None]) -> None:
    """Answers, and nothing else."""
    answer.set_result(Reply(204, {}, None))


@workflow("/Nothing", timeout=30.0, concurrency=100)
async def nothing_workflow(run: Run) -> None:
    """The same as `by_hand_nothing`."""
    await run.respond(CONFIRM, status=204)


def _steps_workflow() -> Workflow:
    @workflow("/Steps", timeout=30.0)
    async def steps(run: Run) -> None:
        for _ in range(STEPS):
            await run.step(WORK, echo, ORDER, label="order")

    return steps


async def _bare_steps() -> None:
    for _ in range(STEPS):
        await echo(ORDER, label="order")


async def _execute(flow: Workflow, body: bytes, host: LocalHost, log: Log) -> bytes:
    order = text_json.loads(body)
    execution = Execution(flow, Trigger("start", "trigger.manual", order), host, log=log)
    await execution.start()
    reply = await execution.response
    await execution.finish()
    return text_json.dumps(reply.body).encode() if reply is not None else b""


async def _answered(handler: Callable[..., Coroutine[Any, Any, None]], body: bytes) -> bytes:
    """What a handler of one's own needs around it to be as well behaved: an id for its requests,
    a limit to how many run at a time, one to how long they take, and work after the answer."""
    async with LIMIT:
        return await _limited(handler, body, str(uuid4()))


async def _limited(
    handler: Callable[..., Coroutine[Any, Any, None]], body: bytes, request: str
) -> bytes:
    order = text_json.loads(body)
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Reply | None] = loop.create_future()
    task = loop.create_task(handler(order, answer), name=request)
    async with asyncio.timeout(30.0):
        reply = await answer
        await task
    return text_json.dumps(reply.body).encode() if reply is not None else b""


async def _best(times: int, *calls: Callable[[], Awaitable[object]]) -> list[float]:
    """Microseconds of processor time that each of the calls takes, in the best of several rounds.
    They take turns, as the speed of a machine changes with what else it does."""
    best = [float("inf")] * len(calls)
    gc.freeze()  # so that a collection need not look at what others have made
    for _ in range(ROUNDS):
        for number, call in enumerate(calls):
            gc.collect()
            start = process_time()  # all of this is computing; what else runs here does not count
            for _ in range(times):
                await call()
            best[number] = min(best[number], (process_time() - start) / times * 1e6)
    gc.unfreeze()
    return best


async def by_hand_seconds() -> float:
    """Seconds of processor time that the order by hand takes."""
    [microseconds] = await _best(20, lambda: _answered(by_hand, BODY))
    return microseconds / 1e6


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
    many = await _best(
        2,
        _bare_steps,
        lambda: _execute(steps, b"null", plain, log),
        lambda: _execute(steps, b"null", recorded, log),
    )
    bare, without, captured = (each / STEPS for each in many)
    nothing, empty = await _best(
        40,
        lambda: _answered(by_hand_nothing, BODY),
        lambda: _execute(nothing_workflow, BODY, plain, log),
    )
    hand, run, full = await _best(
        20,
        lambda: _answered(by_hand, BODY),
        lambda: _execute(order_workflow, BODY, plain, log),
        lambda: _execute(order_workflow, BODY, recorded, log),
    )
    return [
        Row("step, no history", without, "µs", bare, without / bare),
        Row("history on, per step", captured - without, "µs", limit=30.0),
        Row("empty run vs by hand, no history", empty, "µs", nothing, empty / nothing),
        Row("order run vs by hand, no history", run, "µs", hand, run / hand, limit=1.3),
        Row(
            "… and before there were durable ones",
            run / hand,
            "times",
            BEFORE,
            run / hand / BEFORE,
            1.1,
        ),
        Row("order run, full history", full, "µs", run, full / run),
    ]


async def _writer(pairs: int = 12_000) -> Row:
    """Starts and ends through the writer into SQLite, in processor time: one core's worth."""
    value = text_json.dumps(ORDER)

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
