"""Paths into JSON: `a.b[0]["any key"]`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from .kinds import MISSING, type_of
from .limits import is_object, is_sequence, wrong

_STEP = re.compile(r"""\.?([^.\[\]]+)|\[(-?\d{1,9})\]|\[(?:"([^"]*)"|'([^']*)')\]""")
_MAX_PATH = 1_000


@lru_cache(maxsize=512)
def _steps(path: str) -> tuple[str | int, ...]:
    steps: list[str | int] = []
    at = 0
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None or len(path) > _MAX_PATH:
            raise wrong(f"{path[:60]!r} is not a path; write it like a.b[0]")
        name, index, *quoted = match.groups()
        if index is not None:
            steps.append(int(index))
        else:
            steps.append(next(key for key in (name, *quoted) if key is not None))
        at = match.end()
    return tuple(steps)


def _read(value: Any, path: Any) -> Any:
    if is_object(value) and isinstance(path, str) and path in value:
        return value[path]
    steps = _steps(path) if isinstance(path, str) else path if is_sequence(path) else (path,)
    for step in steps:
        value = _step(value, step)
        if value is MISSING:
            return MISSING
    return value


def _step(value: Any, step: Any) -> Any:
    if is_object(value):
        if not isinstance(step, str | int):
            raise wrong(f"a path is made of text and numbers, not of {type_of(step)}")
        return value.get(str(step), MISSING)
    if (is_sequence(value) or isinstance(value, str)) and isinstance(step, int):
        return value[step] if -len(value) <= step < len(value) else MISSING
    return MISSING


def get(value: Any, path: Any, default: Any = None) -> Any:
    """The value at a path, or the default where something on the way is missing.

    Args:
        value: JSON.
        path: text such as `a.b[0]`, one position, or a list of keys and positions.
        default: what stands for a missing value; a null that is there stays null.
    """
    found = _read(value, path)
    return default if found is MISSING else found


def has(value: Any, path: Any) -> bool:
    """Whether there is something, be it null, at a path."""
    return _read(value, path) is not MISSING
