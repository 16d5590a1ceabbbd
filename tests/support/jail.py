"""Runs compiled expressions in a process of their own, short of time and memory.

As a program: reads a JSON list of Python expressions, evaluates each against hostile values and
prints what became of them.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
from types import SimpleNamespace
from typing import Any

MEMORY = 1_500_000_000
"""Bytes of address space."""
SECONDS = 8
"""Processor time for one expression: some times what the slowest needs for all that it may build,
and nothing beside what it would need without limits."""
BUILTINS = (
    *("len", "min", "max", "sum", "any", "all", "abs", "round", "int", "bool", "list", "set"),
    *("zip", "enumerate"),
)


class SecretObject:
    """What a code node may have handed on. Its attributes are nobody's business."""

    password = "hunter2"

    def __repr__(self) -> str:
        return self.password

    def __format__(self, spec: str) -> str:
        return self.password


class TooSlow(BaseException):
    """An expression ran out of time."""


def hostile() -> dict[str, Any]:
    """The values that expressions see."""
    deep: Any = "end"
    deep_list: Any = "end"
    for _ in range(400):
        deep = {"x": deep}
        deep_list = [deep_list]
    return {
        "data": {"a": 1, "__class__": "just a key", "list": [1, 2, 3], "{0}": "x"},
        "text": "a" * 20_000,
        "items": [{"id": index, "n": str(index)} for index in range(5_000)],
        "pairs": [{"list": list(range(3_000))}, *({"list": []} for _ in range(3_000))],
        "number": 10**15,
        "nothing": None,
        "deep": deep,
        "deep_list": deep_list,
        "secret_object": SecretObject(),
        "item": {"item": 1},
        "index": 3,
    }


def _time_is_up(*_: object) -> None:
    raise TooSlow


def _evaluate(code: str, names: dict[str, Any]) -> str:
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        result = eval(code, dict(names), {})
        if "hunter2" in repr(type(result)) or (isinstance(result, str) and "hunter2" in result):
            return "leaked"
    except TooSlow:
        return "too slow"
    except MemoryError:
        return "out of memory"
    except Exception as error:
        return f"error: {type(error).__name__}"
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return f"value: {type(result).__name__}"


def main() -> None:
    """See above."""
    from nodegx.runtime import expressions as fx

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGVTALRM, _time_is_up)
    builtins = {name: getattr(__import__("builtins"), name) for name in BUILTINS}
    run = SimpleNamespace(
        vars={"x": "y"},
        env={"HOME": "/"},
        secrets={"KEY": "hunter2"},
        execution=SimpleNamespace(id="1", workflow="w", started="2026-01-01", attempt=1),
        now=lambda: "2026-01-01T00:00:00Z",
        uuid=lambda: "u",
        random=lambda: 0.5,
    )
    names = {"__builtins__": builtins, "fx": fx, "run": run, **hostile()}
    print(json.dumps([_evaluate(code, names) for code in json.load(sys.stdin)]))


if __name__ == "__main__":
    main()
