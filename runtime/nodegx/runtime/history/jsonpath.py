"""The part of JSONPath with which workflows name what the history must not keep.

`$.a.b`, `$['a']`, `$.a[0]`, `$.a[-1]`, `$.a[*].b`, `$.*`, `$..card`, `$..*`. Filters, slices and
unions belong to queries, not here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
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

    @property
    def key(self) -> str | None:
        """The key whose values the path matches wherever they are, as `$..key` does."""
        if len(self.segments) != 1 or not self.segments[0].anywhere:
            return None
        select = self.segments[0].select
        return select if isinstance(select, str) else None


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
    for held in _containers(tree) if segment.anywhere else (tree,):
        for key in _matching(held, segment.select):
            if last:
                held[key] = marker
            else:
                _replace(held[key], segments, at + 1, marker)


def _containers(tree: Any) -> Iterator[Any]:
    """`tree` and all that it holds, as far as it is an object or an array; what it holds is looked
    for after it was given, and may have been changed."""
    stack: list[Any] = [tree] if isinstance(tree, dict | list) else []
    while stack:
        held = stack.pop()
        yield held
        inner = cast("Iterable[Any]", held.values() if isinstance(held, dict) else held)
        stack += [value for value in inner if isinstance(value, dict | list)]


def _matching(tree: Any, select: str | int | _All) -> Sequence[Any]:
    """The keys or indexes of a value that a selector means."""
    if isinstance(tree, dict):
        if isinstance(select, _All):
            return list(tree)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        return (select,) if isinstance(select, str) and select in tree else ()
    if isinstance(tree, list):
        size = len(tree)  # pyright: ignore[reportUnknownArgumentType]
        if isinstance(select, _All):
            return range(size)
        return (select,) if isinstance(select, int) and -size <= select < size else ()
    return ()
