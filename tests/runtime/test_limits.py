from __future__ import annotations

import asyncio

import pytest
from nodegx.runtime.limits import Gate

pytestmark = pytest.mark.filterwarnings("error")


async def test_a_gate_admits_in_order_and_never_too_many() -> None:
    gate = Gate(2)
    order: list[int] = []
    peak = 0

    async def visit(number: int) -> None:
        nonlocal peak
        await gate.enter()
        order.append(number)
        peak = max(peak, gate.active)
        await asyncio.sleep(0.001)
        gate.leave()

    await asyncio.gather(*(visit(number) for number in range(9)))
    assert order == list(range(9))
    assert peak == 2
    assert (gate.active, gate.waiting) == (0, 0)


async def test_who_gives_up_leaves_the_line() -> None:
    gate = Gate(1)
    await gate.enter()
    first = asyncio.ensure_future(gate.enter())
    second = asyncio.ensure_future(gate.enter())
    await asyncio.sleep(0)
    assert gate.waiting == 2
    first.cancel()
    gate.leave()
    await second
    with pytest.raises(asyncio.CancelledError):
        await first
    assert gate.active == 1
    gate.leave()
    assert (gate.active, gate.waiting) == (0, 0)


async def test_a_place_given_at_the_moment_of_giving_up_is_passed_on() -> None:
    gate = Gate(1)
    await gate.enter()
    first = asyncio.ensure_future(gate.enter())
    second = asyncio.ensure_future(gate.enter())
    await asyncio.sleep(0)
    gate.leave()  # for the first, which is cancelled before it notices
    first.cancel()
    await second
    with pytest.raises(asyncio.CancelledError):
        await first
    gate.leave()
    assert gate.active == 0


async def test_without_a_limit_everybody_enters() -> None:
    gate = Gate(None)
    for _ in range(100):
        await gate.enter()
    assert gate.active == 100


def test_a_gate_outlives_its_event_loop() -> None:
    gate = Gate(1)

    async def use() -> None:
        async def visit() -> None:
            await gate.enter()
            await asyncio.sleep(0)
            gate.leave()

        await asyncio.gather(visit(), visit())

    asyncio.run(use())
    asyncio.run(use())
    assert gate.active == 0
