from __future__ import annotations

import asyncio
import threading

import pytest
from nodegx.runtime.errors import FatalError
from nodegx.runtime.nodes import python


def add(a: int, b: int = 1) -> int:
    return a + b


async def test_a_function_runs_in_a_thread() -> None:
    def where(name: str) -> tuple[str, bool]:
        return name, threading.current_thread() is threading.main_thread()

    assert await python.in_thread(where)("x") == ("x", False)
    assert await python.in_thread(add)(1, b=2) == 3


async def test_threads_do_not_hold_each_other_up() -> None:
    all_here = threading.Barrier(8)
    await asyncio.gather(*(python.in_thread(all_here.wait)(60) for _ in range(8)))


async def test_errors_come_through() -> None:
    with pytest.raises(ZeroDivisionError):
        await python.in_thread(lambda: 1 / 0)()


async def test_routed_results() -> None:
    async def score(value: int) -> tuple[str, int]:
        return ("high" if value > 5 else "low", value)

    routed = python.routed(score, "high", "low")
    assert await routed(7) == python.CodeResult("high", 7)
    assert (await routed(3)).port == "low"

    def plain() -> list[object]:
        return ["low", None]

    assert await python.routed(python.in_thread(plain), "high", "low")() == ("low", None)


@pytest.mark.parametrize(
    "result", [None, "high", ("other", 1), ("high",), ("high", 1, 2), (["high"], 1)]
)
async def test_results_that_name_no_output(result: object) -> None:
    with pytest.raises(FatalError, match='"high", "low"') as caught:
        await python.routed(lambda: result, "high", "low")()
    assert caught.value.code == "code.output"


def test_wrapped_functions_keep_their_name_and_signature() -> None:
    wrapped = python.routed(python.in_thread(add), "a")
    assert wrapped.__name__ == "add"
    assert wrapped.__wrapped__.__wrapped__ is add  # pyright: ignore[reportFunctionMemberAccess]
