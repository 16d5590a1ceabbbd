from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import pytest
from nodegx.runtime.arguments import named_arguments


def plain(first: Any, second: Any = 2, *, third: Any = 3) -> None: ...


def many(first: Any, *rest: Any) -> None: ...


@functools.wraps(plain)
def wrapper(*args: Any, **kwargs: Any) -> None: ...


class Thing:
    def method(self, first: Any) -> None: ...

    def __call__(self, first: Any, second: Any) -> None: ...


@pytest.mark.parametrize(
    ("fn", "args", "kwargs", "expected"),
    [
        (plain, (1,), {}, {"first": 1}),
        (plain, (1, 5), {"third": 6}, {"first": 1, "second": 5, "third": 6}),
        (plain, (), {"first": 1}, {"first": 1}),
        (many, (1, 2, 3), {}, {"first": 1, "1": 2, "2": 3}),
        (wrapper, (1, 2), {}, {"first": 1, "second": 2}),
        (functools.partial(plain, 9), (1,), {}, {"second": 1}),
        (Thing().method, (1,), {}, {"first": 1}),
        (Thing(), (1, 2), {}, {"first": 1, "second": 2}),
        (math.hypot, (3, 4), {}, {"0": 3, "1": 4}),
        (plain, (plain, len), {"third": Thing}, {"first": "<function plain>", "second": "<function len>", "third": "<function Thing>"}),
    ],
)  # fmt: skip
def test_arguments_have_the_names_of_the_parameters(
    fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert dict(sorted(named_arguments(fn, args, kwargs).items())) == dict(sorted(expected.items()))
