"""Implementations of data.transform, one function for each operation.

The names shadow builtins on purpose: generated code reads `transform.map`, `transform.filter`.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from json import dumps
from typing import Any, Literal, cast

from nodegx.runtime.errors import FatalError
from nodegx.runtime.messages import describe_type

from . import paths

ItemFunction = Callable[[Any, int], Any]
Reducer = Callable[[Any, Any, int], Any]


def map(input: Any, expression: ItemFunction) -> list[Any]:
    """What `expression` makes of each element."""
    return [expression(item, index) for index, item in enumerate(_elements("map", input))]


def filter(input: Any, condition: ItemFunction) -> list[Any]:
    """The elements for which `condition` is true."""
    elements = enumerate(_elements("filter", input))
    return [item for index, item in elements if condition(item, index)]


def reduce(input: Any, reducer: Reducer, *, initial: Any = None) -> Any:
    """The last of the accumulators that `reducer` makes, beginning with `initial`."""
    accumulator = initial
    for index, item in enumerate(_elements("reduce", input)):
        accumulator = reducer(accumulator, item, index)
    return accumulator


def sort(input: Any, *, key: ItemFunction | None = None, descending: bool = False) -> list[Any]:
    """The elements in order of `key`; equal ones keep their order, nulls come last."""
    elements = _elements("sort", input)
    keys = elements if key is None else [key(item, index) for index, item in enumerate(elements)]
    null_rank = -1 if descending else 1
    ranked = [(_rank(value, null_rank), item) for value, item in zip(keys, elements, strict=True)]
    try:
        ranked.sort(key=_first, reverse=descending)
    except TypeError:
        kinds = ", ".join(sorted({describe_type(value) for value in keys}))
        raise FatalError(
            f"cannot sort values of different kinds by each other: {kinds}", code="transform.order"
        ) from None
    return [item for _, item in ranked]


def group(
    input: Any, *, key: ItemFunction | None = None, form: Literal["object", "list"] = "object"
) -> Any:
    """The elements by `key`, as an object of lists, or a list of `key` and `items`."""
    groups: dict[Any, tuple[Any, list[Any]]] = {}
    for index, item in enumerate(_elements("group", input)):
        value = item if key is None else key(item, index)
        groups.setdefault(_identity(value), (value, []))[1].append(item)
    if form == "list":
        return [{"key": value, "items": items} for value, items in groups.values()]
    named: dict[str, list[Any]] = {}
    for value, items in groups.values():  # 1 and "1" have the same name: their groups unite
        named.setdefault(value if isinstance(value, str) else _canonical(value), []).extend(items)
    return named


def unique(input: Any, *, key: ItemFunction | None = None) -> list[Any]:
    """The first element of each that are equal, or whose `key` is equal."""
    seen: builtins.set[Any] = builtins.set()
    kept: list[Any] = []
    for index, item in enumerate(_elements("unique", input)):
        identity = _identity(item if key is None else key(item, index))
        if identity not in seen:
            seen.add(identity)
            kept.append(item)
    return kept


def flatten(input: Any, *, depth: int = 1) -> list[Any]:
    """The elements, with lists among them opened, `depth` levels deep."""
    elements = _elements("flatten", input)
    for _ in range(depth):
        if not any(isinstance(item, list) for item in elements):
            break
        flat: list[Any] = []
        for item in elements:
            if isinstance(item, list):
                flat.extend(cast("list[Any]", item))
            else:
                flat.append(item)
        elements = flat
    return elements


def query(input: Any, query: str) -> Any:
    """What a JMESPath expression finds."""
    return paths.search(query, input)


def path(input: Any, path: str) -> list[Any]:
    """All values that a JSONPath finds."""
    return paths.find_all(path, input)


def _elements(operation: str, input: Any) -> list[Any]:
    if isinstance(input, list | tuple):
        return list(cast("list[Any]", input))
    raise FatalError(
        f"`{operation}` needs a list, not {describe_type(input)}", code="transform.input"
    )


def _first(pair: tuple[Any, Any]) -> Any:
    return pair[0]


def _rank(value: Any, null_rank: int) -> tuple[Any, ...]:
    """A value that sorts as `value` does, with null before (-1) or after (1) everything else."""
    if value is None:
        return (null_rank,)
    if isinstance(value, list | tuple):
        return (0, [_rank(part, null_rank) for part in cast("list[Any]", value)])
    return (0, value)


def _identity(value: Any) -> Any:
    """Something hashable, equal for equal JSON only: Python's 1 == True and 1 == 1.0 would mix
    numbers up with booleans."""
    if isinstance(value, bool):
        return ("boolean", value)
    if value is None or isinstance(value, str | int | float):
        return value
    return ("json", _canonical(value))


def _canonical(value: Any) -> str:
    return dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
