"""`handler.map.json`: which lines of a handler belong to which node."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

VERSION = 1

Span = tuple[int, int, str]
"""First line, last line (both from 1, inclusive) and the id of the node they belong to."""


def to_json(spans: Sequence[Span]) -> dict[str, Any]:
    """The content of `handler.map.json`, spans in the order of the lines, outer ones first."""
    ordered = sorted(set(spans), key=lambda span: (span[0], -span[1], span[2]))
    return {"version": VERSION, "lines": [list(span) for span in ordered]}


def to_text(spans: Sequence[Span]) -> str:
    """The file itself: one span a line, so that differences between two builds stay readable."""
    lines = ",\n".join(f"  {json.dumps(span)}" for span in to_json(spans)["lines"])
    return (
        f'{{"version": {VERSION}, "lines": [\n{lines}\n]}}\n'
        if lines
        else (f'{{"version": {VERSION}, "lines": []}}\n')
    )


def first_lines(spans: Sequence[Span]) -> dict[str, int]:
    """For every node the first line that belongs to it."""
    lines: dict[str, int] = {}
    for first, _, node in sorted(spans):
        lines.setdefault(node, first)
    return lines
