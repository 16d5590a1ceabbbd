"""Functions on arrays. None of them changes its argument."""

from __future__ import annotations

import builtins
from typing import Any

from .kinds import array, by, identity, number, order, text, whole
from .limits import MAX_RANGE, check_size, is_sequence, too_large, weighed, wrong
from .paths import get


def first(items: Any, default: Any = None) -> Any:
    """The first element, or the default."""
    return items[0] if items else default


def last(items: Any, default: Any = None) -> Any:
    """The last element, or the default."""
    return items[-1] if items else default


def unique(items: Any, path: Any = None) -> list[Any]:
    """Without repetitions, in the order of first appearance; compared by the value at a path."""
    read = by(path, get)
    found: dict[Any, Any] = {}
    source = array(items, "unique")
    for item, key in zip(source, weighed(map(read, source)), strict=True):
        found.setdefault(identity(key), item)
    return list(found.values())


def flatten(items: Any, depth: Any = 1) -> list[Any]:
    """Arrays inside the array dissolved, `depth` levels down."""
    result = array(items, "flatten")
    for _ in builtins.range(min(whole(depth, "flatten"), 100)):
        if not any(is_sequence(item) for item in result):
            break
        check_size(sum(len(item) for item in result if is_sequence(item)))
        flat: list[Any] = []
        for item in result:
            if is_sequence(item):
                flat.extend(item)
            else:
                flat.append(item)
        result = flat
    return list(result)


def pluck(items: Any, path: Any) -> list[Any]:
    """The value at a path of each element, null where it is missing."""
    return [get(item, path) for item in array(items, "pluck")]


def where(items: Any, path: Any, value: Any) -> list[Any]:
    """The elements that have this value at the path."""
    (wanted,) = map(identity, weighed([value]))
    source = array(items, "where")
    found = weighed(get(item, path) for item in source)
    return [item for item, key in zip(source, found, strict=True) if identity(key) == wanted]


def group_by(items: Any, path: Any) -> dict[str, list[Any]]:
    """The elements by the value at a path, rendered as text."""
    groups: dict[str, list[Any]] = {}
    source = array(items, "groupBy")
    for item, key in zip(source, weighed(get(item, path) for item in source), strict=True):
        groups.setdefault(text(key), []).append(item)
    return groups


def key_by(items: Any, path: Any) -> dict[str, Any]:
    """Each element by the value at a path, rendered as text; the last one wins."""
    return {key: group[-1] for key, group in group_by(items, path).items()}


def count_by(items: Any, path: Any) -> dict[str, int]:
    """How many elements have each value at a path, rendered as text."""
    return {key: len(group) for key, group in group_by(items, path).items()}


def sort(items: Any, reverse: Any = False) -> list[Any]:
    """Sorted: null, booleans, numbers, text, then the rest."""
    return _sorted(array(items, "sorted"), array(items, "sorted"), reverse)


def sort_by(items: Any, path: Any, descending: Any = False) -> list[Any]:
    """Sorted by the value at a path; equal elements keep their order."""
    source = array(items, "sortBy")
    return _sorted(source, [get(item, path) for item in source], descending)


def _sorted(items: list[Any], values: list[Any], descending: Any) -> list[Any]:
    keys = [order(value) for value in weighed(values)]
    places = sorted(builtins.range(len(items)), key=keys.__getitem__, reverse=bool(descending))
    return [items[place] for place in places]


def sum_by(items: Any, path: Any) -> int | float:
    """The sum of the numbers at a path; null and missing ones count nothing."""
    return sum(number(get(item, path), 0) for item in array(items, "sumBy"))


def reverse(items: Any) -> list[Any]:
    """In reverse order."""
    return array(items, "reverse")[::-1]


def chunk(items: Any, size: Any) -> list[list[Any]]:
    """Consecutive arrays of at most `size` elements."""
    length = whole(size, "chunk")
    if length < 1:
        raise wrong("chunk() takes a size of at least 1")
    source = array(items, "chunk")
    return [source[start : start + length] for start in builtins.range(0, len(source), length)]


def compact(items: Any) -> list[Any]:
    """Without null, false, 0 and empty elements."""
    return [item for item in array(items, "compact") if item]


def difference(items: Any, others: Any) -> list[Any]:
    """The elements that the other array does not have."""
    known = {identity(item) for item in weighed(array(others, "difference"))}
    source = weighed(array(items, "difference"))
    return [item for item in source if identity(item) not in known]


def intersection(items: Any, others: Any) -> list[Any]:
    """The elements that the other array has too."""
    known = {identity(item) for item in weighed(array(others, "intersection"))}
    source = weighed(array(items, "intersection"))
    return [item for item in source if identity(item) in known]


def range(start: Any, stop: Any = None, step: Any = 1) -> list[int]:
    """Whole numbers from `start` up to, without, `stop`; from 0 if there is only one argument.

    Raises:
        FatalError: there would be more than 100,000.
    """
    lower, upper = (0, start) if stop is None else (start, stop)
    numbers = [whole(value, "range") for value in (lower, upper, step)]
    if numbers[2] == 0:
        raise wrong("range() takes a step other than 0")
    wanted = builtins.range(*numbers)
    span = (wanted.stop - wanted.start) // wanted.step
    if span > MAX_RANGE:
        raise too_large(f"range() makes at most {MAX_RANGE:,} numbers")
    return list(wanted)
