from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from nodegx.runtime import Node, Retry, Run
from nodegx.runtime.errors import FatalError, RetriableError

from tests.support.executions import execute

pytestmark = pytest.mark.filterwarnings("error")

WORK = Node("work", "data.set")
ITEMS = Node("items", "logic.forEach")
INNER = Node("inner", "logic.forEach")
JOIN = Node("join", "logic.merge")
BLOCK = Node("block", "logic.retry")
STOP = Node("stop", "logic.stop")
GUARD = Node("guard", "logic.try")


def echo(value: Any) -> Any:
    return value


class Log(list[str]):
    """What happened, in order."""

    async def doing(self, name: str, seconds: float = 0.0, error: Exception | None = None) -> str:
        """Notes start and end, or cancellation."""
        self.append(f"{name} starts")
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self.append(f"{name} cancelled")
            raise
        if error is not None:
            self.append(f"{name} fails")
            raise error
        self.append(f"{name} ends")
        return name


# --- concurrent branches --------------------------------------------------------------------------


async def test_all_runs_branches_at_the_same_time_and_waits_for_each() -> None:
    log = Log()

    async def handler(run: Run) -> None:
        async def slow() -> None:
            await log.doing("slow", 0.02)

        async def quick() -> None:
            await log.doing("quick")

        assert await run.all(slow(), quick()) is True

    await execute(handler)
    assert log == ["slow starts", "quick starts", "quick ends", "slow ends"]


async def test_all_tells_whether_a_branch_arrived() -> None:
    async def handler(run: Run) -> None:
        async def short() -> bool:
            return False

        async def arrives() -> None:
            await asyncio.sleep(0)

        assert await run.all(short(), arrives()) is True
        assert await run.all(short(), short()) is False
        assert await run.all() is False
        assert await run.any() is False
        assert await run.all(JOIN, short(), arrives()) is True
        assert await run.all(JOIN, short()) is False

    ran = await execute(handler)
    assert ran.trace == [("join", "success", "done")]


async def test_the_first_error_in_all_cancels_the_others_and_propagates() -> None:
    log = Log()

    async def handler(run: Run) -> None:
        async def slow() -> None:
            await run.step(WORK, log.doing, "slow", 5)

        async def failing() -> None:
            await log.doing("failing", 0.01, FatalError("no"))

        try:
            await run.all(slow(), failing())
        except Exception as exc:
            run.caught(GUARD, exc)

    ran = await execute(handler)
    assert log == ["slow starts", "failing starts", "failing fails", "slow cancelled"]
    assert ran.step("work").status == "cancelled"
    assert ran.record.status == "success"


async def test_branches_that_fail_together_lose_no_error() -> None:
    async def handler(run: Run) -> None:
        async def failing(message: str) -> None:
            try:
                await asyncio.sleep(0.01)
            finally:
                raise FatalError(message)

        await run.all(failing("one"), failing("two"))

    ran = await execute(handler)
    assert ran.error["message"] == "one"


async def test_any_goes_on_at_the_first_arrival_and_cancels_the_rest() -> None:
    log = Log()

    async def handler(run: Run) -> None:
        async def slow() -> None:
            await log.doing("slow", 5)

        async def quick() -> None:
            await log.doing("quick", 0.01)

        async def short() -> bool:
            return False

        assert await run.any(JOIN, slow(), short(), quick()) is True

    ran = await execute(handler)
    assert log == ["slow starts", "quick starts", "quick ends", "slow cancelled"]
    assert ran.trace == [("join", "success", "done")]


async def test_any_fails_only_if_nothing_arrives() -> None:
    async def handler(run: Run) -> None:
        async def failing(message: str, seconds: float) -> None:
            await asyncio.sleep(seconds)
            raise FatalError(message)

        async def arrives() -> None:
            await asyncio.sleep(0.02)

        async def short() -> bool:
            return False

        assert await run.any(JOIN, failing("one", 0), arrives()) is True
        assert await run.any(JOIN, short(), short()) is False
        await run.any(JOIN, failing("one", 0), failing("two", 0.02), short())

    ran = await execute(handler)
    assert ran.error["message"] == "two"


@pytest.mark.parametrize("how", ["all", "any", "for_each"])
async def test_a_stop_inside_a_branch_ends_the_whole_run(how: str) -> None:
    log = Log()

    async def handler(run: Run) -> None:
        async def stops() -> None:
            await asyncio.sleep(0.01)
            raise run.stop(STOP, message="done here")

        async def slow() -> None:
            await log.doing("slow", 5)

        async def body(run: Run, item: int, index: int) -> None:
            await (stops() if item else slow())

        if how == "for_each":
            await run.for_each(ITEMS, [0, 1], body, concurrency=2, on_item_error="continue")
        else:
            await getattr(run, how)(slow(), stops())
        log.append("went on")

    ran = await execute(handler)
    assert ran.record.status == "success"
    assert log == ["slow starts", "slow cancelled"]


@pytest.mark.parametrize("how", ["all", "any", "for_each"])
async def test_cancelling_an_execution_cancels_its_branches(how: str) -> None:
    log = Log()

    async def handler(run: Run) -> None:
        async def body(run: Run, item: str, index: int) -> None:
            await log.doing(item, 5)

        if how == "for_each":
            await run.for_each(ITEMS, ["a", "b"], body, concurrency=2)
        else:
            await getattr(run, how)(log.doing("a", 5), log.doing("b", 5))

    async def cancel(execution: Any) -> None:
        await asyncio.sleep(0.01)
        execution.cancel("enough")

    ran = await execute(handler, during=cancel)
    assert ran.record.status == "cancelled"
    assert log == ["a starts", "b starts", "a cancelled", "b cancelled"]
    assert ran.error["message"] == "enough"


async def test_a_cancelled_branch_may_take_its_time_to_clean_up() -> None:
    log = Log()

    async def handler(run: Run) -> None:
        async def tidy() -> None:
            try:
                await asyncio.sleep(5)
            finally:
                await log.doing("tidying", 0.02)

        async def failing() -> None:
            await asyncio.sleep(0)
            raise FatalError("no")

        await run.all(tidy(), failing())

    ran = await execute(handler)
    assert log == ["tidying starts", "tidying ends"]
    assert ran.error["message"] == "no"


# --- loops ----------------------------------------------------------------------------------------


async def test_for_each_keeps_the_order_of_its_results_whatever_ends_first() -> None:
    active = peak = 0

    async def handler(run: Run) -> None:
        async def body(run: Run, item: int, index: int) -> int:
            nonlocal active, peak
            active += 1
            peak = max(peak, active)
            await asyncio.sleep(0.001 * (5 - item))
            active -= 1
            return await run.step(WORK, echo, item * 10 + index)

        outcome = await run.for_each(ITEMS, [4, 1, 3, 0], body, concurrency=2)
        assert outcome.results == [40, 11, 32, 3]
        assert outcome.errors == []

    ran = await execute(handler)
    assert ran.record.status == "success"
    assert peak == 2
    assert sorted(step.id for step in ran.steps) == [
        "items",
        "work[0]",
        "work[1]",
        "work[2]",
        "work[3]",
    ]
    assert ran.step("items").port == "completed"
    assert json.loads(ran.step("items").input or "") == {"items": [4, 1, 3, 0], "concurrency": 2}
    assert json.loads(ran.step("items").output or "")["results"] == [40, 11, 32, 3]


async def test_for_each_in_batches_hands_over_lists() -> None:
    seen: list[Any] = []

    async def handler(run: Run) -> None:
        async def body(run: Run, item: Any, index: int) -> None:
            seen.append((index, item))

        await run.for_each(ITEMS, [1, 2, 3, 4, 5], body, batch_size=2)
        await run.for_each(ITEMS, (1, 2), body)
        await run.for_each(ITEMS, None, body)
        await run.for_each(ITEMS, [], body, concurrency=8)

    assert (await execute(handler)).record.status == "success"
    assert seen == [(0, [1, 2]), (1, [3, 4]), (2, [5]), (0, 1), (1, 2)]


async def test_loops_in_loops_carry_the_whole_path() -> None:
    async def handler(run: Run) -> None:
        async def outer(run: Run, item: list[int], index: int) -> None:
            async def inner(run: Run, item: int, index: int) -> None:
                await run.step(WORK, echo, item)

            await run.for_each(INNER, item, inner)

        await run.for_each(ITEMS, [[1], [2, 3]], outer)

    ran = await execute(handler)
    ids = [step.id for step in ran.steps]
    assert ids == ["items", "inner[0]", "work[0][0]", "inner[1]", "work[1][0]", "work[1][1]"]
    assert {step.node for step in ran.steps} == {"items", "inner", "work"}


async def test_an_iteration_that_fails_ends_the_loop() -> None:
    log = Log()

    async def handler(run: Run) -> None:
        async def body(run: Run, item: int, index: int) -> None:
            if item:
                await run.step(WORK, log.doing, "failing", 0.01, FatalError("no"))
            await run.step(WORK, log.doing, "slow", 5)

        try:
            await run.for_each(ITEMS, [0, 1, 0, 0], body, concurrency=2)
        except Exception as exc:
            error = run.caught(ITEMS, exc)
            assert (error.message, error.node) == ("no", "work")

    ran = await execute(handler)
    assert log == ["slow starts", "failing starts", "failing fails", "slow cancelled"]
    assert ran.trace == [
        ("items", "error", "failure"),
        ("work[0]", "cancelled", None),
        ("work[1]", "error", None),
    ]


async def test_a_loop_may_go_on_past_failed_iterations() -> None:
    async def handler(run: Run) -> None:
        async def body(run: Run, item: Any, index: int) -> Any:
            if item == 1:
                raise RetriableError("busy", code="test.busy")
            return await run.step(WORK, echo, item["x"])

        outcome = await run.for_each(
            ITEMS, [{"x": "a"}, 1, {}, {"x": "d"}], body, concurrency=3, on_item_error="continue"
        )
        assert outcome.results == ["a", None, None, "d"]
        assert [error["index"] for error in outcome.errors] == [1, 2]
        assert outcome.errors[0]["code"] == "test.busy"
        assert outcome.errors[1]["message"] == "`item` has no key 'x'"

    ran = await execute(handler)
    assert ran.record.status == "success"


@pytest.mark.parametrize(
    ("items", "options", "code"),
    [
        ({"a": 1}, {}, "forEach.items"),
        ("text", {}, "forEach.items"),
        (5, {}, "forEach.items"),
        ([1], {"concurrency": 0}, "forEach.count"),
        ([1], {"batch_size": "2"}, "forEach.count"),
        ([1], {"batch_size": True}, "forEach.count"),
    ],
)
async def test_for_each_refuses_what_it_cannot_loop_over(
    items: Any, options: dict[str, Any], code: str
) -> None:
    async def handler(run: Run) -> None:
        async def body(run: Run, item: Any, index: int) -> None:
            raise AssertionError

        await run.for_each(ITEMS, items, body, **options)

    ran = await execute(handler)
    assert ran.error["code"] == code
    assert ran.error["node"] == "items"


# --- retried blocks -------------------------------------------------------------------------------


async def test_a_block_is_repeated_until_it_succeeds() -> None:
    tries: list[str] = []

    async def handler(run: Run) -> None:
        async def attempt(run: Run) -> str:
            tries.append("try")
            await run.step(WORK, echo, len(tries))
            if len(tries) < 3:
                raise RetriableError("busy")
            return "done"

        assert await run.retry(BLOCK, attempt, Retry(attempts=4, delay=0.001)) == "done"

    ran = await execute(handler)
    assert [step.id for step in ran.steps] == ["block", "work", "work#2", "work#3"]
    assert ran.step("block").status == "success"


async def test_a_block_that_gives_up_fails_with_its_last_error() -> None:
    async def handler(run: Run) -> None:
        async def attempt(run: Run) -> None:
            value = run.trigger
            await run.step(WORK, echo, value["x"])

        try:
            await run.retry(BLOCK, attempt, Retry(attempts=2, delay=0.001, on=("fatal",)))
        except Exception as exc:
            error = run.caught(BLOCK, exc)
            assert error.message == "`value` has no key 'x'"

    ran = await execute(handler, {})
    assert ran.record.status == "success"
    assert ran.step("block").port == "failure"
