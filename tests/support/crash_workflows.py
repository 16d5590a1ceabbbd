"""Workflows that a crash interrupts anywhere: what they do to the outside world can be counted.

Each is started by hand and calls a site whose address is the project's variable `site`. Every
request carries the execution's id and the step's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.projects import chain, node

PREFIX = "/#__cloud__/"
NAP = "500ms"


@dataclass(frozen=True)
class Case:
    """A workflow to interrupt.

    Args:
        name: its name, without the prefix.
        document: as the editor writes it.
        input: what it is started with.
        writes: how many writes to the store of unfinished executions it takes: its own, and those
            of the workflows that it calls.
        ends: the status that it ends with.
        others: further workflows that it needs.
        concurrent: whether several steps may be under way at the same time.
        asks: steps whose requests may be any number, because they ask until an answer fits.
        answer: form fields that the driver sends to the link in the body of the step `mail`.
    """

    name: str
    document: Mapping[str, Any]
    writes: int
    input: Any = None
    ends: str = "success"
    others: tuple[Mapping[str, Any], ...] = ()
    concurrent: bool = False
    asks: frozenset[str] = frozenset()
    answer: Mapping[str, str] = field(default_factory=dict[str, str])


def effect(id: str, body: Any = None, step: str | None = None, **options: Any) -> dict[str, Any]:
    """A node that does something outside.

    Args:
        id: the node.
        body: what it sends.
        step: the step's id, a template where that has an iteration; None is that of the node.
        options: further parameters; `retry` is the node's own.
    """
    extra = {name: options.pop(name) for name in ("retry",) if name in options}
    step = step or id
    made = node(
        id,
        "http.request",
        method="POST",
        url="{{ vars.site }}/" + id,
        headers={"X-Execution": "{{ execution.id }}", "X-Step": step},
        json={} if body is None else body,
        **options,
    )
    return {**made, **extra}


def wired(name: str, nodes: list[dict[str, Any]], *wires: str, **settings: Any) -> dict[str, Any]:
    """A workflow; each wire is `source.port target`."""
    connections: list[dict[str, str]] = []
    for wire in wires:
        source, target = wire.split()
        node_id, _, port = source.partition(".")
        connections.append(
            {"sourceId": node_id, "sourcePort": port, "targetId": target, "targetPort": "run"}
        )
    settings = {"durable": True, **settings}
    return {"name": PREFIX + name, "settings": settings, "nodes": nodes, "connections": connections}


def durable_chain(name: str, *nodes: Mapping[str, Any]) -> dict[str, Any]:
    return chain(PREFIX + name, *nodes, durable=True)


START = node("start", "trigger.manual")


def _sequence() -> Case:
    """Steps after one another; times, ids and random numbers go out, and come back."""
    document = durable_chain(
        "Sequence",
        START,
        effect("open", {"key": "{{ uuid() }}", "at": "{{ now() }}"}),
        node(
            "mix", "data.set", value={"lucky": "{{ random() }}", "ref": "{{ open.body.echo.key }}"}
        ),
        effect(
            "charge", {"key": "{{ uuid() }}", "ref": "{{ mix.ref }}", "lucky": "{{ mix.lucky }}"}
        ),
        node("pause", "logic.wait", duration=NAP),
        effect("close", {"at": "{{ now() }}", "ref": "{{ charge.body.echo.ref }}"}),
        node("reply", "cloud.response", body={"ref": "{{ mix.ref }}", "lucky": "{{ mix.lucky }}"}),
    )
    return Case("Sequence", document, 14)


def _branches() -> Case:
    """One way out of several."""
    document = wired(
        "Branches",
        [
            START,
            effect("look", {"n": "{{ start.n }}"}),
            node("large", "logic.if", condition="{{ look.body.echo.n > 2 }}"),
            node(
                "kind",
                "logic.switch",
                value="{{ start.kind }}",
                cases=[{"name": "gold", "value": "G"}, {"name": "silver", "value": "S"}],
            ),
            effect("gold", "{{ look.body.echo }}"),
            effect("silver", "{{ look.body.echo }}"),
            effect("other"),
            effect("small"),
            node("reply", "cloud.response", body="{{ start.kind }}"),
        ],
        *("start.started look", "look.done large", "large.true kind", "large.false small"),
        *("kind.gold gold", "kind.silver silver", "kind.default other"),
        *("gold.done reply", "silver.done reply", "other.done reply", "small.done reply"),
    )
    return Case("Branches", document, 5, {"n": 3, "kind": "S"})


def _loop(name: str, concurrency: int, writes: int) -> Case:
    """A loop whose steps call out."""
    document = wired(
        name,
        [
            START,
            node(
                "lines",
                "logic.forEach",
                items="{{ start.lines }}",
                concurrency=concurrency,
                result="{{ price.body.echo.n * 2 }}",
            ),
            effect("price", {"n": "{{ item }}", "key": "{{ uuid() }}"}, "price[{{ index }}]"),
            node("note", "data.set", value="{{ price.body.echo }}"),
            effect("total", "{{ lines.results }}"),
            node("reply", "cloud.response", body="{{ lines.results }}"),
        ],
        *("start.started lines", "lines.iteration price", "price.done note"),
        *("lines.completed total", "total.done reply"),
    )
    return Case(name, document, writes, {"lines": [1, 2, 3, 4]}, concurrent=concurrency > 1)


def _nested_loops() -> Case:
    """A loop in a loop."""
    document = wired(
        "NestedLoops",
        [
            START,
            node("rows", "logic.forEach", items="{{ start.rows }}", result="{{ row.body.echo }}"),
            node("cells", "logic.forEach", items="{{ item }}", result="{{ cell.body.echo.v }}"),
            effect("cell", {"v": "{{ item }}"}, "cell[{{ rows.index }}][{{ index }}]"),
            effect("row", "{{ cells.results }}", "row[{{ index }}]"),
            node("reply", "cloud.response", body="{{ rows.results }}"),
        ],
        *("start.started rows", "rows.iteration cells", "cells.iteration cell"),
        *("cells.completed row", "rows.completed reply"),
    )
    return Case("NestedLoops", document, 8, {"rows": [["a", "b"], ["c"]]})


def _try() -> Case:
    """A failure that is handled, and what follows in any case."""
    document = wired(
        "Try",
        [
            START,
            node("guard", "logic.try"),
            effect("begin"),
            effect("refused"),
            effect("never"),
            effect("sorry", {"code": "{{ guard.error.code }}"}),
            effect("clean", {"at": "{{ now() }}"}),
            effect("after"),
            node("reply", "cloud.response", body="{{ sorry.body.echo if sorry else 0 }}"),
        ],
        *("start.started guard", "guard.try begin", "begin.done refused", "refused.done never"),
        *("guard.catch sorry", "guard.finally clean", "guard.done after", "after.done reply"),
    )
    return Case("Try", document, 9)


def _retry() -> Case:
    """A step that is tried in vain, and steps that succeed together when tried again."""
    document = wired(
        "Retry",
        [
            START,
            effect("flaky", retry={"maxAttempts": 3, "delay": "400ms", "backoff": 1, "jitter": 0}),
            effect("fallback", {"after": "{{ flaky.error.attempts }}"}),
            node("upload", "logic.retry", maxAttempts=5, delay="400ms", backoff=1, jitter=0),
            effect("session", {"key": "{{ uuid() }}"}),
            effect("send", {"round": "{{ session.body.tries }}"}),
            effect("stored", {"round": "{{ send.body.echo.round }}"}),
            node("reply", "cloud.response", body="{{ send.body.echo.round }}"),
        ],
        *("start.started flaky", "flaky.failure fallback", "fallback.done upload"),
        *("upload.attempt session", "session.done send", "upload.done stored", "stored.done reply"),
    )
    return Case("Retry", document, 31)


def _merge_all() -> Case:
    """Branches at the same time, of which each has to arrive."""
    document = wired(
        "MergeAll",
        [
            START,
            effect("north", {"n": "{{ random() }}"}),
            node("rest", "logic.wait", duration=NAP),
            effect("north2", "{{ north.body.echo }}"),
            effect("south", {"key": "{{ uuid() }}"}),
            effect("south2", "{{ south.body.echo }}"),
            node("west", "data.set", value="{{ start.n + 1 }}"),
            node("meet", "logic.merge", mode="all"),
            effect("total", {"n": "{{ west }}", "key": "{{ south2.body.echo.key }}"}),
            node("reply", "cloud.response", body="{{ west }}"),
        ],
        *("start.started north", "north.done rest", "rest.done north2", "north2.done meet"),
        *("start.started south", "south.done south2", "south2.done meet"),
        *("start.started west", "west.done meet", "meet.done total", "total.done reply"),
    )
    return Case("MergeAll", document, 15, {"n": 41}, concurrent=True)


def _merge_any() -> Case:
    """A race: one branch has done a step when the other arrives."""
    document = wired(
        "MergeAny",
        [
            START,
            effect("slow"),
            node("age", "logic.wait", duration="1h"),
            effect("late"),
            effect("fast"),  # is answered once `slow` has been for a while
            effect("fast2", "{{ fast.body.echo }}"),
            node("first", "logic.merge", mode="any"),
            effect("use", {"won": "{{ 'fast' if fast2 else 'slow' }}"}),
            node("reply", "cloud.response", body="{{ 'fast' if fast2 else 'slow' }}"),
        ],
        *("start.started slow", "slow.done age", "age.done late", "late.done first"),
        *("start.started fast", "fast.done fast2", "fast2.done first"),
        *("first.done use", "use.done reply"),
    )
    return Case("MergeAny", document, 8, concurrent=True)


def _early_response() -> Case:
    """Work that goes on after the answer."""
    document = durable_chain(
        "EarlyResponse",
        START,
        effect("check", {"key": "{{ uuid() }}"}),
        node("ack", "cloud.response", status=202, body={"key": "{{ check.body.echo.key }}"}),
        effect("work"),
        node("pause", "logic.wait", duration=NAP),
        effect("work2", {"key": "{{ check.body.echo.key }}"}),
    )
    return Case("EarlyResponse", document, 11)


def _call() -> Case:
    """A call of a workflow that waits."""
    document = durable_chain(
        "Call",
        START,
        effect("before"),
        node("child", "workflow.call", workflow=PREFIX + "Child", input={"n": "{{ start.n }}"}),
        effect("after", "{{ child }}"),
        node("reply", "cloud.response", body="{{ child }}"),
    )
    return Case("Call", document, 20, {"n": 5}, others=(CHILD,))


CHILD = durable_chain(
    "Child",
    START,
    effect("childs", {"n": "{{ start.n }}"}),
    node("nap", "logic.wait", duration=NAP),
    effect("childs2", {"n": "{{ start.n }}"}),
    node("answer", "cloud.response", body={"n": "{{ start.n + 1 }}"}),
)


def _fire_and_forget() -> Case:
    """A call of a workflow whose end is not waited for."""
    document = durable_chain(
        "FireAndForget",
        START,
        effect("before"),
        node("child", "workflow.call", workflow=PREFIX + "Child", input={"n": 1}, wait=False),
        effect("after"),
        node("pause", "logic.wait", duration="1s"),
        node("reply", "cloud.response", body="done"),
    )
    return Case("FireAndForget", document, 20, others=(CHILD,), concurrent=True)


def _webhook() -> Case:
    """A person answers by the link of a mail."""
    form = {
        "fields": [{"name": "note", "type": "string"}],
        "actions": [{"value": "approve"}, {"value": "reject"}],
    }
    document = durable_chain(
        "Webhook",
        START,
        effect("mail", {"link": "{{ resumeUrl('approval') }}", "ref": "{{ uuid() }}"}),
        node("ack", "cloud.response", status=202, body="wait"),
        node("approval", "logic.wait", webhook={"form": form}, timeout="2d"),
        effect("ship", {"action": "{{ approval.action }}", "note": "{{ approval.body.note }}"}),
        node("pause", "logic.wait", duration=NAP),
        effect("tell", {"note": "{{ approval.body.note }}"}),
    )
    return Case("Webhook", document, 16, answer={"$action": "approve", "note": "go"})


def _waits_in_a_loop() -> Case:
    """Each iteration waits; two at a time."""
    document = wired(
        "WaitsInALoop",
        [
            START,
            node(
                "days",
                "logic.forEach",
                items=[1, 2, 3],
                concurrency=2,
                result="{{ remind2.status }}",
            ),
            effect("remind", {"day": "{{ item }}"}, "remind[{{ index }}]"),
            node("sleep", "logic.wait", duration=NAP),
            effect("remind2", {"day": "{{ item }}"}, "remind2[{{ index }}]"),
            effect("done", "{{ days.results }}"),
            node("reply", "cloud.response", body="{{ days.results }}"),
        ],
        *("start.started days", "days.iteration remind", "remind.done sleep", "sleep.done remind2"),
        *("days.completed done", "done.done reply"),
    )
    return Case("WaitsInALoop", document, 19, concurrent=True)


def _condition() -> Case:
    """It asks until the answer fits."""
    document = durable_chain(
        "Condition",
        START,
        effect("order"),
        node(
            "paid",
            "logic.wait",
            condition="{{ response.body.ready }}",
            poll={
                "method": "POST",
                "url": "{{ vars.site }}/ready",
                "headers": {"X-Execution": "{{ execution.id }}", "X-Step": "paid"},
                "interval": NAP,
                "backoff": 1,
            },
            timeout="1m",
        ),
        effect("ship", {"ready": "{{ paid.response.body.ready }}"}),
        node("reply", "cloud.response", body="{{ paid.response.body.ready }}"),
    )
    return Case("Condition", document, 12, asks=frozenset({"paid"}))


def _dead_letter() -> Case:
    """A failure that nobody handles."""
    document = durable_chain(
        "DeadLetter",
        START,
        effect("begin", {"key": "{{ uuid() }}"}),
        node("pause", "logic.wait", duration=NAP),
        effect("refused", "{{ begin.body.echo }}"),
        effect("never"),
    )
    return Case("DeadLetter", document, 10, ends="error")


MAKERS: tuple[Callable[[], Case], ...] = (
    _sequence,
    _branches,
    lambda: _loop("Loop", 1, 16),
    lambda: _loop("ConcurrentLoop", 3, 15),
    _nested_loops,
    _try,
    _retry,
    _merge_all,
    _merge_any,
    _early_response,
    _call,
    _fire_and_forget,
    _webhook,
    _waits_in_a_loop,
    _condition,
    _dead_letter,
)
CASES = {case.name: case for case in [make() for make in MAKERS]}
