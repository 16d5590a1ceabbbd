"""Fork: new executions begin with what others have done."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.durable.operations import Edited, Given, Refusal, fork, go_on
from nodegx.runtime.durable.operations.fork import UNFINISHED, before
from nodegx.runtime.durable.state import Entry, Kind, RunStatus
from nodegx.runtime.durable.store import RunQuery
from nodegx.runtime.errors import FatalError, StoreUnavailable
from nodegx.runtime.history.record import Status
from nodegx.runtime.history.store import Query
from nodegx.runtime.nodes import http, python
from nodegx.runtime.nodes.http_response import Response
from nodegx.runtime.values import WaitResult

from tests.support.loopback import Answer, loopback
from tests.support.operated import Works, works

FIRST = Node("first", "code.python")
SECOND = Node("second", "code.python")
THIRD = Node("third", "code.python")
FETCH = Node("fetch", "http.request")
SCORE = Node("score", "code.python")
LOOP = Node("loop", "logic.forEach")
APPROVE = Node("approve", "logic.wait")
CALL = Node("call", "workflow.call")
BOTH = Node("both", "logic.merge")
ANSWER = Node("answer", "cloud.response")


class Work:
    """Steps that note what they were given, and may fail."""

    def __init__(self) -> None:
        self.done: list[Any] = []
        self.failing: set[str] = set()

    async def do(self, name: str, value: Any = None) -> Any:
        self.done.append((name, value))
        if name in self.failing:
            raise FatalError(f"{name} is broken", code="broken", details={"at": name})
        return f"{name}:{value}"


def three(work: Work) -> Any:
    @workflow("/Three", durable=True)
    async def handler(run: Run) -> None:
        first = await run.step(FIRST, work.do, "first", run.trigger)
        second = await run.step(SECOND, work.do, "second", first)
        third = await run.step(THIRD, work.do, "third", [second, run.trigger])
        await run.respond(ANSWER, body=third)

    handler.revision = "rev-1"
    return handler


@pytest.mark.parametrize("state", ["failed", "succeeded"])
async def test_what_was_done_before_is_not_done_again(tmp_path: Path, state: str) -> None:
    work = Work()
    handler = three(work)
    async with works(tmp_path, handler) as host:
        if state == "failed":
            work.failing.add("third")
        old = await host.start(handler, 1)
        before, left = host.record(old), host.store.load(old)
        work.failing.clear()
        work.done.clear()
        handler.revision = "rev-2"
        outcome = fork(host.operator(), old, "third", edited=Edited(2))
        new = host.state(outcome.execution)
        assert (outcome.id, new.revision, new.status) == (old, "rev-2", RunStatus.WAITING)
        assert host.woken == [new.id]
        assert host.record(new.id).status is Status.WAITING
        await host.drive()
        assert host.answer_of(new.id) == "third:['second:first:1', 2]"
        assert [name for name, _ in work.done] == ["third"]
        (made,) = host.audit(new.id)
        assert (made["action"], made["of"], made["step"], made["edited"]) == (
            "fork",
            old,
            "third",
            True,
        )
        if state == "failed":
            assert host.store.load(old) == left, "the original is as it was"
        else:
            assert host.audit(old)[0]["execution"] == new.id
        assert host.record(old).output == before.output


async def test_a_loop_goes_on_in_the_middle(tmp_path: Path) -> None:
    work = Work()

    @workflow("/Loop", durable=True)
    async def loop(run: Run) -> None:
        async def body(run: Run, item: int, index: int) -> Any:
            return await run.step(FIRST, work.do, "first", item)

        result = await run.for_each(LOOP, [10, 20, 30], body)
        await run.respond(ANSWER, body=result.results)

    async with works(tmp_path, loop) as host:
        old = await host.start(loop)
        for step, again in (("first[1]", [20, 30]), ("first", [10, 20, 30]), ("answer", [])):
            work.done.clear()
            new = fork(host.operator(), old, step).execution
            await host.drive()
            assert host.answer_of(new) == ["first:10", "first:20", "first:30"]
            assert [item for _, item in work.done] == again


async def test_results_come_back_as_their_types(tmp_path: Path) -> None:
    work = Work()
    seen: list[Any] = []

    def score(value: int) -> tuple[str, int]:
        return "high", value

    @workflow("/Types", durable=True)
    async def types(run: Run) -> None:
        fetched = await run.step(FETCH, http.request, "GET", f"{run.trigger}/data")
        chosen = await run.step(SCORE, python.routed(score, "high", "low"), fetched.body["n"])
        run.switch(SCORE, chosen.port)
        approved = await run.wait(APPROVE, webhook={"method": "POST"})
        seen.append((fetched, chosen, approved))
        try:
            await run.step(SECOND, work.do, "second")
        except Exception as error:
            seen.append(run.caught(SECOND, error))
        await run.step(THIRD, work.do, "third")

    work.failing.add("second")
    with loopback() as site:
        site.at("/data", Answer(200, {"n": 7}))
        async with works(tmp_path, types) as host:
            old = await host.start(types, site.url)
            go_on(host.operator(), old, answer=Given({"action": "yes"}))
            await host.drive()
            assert host.record(old).status is Status.SUCCESS
            first, info = seen
            seen.clear()
            work.done.clear()
            fork(host.operator(), old, "third")
            await host.drive()
            assert seen == [first, info]
            assert work.done == [("third", None)]
            fetched, chosen, approved = seen[0]
            assert (type(fetched), type(chosen), type(approved)) == (
                Response,
                python.CodeResult,
                WaitResult,
            )
            assert len(site.seen) == 1


async def test_a_wait_has_a_link_of_its_own(tmp_path: Path) -> None:
    links: list[str] = []

    @workflow("/Approve", durable=True)
    async def approve(run: Run) -> None:
        await run.step(FIRST, Work().do, "first")
        links.append(run.resume_url(APPROVE))
        found = await run.wait(APPROVE, webhook={}, timeout=3600)
        await run.respond(ANSWER, body=found.body)

    async with works(tmp_path, approve) as host:
        old = await host.start(approve)
        new = fork(host.operator(), old, "approve").execution
        await host.drive()
        assert old in links[0]
        assert new in links[1]
        assert links[0].rpartition("/")[2] != links[1].rpartition("/")[2]
        for id in (old, new):
            go_on(host.operator(), id, answer=Given(id))
        await host.drive()
        assert (host.answer_of(old), host.answer_of(new)) == (old, new)


async def test_what_had_not_ended_begins_anew(tmp_path: Path) -> None:
    """One branch waits for another execution while the other goes on to the step in question."""
    work = Work()

    @workflow("/Child", durable=True)
    async def child(run: Run) -> None:
        await run.wait(APPROVE, webhook={})
        await run.respond(ANSWER, body="child done")

    @workflow("/Parent", durable=True)
    async def parent(run: Run) -> None:
        called: list[Any] = []

        async def one() -> bool:
            called.append(await run.call(CALL, "/Child"))
            return True

        async def other() -> bool:
            await run.step(FIRST, work.do, "first")
            await run.step(SECOND, work.do, "second")
            return True

        await run.all(BOTH, one(), other())
        await run.respond(ANSWER, body=called)

    async with works(tmp_path, child, parent) as host:
        old = await host.start(parent)
        await host.drive()
        new = fork(host.operator(), old, "second").execution
        await host.drive()
        (mine,) = host.store.list(RunQuery(parent=new))
        (original,) = host.store.list(RunQuery(parent=old))
        assert mine.id != original.id
        go_on(host.operator(), mine.id, answer=Given(None))
        await host.drive()
        assert host.answer_of(new) == ["child done"]
        assert [name for name, _ in work.done] == ["first", "second", "second"]


@pytest.mark.parametrize("gone", [False, True])
async def test_a_fork_that_was_cut_off_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gone: bool
) -> None:
    """The store cannot be written for a moment; or not again, as if the operator had died."""
    work = Work()
    handler = three(work)
    work.failing.add("third")
    async with works(tmp_path, handler) as host:
        old = await host.start(handler, 1)

        def unplugged(*_: Any) -> Any:
            raise StoreUnavailable("The cable is out")

        with monkeypatch.context() as patch:
            patch.setattr(host.store, "change", unplugged)
            if gone:
                patch.setattr(host.store, "delete", unplugged)
            with pytest.raises(StoreUnavailable):
                fork(host.operator(), old, "third")
        left = [each for each in host.store.list(RunQuery()) if each.id != old]
        recorded = host.history_store.list(Query()).records
        assert len(recorded) == len(left) + 1
        assert [each.revision for each in left] == ([UNFINISHED] if gone else [])


@pytest.mark.parametrize(
    ("settings", "trigger", "reason"),
    [
        ({"capture": "off"}, 1, "There is no execution"),
        ({"capture": "errors"}, 1, "The history has no steps of it"),
        (
            {"capture": "minimal"},
            1,
            "its step `first` came to cannot be used .* it was not recorded",
        ),
        ({"max_bytes": 200}, "x" * 500, "its step `first` came to cannot be used .* too long"),
        ({}, {"password": "geheim"}, "its step `first` came to .* parts of it are secret"),
    ],
)
async def test_what_the_history_has_not_as_it_was_is_refused(
    tmp_path: Path, settings: dict[str, Any], trigger: Any, reason: str
) -> None:
    async def same(value: Any) -> Any:
        return value

    @workflow("/Two", durable=True, **settings)
    async def two(run: Run) -> None:
        first = await run.step(FIRST, same, run.trigger)
        await run.step(SECOND, same, first)

    async with works(tmp_path, two) as host:
        old = await host.start(two, trigger)
        with pytest.raises(Refusal, match=f"(?s){reason}"):
            fork(host.operator(), old, "second")
        assert host.store.list(RunQuery()) == []


async def test_an_ambiguous_result_is_refused(tmp_path: Path) -> None:
    async def code(value: Any) -> Any:
        return {"port": "done", "value": value}

    @workflow("/Two", durable=True)
    async def two(run: Run) -> None:
        await run.step(FIRST, code, 1)
        await run.step(SECOND, code, 1)

    async with works(tmp_path, two) as host:
        old = await host.start(two)
        with pytest.raises(Refusal, match="the choice of an output, or an object that looks like"):
            fork(host.operator(), old, "second")


async def test_refusals(tmp_path: Path) -> None:
    work = Work()
    handler = three(work)

    @workflow("/Plain")
    async def plain(run: Run) -> None:
        await run.step(FIRST, work.do, "first")

    async with works(tmp_path, handler, plain) as host:
        old, other = await host.start(handler, 1), await host.start(plain)
        _refused(host, "nothing", "first", "There is no execution nothing")
        _refused(host, old, "thrid", "It has no step `thrid`; steps it has: `third`")
        _refused(host, old, "loop", "steps it has: `first`, `second`, `third`, `answer`")
        _refused(host, other, "first", "/Plain is not durable, so it can only start anew")
        record = host.record(old)
        record.steps[0].type = "ai.claude"
        host.history_store.write([], [record])
        _refused(host, old, "second", "results of ai.claude cannot be made again")
        record.steps *= 3000
        host.history_store.write([], [record])
        _refused(host, old, "second", "The history has no more than 10,000 steps, and so not all")
        assert host.store.list(RunQuery()) == []
        assert json.loads(host.record(old).audit or "[]") == []


def _refused(host: Works, id: str, step: str, message: str) -> None:
    with pytest.raises(Refusal, match=message):
        fork(host.operator(), id, step)


def entry(key: str, kind: Kind, number: int) -> Entry:
    return Entry(key, kind, "null", number, digest="d")


def test_the_journal_before_a_step() -> None:
    entries = [
        entry("a!answer", Kind.ANSWER, 0),
        entry("d!answer", Kind.ANSWER, 0),
        entry("!pass", Kind.DRAW, 0),
        entry("a!wait", Kind.WAIT, 1),
        entry("b!1", Kind.ATTEMPT, 2),
        entry("!1", Kind.ATTEMPT, 3),
        entry("a!resumeUrl", Kind.DRAW, 4),
        entry("a!uuid", Kind.DRAW, 5),
        entry("a", Kind.RESULT, 6),
        entry("d!child", Kind.DRAW, 7),
        entry("c!wait", Kind.WAIT, 8),
        entry("c!now", Kind.DRAW, 9),
        entry("m!winner", Kind.WINNER, 10),
        entry("b", Kind.FAILURE, 11),
        entry("c", Kind.RESULT, 12),
        entry("d", Kind.RESULT, 13),
    ]
    kept = before("c", entries)
    expected = ["a!answer", "a!wait", "b!1", "!1", "a!uuid", "a", "m!winner", "b"]
    assert [each.key for each in kept] == expected
    assert {each.digest for each in kept} == {""}
    assert entries[-1].digest == "d", "the original's is as it was"
