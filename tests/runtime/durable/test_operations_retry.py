"""Retry: failed executions start anew with what they began with."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from nodegx.runtime import Node, Run, workflow
from nodegx.runtime.durable.operations import Edited, Operator, Outcome, Refusal, TriggerPort, retry
from nodegx.runtime.durable.state import RunStatus
from nodegx.runtime.durable.store import Finish
from nodegx.runtime.errors import FatalError, StoreUnavailable
from nodegx.runtime.history.record import ExecutionRecord, Status
from nodegx.runtime.nodes import data
from nodegx.runtime.triggers.inputs import InputError
from nodegx.runtime.triggers.request import WebhookRequest

from tests.support.operated import CODEC, Works, works

PAY = Node("pay", "code.python")
SAVE = Node("save", "data.set")
ANSWER = Node("answer", "cloud.response")

ORDER = {"id": "A-1", "card": "4111111111111111", "password": "geheim"}


class Shop:
    """A payment service that can be down, and what it was asked."""

    def __init__(self) -> None:
        self.down = True
        self.asked: list[Any] = []

    async def pay(self, order: Any) -> str:
        self.asked.append(order)
        if self.down:
            raise FatalError("The service is down", code="http.status")
        return "paid"


def payment(shop: Shop, **settings: Any) -> Any:
    @workflow("/Pay", **settings)
    async def handler(run: Run) -> None:
        await run.step(SAVE, data.set, 1)
        paid = await run.step(PAY, shop.pay, run.trigger)
        await run.respond(ANSWER, body=paid)

    handler.revision = "rev-1"
    return handler


async def test_a_dead_letter_starts_anew_with_its_complete_input(tmp_path: Path) -> None:
    shop = Shop()
    pay = payment(shop)
    async with works(tmp_path, pay) as host:
        old = await host.start(pay, ORDER)
        assert host.state(old).status is RunStatus.FAILED
        pay.revision = "rev-2"
        outcome = retry(host.operator(), old)
        assert (outcome.id, outcome.state) == (old, "queued")
        new = host.state(outcome.execution)
        assert new.status is RunStatus.QUEUED
        assert new.revision == "rev-2"
        assert host.woken == [new.id]
        assert host.record(new.id).status is Status.QUEUED
        assert host.store.load(old) is None, "the dead letter is resolved"
        shop.down = False
        await host.drive()
        assert host.record(new.id).status is Status.SUCCESS
        assert host.record(old).status is Status.ERROR
        assert shop.asked == [ORDER, ORDER], "nothing is redacted in it"
        (done,) = host.audit(old)
        assert done.pop("at").endswith("Z")
        assert done == {"by": "ann@desk", "action": "retry", "execution": new.id}
        (made,) = host.audit(new.id)
        assert (made["action"], made["of"], made["by"]) == ("retry", old, "ann@desk")


async def test_a_durable_one_starts_anew_too(tmp_path: Path) -> None:
    shop = Shop()
    pay = payment(shop, durable=True)
    async with works(tmp_path, pay) as host:
        old = await host.start(pay, ORDER)
        shop.down = False
        new = retry(host.operator(), old).execution
        assert host.keys(new) == []
        assert host.state(new).secret not in ("", "x")
        await host.drive()
        assert host.answer_of(new) == "paid"
        assert host.audit(new)[0]["of"] == old


async def test_an_edited_input_takes_its_place(tmp_path: Path) -> None:
    shop = Shop()
    pay = payment(shop)
    async with works(tmp_path, pay) as host:
        host.kinds["start"] = TriggerPort(
            "trigger.manual", {"inputs": [{"name": "id", "type": "string", "required": True}]}
        )
        old = await host.start(pay, ORDER)
        with pytest.raises(InputError, match="id: is required"):
            retry(host.operator(), old, edited=Edited({}))
        assert host.state(old).status is RunStatus.FAILED
        assert host.state(old).audit == ()
        new = retry(host.operator(), old, edited=Edited({"id": "B-2"})).execution
        assert CODEC.decode(host.state(new).input) == {"id": "B-2"}
        assert host.audit(old)[0]["edited"] is True


REQUEST = WebhookRequest("POST", "/o", {}, {}, {"a": "b"}, {"n": [1]}, "http://h/o", "127.0.0.1")


async def test_what_only_the_history_has_is_rebuilt(tmp_path: Path) -> None:
    shop = Shop()
    shop.down = False
    pay = payment(shop)
    async with works(tmp_path, pay) as host:
        host.kinds["start"] = TriggerPort("trigger.webhook", {"path": "/o"})
        old = await host.start(pay, REQUEST)
        assert host.store.load(old) is None
        new = retry(host.operator(), old).execution
        await host.drive()
        assert shop.asked == [REQUEST, REQUEST]
        assert type(shop.asked[1]) is WebhookRequest
        assert host.record(new).status is Status.SUCCESS
        with pytest.raises(Refusal, match=f"retried by ann@desk at .*, as {new}; ask for it again"):
            retry(host.operator(), old)
        assert retry(host.operator(), old, again=True).execution != new


@pytest.mark.parametrize(
    ("value", "settings", "reason"),
    [
        (ORDER, {}, "parts of it are secret"),
        ({"text": "x" * 5000}, {"max_bytes": 1000}, "too long to be recorded as a whole"),
        ({"x": 1}, {"capture": "minimal"}, "it was not recorded"),
        ({"x": b"1"}, {}, "there are bytes in it"),
        ({"x": Shop()}, {}, "has no JSON form"),
    ],
)
async def test_what_the_history_has_not_as_it_was_is_refused(
    tmp_path: Path, value: Any, settings: dict[str, Any], reason: str
) -> None:
    shop = Shop()
    shop.down = False
    pay = payment(shop, **settings)
    async with works(tmp_path, pay) as host:
        old = await host.start(pay, value)
        with pytest.raises(Refusal, match=f"{reason}.*; give it an edited input") as caught:
            retry(host.operator(), old)
        assert caught.value.code == "execution.input"
        assert retry(host.operator(), old, edited=Edited({"id": 1})).state == "queued"


def ended(id: str, **changes: Any) -> ExecutionRecord:
    fields: dict[str, Any] = {"finished": 2.0, "input": '{"a":1}', **changes}
    return ExecutionRecord(id, "/Pay", "start", fields.pop("status", Status.SUCCESS), 1.0, **fields)


async def test_refusals(tmp_path: Path) -> None:
    pay = payment(Shop())
    async with works(tmp_path, pay) as host:
        operator = host.operator()
        host.history_store.write(
            [],
            [
                ended("running", status=Status.RUNNING, finished=None),
                ended("gone", input="{}"),
                ended("version", input='{"method":"GET"}'),
                ended("cut", input='{"a":'),
            ],
        )
        failed = await host.start(pay, 1)
        _refused("execution.unknown", "There is no execution nothing", operator, "nothing")
        _refused("execution.state", "It is running; only what has ended", operator, "running")
        _refused("execution.input", "because it was not recorded as a whole", operator, "cut")
        host.kinds["start"] = TriggerPort("trigger.webhook", {})
        _refused("execution.input", "another version of this software", operator, "version")
        _refused("execution.code", "`start` was a trigger.manual and is a", operator, failed)
        host.kinds["start"] = TriggerPort("trigger.unheard", {})
        _refused("execution.input", "values of trigger.unheard cannot be made", operator, "gone")
        host.kinds.clear()
        _refused("execution.code", "has no trigger `start` any more", operator, "gone")
        nowhere = host.operator(target=lambda *_: None)
        _refused("execution.code", "The workflow /Pay is not there any more", nowhere, failed)
        assert host.state(failed).status is RunStatus.FAILED
        assert host.state(failed).audit == ()


def _refused(code: str, message: str, operator: Operator, id: str) -> None:
    with pytest.raises(Refusal, match=message) as caught:
        retry(operator, id)
    assert caught.value.code == code


async def test_unfinished_ones_are_not_retried(tmp_path: Path) -> None:
    @workflow("/Wait", durable=True)
    async def wait(run: Run) -> None:
        await run.wait(Node("wait", "logic.wait"), seconds=3600)

    async with works(tmp_path, wait) as host:
        waiting = await host.start(wait)
        _refused("execution.state", "It is waiting; only what has ended", host.operator(), waiting)


async def test_of_several_operators_one_wins(tmp_path: Path) -> None:
    shop = Shop()
    pay = payment(shop)
    async with works(tmp_path, pay) as host:
        old = await host.start(pay, 1)
        others = [Works(tmp_path, pay) for _ in range(4)]
        together = threading.Barrier(len(others))

        def operate(other: Works) -> Outcome | Refusal:
            together.wait()
            try:
                return retry(other.operator(), old)
            except Refusal as refusal:
                return refusal

        with ThreadPoolExecutor(len(others)) as threads:
            results = list(threads.map(operate, others))
        for other in others:
            other.close()
        (started,) = [each for each in results if isinstance(each, Outcome)]
        refused = {each.code for each in results if isinstance(each, Refusal)}
        assert refused <= {"execution.busy", "execution.state"}
        assert host.state(started.execution).status is RunStatus.QUEUED
        shop.down = False
        await host.drive()
        assert shop.asked == [1, 1]


async def test_what_was_cut_off_is_not_started_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop()
    pay = payment(shop)
    async with works(tmp_path, pay) as host:
        old = await host.start(pay, 1)
        change = host.store.change

        def unplugged(changes: Any) -> Any:
            if any(isinstance(each, Finish) for each in changes):
                raise StoreUnavailable("The cable is out")
            return change(changes)

        with monkeypatch.context() as patch:
            patch.setattr(host.store, "change", unplugged)
            with pytest.raises(StoreUnavailable):
                retry(host.operator(), old)
        assert host.state(old).status is RunStatus.FAILED
        started = [entry["execution"] for entry in host.state(old).audit]
        outcome = retry(host.operator("bob@desk"), old)
        assert [outcome.execution] == started
        assert outcome.note == "it had been retried already"
        assert host.store.load(old) is None
        assert [each["action"] for each in host.audit(old)] == ["retry", "resolved"]
        shop.down = False
        await host.drive()
        assert shop.asked == [1, 1]


async def test_before_it_is_on_record_nothing_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pay = payment(Shop())
    async with works(tmp_path, pay) as host:
        old = await host.start(pay, 1)

        def unplugged(*_: Any, **__: Any) -> None:
            raise StoreUnavailable("The disk is full")

        with monkeypatch.context() as patch:
            patch.setattr(host.history_store, "write", unplugged)
            with pytest.raises(StoreUnavailable):
                retry(host.operator(), old)
        assert host.state(old).status is RunStatus.FAILED
        new = retry(host.operator(), old).execution
        assert json.loads(host.record(new).audit or "")[0]["of"] == old
        assert host.store.load(new) is not None
