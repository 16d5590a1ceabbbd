"""The part of JSONPath with which workflows name what the history must not keep.

`$.a.b`, `$['a']`, `$.a[0]`, `$.a[-1]`, `$.a[*].b`, `$.*`, `$..card`, `$..*`. Filters, slices and
unions belong to queries, not here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple, cast


class _All:
    """The selector `*`."""


ALL: Final = _All()


class Segment(NamedTuple):
    """One step of a path; `anywhere` for `..`, which looks at all descendants."""

    select: str | int | _All
    anywhere: bool


class Path(NamedTuple):
    """A compiled path. `needle` occurs in the JSON text of every value the path can match in;
    None where nothing can be said."""

    segments: tuple[Segment, ...]
    needle: str | None


_TOKEN = re.compile(
    r"""(?P<dots>\.\.?)?
    (?:(?P<name>[^\W\d][\w$-]*)|(?P<star>\*)
      |\[\s*(?:(?P<index>-?\d+)|(?P<any>\*)|(?P<quoted>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"))\s*\])""",
    re.VERBOSE,
)


def compile_path(text: str) -> Path:
    """Reads a path.

    Raises:
        ValueError: it is not of the supported kind; the message says where.
    """
    if not text.startswith("$"):
        raise ValueError(f"a path begins with $: {text!r}")
    segments: list[Segment] = []
    position = 1
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None or not _well_formed(found):
            raise ValueError(f"cannot read {text[position:]!r} in the path {text!r}")
        segments.append(Segment(_selector(found), found["dots"] == ".."))
        position = found.end()
    names = [segment.select for segment in segments if isinstance(segment.select, str)]
    return Path(tuple(segments), json.dumps(names[-1]) if names else None)


def _well_formed(found: re.Match[str]) -> bool:
    bracket = found["name"] is None and found["star"] is None
    return found["dots"] != "." if bracket else found["dots"] is not None


def _selector(found: re.Match[str]) -> str | int | _All:
    if found["name"] is not None:
        return found["name"]
    if found["index"] is not None:
        return int(found["index"])
    if found["quoted"] is not None:
        return re.sub(r"\\(.)", r"\1", found["quoted"][1:-1])
    return ALL


def replace(tree: Any, path: Path, marker: Any) -> Any:
    """Replaces in `tree` (dicts and lists, changed in place) whatever the path matches, and
    returns the tree: the marker itself where the path is `$`."""
    if not path.segments:
        return marker
    _replace(tree, path.segments, 0, marker)
    return tree


def _replace(tree: Any, segments: tuple[Segment, ...], at: int, marker: Any) -> None:
    segment = segments[at]
    last = at == len(segments) - 1
    if last and segment.anywhere and isinstance(segment.select, str):
        return _replace_everywhere(tree, segment.select, marker)
    for key in list(_matching(tree, segment.select)):
        if last:
            tree[key] = marker
        else:
            _replace(tree[key], segments, at + 1, marker)
    if segment.anywhere:
        for key in _matching(tree, ALL):
            _replace(tree[key], segments, at, marker)


def _replace_everywhere(tree: Any, name: str, marker: Any) -> None:
    """The usual path, `$..name`, without asking each value what it is for each step of the way."""
    stack: list[Any] = [tree] if isinstance(tree, dict | list) else []
    while stack:
        held = stack.pop()
        if isinstance(held, dict):
            if name in held:
                held[name] = marker
            held = cast("Iterable[Any]", held.values())
        stack += [value for value in held if isinstance(value, dict | list)]


def _matching(tree: Any, select: str | int | _All) -> Iterator[Any]:
    if isinstance(tree, dict):
        if isinstance(select, _All):
            yield from tree  # pyright: ignore[reportUnknownVariableType]
        elif isinstance(select, str) and select in tree:
            yield select
    elif isinstance(tree, list):
        size = len(tree)  # pyright: ignore[reportUnknownArgumentType]
        if isinstance(select, _All):
            yield from range(size)
        elif isinstance(select, int) and -size <= select < size:
            yield select
