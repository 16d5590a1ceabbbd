"""A JSON document and the way back from its data to lines and columns.

Documents are parsed with the standard library's fast parser, which keeps no positions. Positions
are looked up by scanning the text again, and only when a finding needs one.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from .diagnostics import Diagnostic, Excerpt, Pointer

EXCERPT_WIDTH: Final = 100
SECRET_CODES: Final = frozenset({"NX308"})
"""Findings about lines that hold a secret: such lines are never quoted."""

_Members = dict[str | int, tuple[int, int]]
"""Where the key (or element) and the value of each member of a container start."""

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_ESCAPE: Final = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u.{4}|\\."
)
_DECODER: Final = json.JSONDecoder(parse_int=len, parse_float=len, strict=False)


@dataclass(frozen=True)
class Source:
    """One document: its file (None for text that came from elsewhere), its text and its data."""

    path: Path | None
    text: str = field(repr=False)
    data: Any = field(repr=False)

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    def locate(
        self, pointer: Pointer, offset: int | None = None, *, key: bool = False
    ) -> tuple[int, int]:
        """The line and column, both from 1, of what `pointer` leads to.

        Args:
            pointer: a path into the document; where it leads nowhere, the last place it passes
                through counts.
            offset: a character offset inside the string at `pointer`, as decoded; escapes such as
                `\\n` or `\\u00e4` count as the one character they stand for.
            key: means the key at the end of the pointer instead of its value.
        """
        index = self._index(pointer, key=key)
        if offset is not None and self.text.startswith('"', index):
            index = _inside_string(self.text, index, offset)
        return self.position(index)

    def position(self, index: int) -> tuple[int, int]:
        """The line and column, both from 1, of the character at `index`."""
        line = bisect_right(self._line_starts, index)
        return line, index - self._line_starts[line - 1] + 1

    def excerpt(self, line: int, column: int) -> Excerpt | None:
        """The part of a line around a column, without control characters; None if it is empty."""
        if not 1 <= line <= len(self._line_starts):
            return None
        start = self._line_starts[line - 1]
        end = self.text.find("\n", start)
        content = self.text[start : len(self.text) if end < 0 else end].rstrip()
        first = max(0, column - 1 - EXCERPT_WIDTH // 2) if len(content) > EXCERPT_WIDTH else 0
        shown = content[first : first + EXCERPT_WIDTH]
        shown = "".join(c if c.isprintable() else " " for c in shown)
        indent = len(shown) - len(shown.lstrip())
        return Excerpt(shown[indent:], max(1, column - first - indent)) if shown else None

    def resolve(self, diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
        """The findings with file, line, column and excerpt filled in, in the order of the text."""
        places: list[tuple[int, int, Diagnostic]] = []
        for found in diagnostics:
            line, column = found.line, found.column
            if line is None or column is None:
                line, column = self.locate(found.pointer, found.offset, key=found.key)
            places.append((line, column, found))
        hidden = {line for line, _, found in places if found.code in SECRET_CODES}
        return [
            replace(
                found,
                file=self.path,
                line=line,
                column=column,
                excerpt=None if line in hidden else self.excerpt(line, column),
            )
            for line, column, found in sorted(places, key=_place)
        ]

    def _index(self, pointer: Pointer, *, key: bool) -> int:
        """Where the value at `pointer` starts in the text."""
        index = _skip_space(self.text, 0)
        for depth, step in enumerate(pointer):
            members = self._containers.get(index)
            if members is None:
                members = self._containers[index] = _members(self.text, index)
            if step not in members:
                break
            key_index, index = members[step]
            if key and depth == len(pointer) - 1:
                return key_index
        return index

    @cached_property
    def _containers(self) -> dict[int, _Members]:
        """The members of containers that have been looked into, by the place of the container."""
        return {}


def _place(entry: tuple[int, int, Diagnostic]) -> tuple[int, int, str]:
    line, column, found = entry
    return line, column, found.code


def _skip_space(text: str, index: int) -> int:
    match = _SPACE.match(text, index)
    return index if match is None else match.end()


def _skip_value(text: str, index: int) -> int:
    """Where the value that starts at `index` ends."""
    return _DECODER.raw_decode(text, index)[1]


def _members(text: str, index: int) -> _Members:
    """The members of the object or list at `index`; none for anything else."""
    opening = text[index : index + 1]
    if opening == "{":
        return dict(_object_members(text, _skip_space(text, index + 1)))
    if opening == "[":
        return dict(_array_members(text, _skip_space(text, index + 1)))
    return {}


def _object_members(text: str, index: int) -> Iterator[tuple[str, tuple[int, int]]]:
    while text[index] != "}":
        key_index, end = index, _skip_value(text, index)
        index = _skip_space(text, _skip_space(text, end) + 1)  # behind the colon
        yield json.loads(text[key_index:end], strict=False), (key_index, index)
        index = _next(text, index)


def _array_members(text: str, index: int) -> Iterator[tuple[int, tuple[int, int]]]:
    number = 0
    while text[index] != "]":
        yield number, (index, index)
        number += 1
        index = _next(text, index)


def _next(text: str, index: int) -> int:
    """Where the next member, or the closing bracket, is behind the value at `index`."""
    index = _skip_space(text, _skip_value(text, index))
    return _skip_space(text, index + 1) if text[index] == "," else index


def _inside_string(text: str, index: int, offset: int) -> int:
    """The place of the character `offset` of the decoded string whose quote is at `index`."""
    index += 1
    for _ in range(offset):
        if text[index] == '"':
            break
        match = _ESCAPE.match(text, index) if text[index] == "\\" else None
        index = index + 1 if match is None else match.end()
    return index
