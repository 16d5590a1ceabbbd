"""Operations on many executions: which ones, what came of each, and what is shown of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from nodegx.runtime.durable.operations import (
    ACTIONS,
    Filter,
    Target,
    TriggerPort,
    apply,
    find,
    select,
)
from nodegx.runtime.durable.operations.shown import result_data, run_data, run_detail
from nodegx.runtime.durable.state import Entry, Kind, RunState, RunStatus, Wait
from nodegx.runtime.durable.store import Append
from nodegx.runtime.errors import StoreUnavailable

from tests.support.operated import Works, works

MANUAL = TriggerPort("trigger.manual", {})


def state(number: int, status: RunStatus = RunStatus.FAILED, **changes: Any) -> RunState:
    error = json.dumps({"message": "down", "code": "http.status" if number % 2 else "timeout"})
    fields: dict[str, Any] = {
        "workflow": "/Pay",
        "durable": False,
        "error": error if status is RunStatus.FAILED else None,
        "secret": "s3cr3t",
        **changes,
    }
    workflow = fields.pop("workflow")
    return RunState(
        f"{number:04}", workflow, "r1", "start", "trigger.manual", "1", float(number),
        status=status, **fields,
    )  # fmt: skip


async def kept(host: Works, *states: RunState) -> None:
    assert all(host.store.create(states))


async def test_filters(tmp_path: Path) -> None:
    async with works(tmp_path) as host:
        await kept(
            host,
            *(state(number) for number in range(6)),
            state(6, workflow="/Other"),
            state(7, RunStatus.WAITING),
        )

        def ids(**conditions: Any) -> list[int]:
            return [int(each.id) for each in select(host.store, Filter(**conditions))]

        assert ids() == list(range(8))
        assert ids(workflow="/Other") == [6]
        assert ids(statuses=(RunStatus.WAITING, RunStatus.QUEUED)) == [7]
        assert ids(since=2.0, until=4.0) == [2, 3]
        assert ids(error_code="http.status") == [1, 3, 5]
        assert ids(ids=("0004", "0001", "9999")) == [1, 4]
        assert ids(ids=()) == []
        assert ids(ids=("0004", "0001"), error_code="timeout") == [4]
        (first, *_) = select(host.store, Filter(), limit=2)
        assert first == ("0000", "/Pay", RunStatus.FAILED, 0.0, "down")


async def test_pages(tmp_path: Path) -> None:
    async with works(tmp_path) as host:
        await kept(host, *(state(number) for number in range(500)))
        wanted = Filter(error_code="http.status")
        found, after = find(host.store, wanted, limit=100)
        assert (len(found), after) == (100, found[-1].id)
        more, after = find(host.store, wanted, limit=150, after=after)
        assert (len(more), after) == (150, None)
        assert [int(each.id) for each in [*found, *more]] == list(range(1, 500, 2))
        assert len(select(host.store, Filter())) == 500
        chosen = [f"{number:04}" for number in range(0, 500, 1)]
        assert len(select(host.store, Filter(ids=tuple(chosen)))) == 500


async def test_each_has_its_own_outcome(tmp_path: Path) -> None:
    async with works(tmp_path) as host:
        await kept(host, state(1), state(2, RunStatus.WAITING), state(3))
        results = list(apply(host.operator(), "discard", ["0001", "0002", "none", "0003"]))
        assert [result.error is None for result in results] == [True, False, False, True]
        assert result_data(results[0]) == {
            "id": "0001",
            "action": "discard",
            "executionId": "0001",
            "status": "error",
            "note": None,
        }
        assert result_data(results[1]) == {
            "id": "0002",
            "error": "It is waiting, not failed; cancel it to end it",
            "code": "execution.state",
        }
        assert [each.id for each in select(host.store, Filter())] == ["0002"]


async def test_long_work_is_no_dead_host(tmp_path: Path) -> None:
    async with works(tmp_path) as host:
        await kept(host, *(state(number) for number in range(6)))
        beats: list[float] = []
        beat, clock = host.store.beat, iter(range(0, 1000, 5))

        def beaten(seconds: float) -> None:
            beats.append(seconds)
            beat(seconds)

        host.store.beat = beaten  # type: ignore[method-assign]
        operator = host.operator(clock=lambda: float(next(clock)))
        ids = [f"{number:04}" for number in range(6)]
        assert all(each.outcome for each in apply(operator, "discard", ids, lease=30.0))
        assert beats
        assert set(beats) == {30.0}


async def test_what_cannot_be_reached_ends_it(tmp_path: Path) -> None:
    async with works(tmp_path) as host:
        await kept(host, state(1), state(2))

        def unplugged(id: str) -> Any:
            raise StoreUnavailable("The cable is out")

        host.store.load = unplugged  # type: ignore[method-assign]
        with pytest.raises(StoreUnavailable):
            list(apply(host.operator(), "discard", ["0001", "0002"]))


async def test_dead_letters_are_redriven_as_they_can_be(tmp_path: Path) -> None:
    async with works(tmp_path) as host:
        await kept(host, state(1), state(2, durable=True), state(3, RunStatus.WAITING))
        operator = host.operator(
            target=lambda name, _: Target(name, "r2", False, {"start": MANUAL}),
        )
        chosen = select(host.store, Filter(statuses=ACTIONS["redrive"].statuses))
        first, second = apply(operator, "redrive", [each.id for each in chosen])
        assert first.outcome is not None
        assert second.outcome is not None
        assert (first.outcome.action, first.outcome.state) == ("retry", "queued")
        assert host.state(first.outcome.execution).revision == "r2"
        assert second.outcome == ("0002", "resume", "0002", "waiting", "")
        assert host.state("0002").revision == "r1"


async def test_what_is_shown(tmp_path: Path) -> None:
    waits = (
        Wait("rest!answer", "time", 100.0),
        Wait("pay[1]!2!answer", "retry", 50.5, {"step": "pay[1]", "attempt": 3}),
        Wait("call!answer", "call", None, {"execution": "0042"}),
        Wait(
            "approve!answer",
            "webhook",
            None,
            {
                "step": "approve",
                "webhook": {"auth": {"key": "geheim"}, "form": {"title": "Approve"}},
            },
        ),
    )
    async with works(tmp_path) as host:
        audit = ({"at": "2026-11-28T09:00:00Z", "by": "ann", "action": "resume"},)
        made = state(1, RunStatus.WAITING, durable=True, waits=waits, due=50.5, audit=audit)
        await kept(host, made)
        value = '{"card":"4111"}'
        entries = [
            Entry(f"step[{number}]", Kind.RESULT, value, number, started=1.0, duration=0.5)
            for number in range(1, 31)
        ]
        host.store.change([Append(made.id, made.fence, entries)])
        found = host.store.load(made.id)
        assert found is not None
        data = run_detail(found)
        assert data["waits"] == [
            {"step": "rest", "kind": "time", "due": "1970-01-01T00:01:40.000Z"},
            {"step": "pay[1]", "kind": "retry", "due": "1970-01-01T00:00:50.500Z", "attempt": 3},
            {"step": "call", "kind": "call", "due": None, "execution": "0042"},
            {
                "step": "approve",
                "kind": "webhook",
                "due": None,
                "method": "POST",
                "form": "Approve",
            },
        ]
        assert data["audit"] == list(audit)
        journal = data["journal"]
        assert (journal["entries"], journal["steps"]) == (30, 30)
        assert [each["number"] for each in journal["latest"]] == list(range(11, 31))
        assert run_data(found.state).items() <= data.items()
        text = json.dumps(data)
        assert not [secret for secret in ("s3cr3t", "geheim", "4111") if secret in text]
