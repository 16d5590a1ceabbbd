"""Printing: rich on a terminal, plain text in a pipe, JSON for programs.

Rich is imported only for terminals; a pipe must not pay for it.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from typing import IO, TYPE_CHECKING, Any, cast

import click

if TYPE_CHECKING:
    from rich.console import Console

COLORS = {
    "success": "green",
    "error": "red",
    "timeout": "red",
    "interrupted": "magenta",
    "cancelled": "yellow",
    "skipped": "bright_black",
    "running": "cyan",
    "queued": "cyan",
    "waiting": "blue",
    "failed": "red",
}
"""Colours of execution and step states."""

MARKS = {
    "success": "✓",
    "error": "✗",
    "timeout": "✗",
    "interrupted": "!",
    "cancelled": "-",
    "skipped": "·",
    "running": "…",
    "queued": "…",
    "waiting": "◦",
    "failed": "✗",
}
"""One character for each state, so that no meaning hangs on colour alone."""


def is_terminal(stream: IO[str] | None = None) -> bool:
    """Whether a person looks at `stream` (default: stdout)."""
    target = sys.stdout if stream is None else stream
    return target.isatty() and os.environ.get("TERM") != "dumb"


def console(*, stderr: bool = False) -> Console:
    """A rich console that never guesses at markup or highlights in what users wrote."""
    from rich.console import Console

    return Console(
        stderr=stderr,
        markup=False,
        highlight=False,
        emoji=False,
        no_color=bool(os.environ.get("NO_COLOR")),
    )


def line(text: str = "", *, err: bool = False) -> None:
    """Prints one line; styles made with `style` vanish where there is no terminal."""
    click.echo(text, err=err)


def style(text: str, color: str | None = None, *, bold: bool = False, dim: bool = False) -> str:
    """`text` with terminal colours."""
    return click.style(text, fg=color, bold=bold or None, dim=dim or None)


def state_text(state: str) -> str:
    """A state with its mark, in its colour."""
    return style(f"{MARKS.get(state, '?')} {state}", COLORS.get(state))


def clean(text: str, *, newlines: bool = False) -> str:
    """`text` without characters that steer a terminal: bodies and messages come from strangers.

    Args:
        text: anything.
        newlines: keeps line breaks and tabs.
    """
    if text.isprintable():
        return text
    kept = "\n\t" if newlines else ""
    return "".join(c if c.isprintable() or c in kept else f"\\x{ord(c):02x}" for c in text)


def json_line(value: Any) -> None:
    """Prints `value` as one line of JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, default=str, separators=(",", ":")))


def json_document(value: Any) -> None:
    """Prints `value` as indented JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, default=str, indent=2))


def json_line_text(value: Any) -> str:
    """`value` as one line of JSON, safe to print; text that needs no quotes has none."""
    if isinstance(value, str) and value and " " not in value:
        return clean(value)
    return clean(json.dumps(value, ensure_ascii=False, default=str))


def pretty_json(value: Any, width: int = 88) -> str:
    """JSON as people read it, safe to print: whatever fits stands on one line.

    Args:
        value: JSON data.
        width: columns that are there.
    """
    return clean("\n".join(_pretty(value, "", width)), newlines=True)


def _pretty(value: Any, prefix: str, width: int) -> list[str]:
    """Lines of `value`, the first after `prefix`; further lines are indented from its start."""
    whole = json.dumps(value, ensure_ascii=False, default=str)
    if len(prefix) + len(whole) <= width or not isinstance(value, dict | list) or not value:
        return [prefix + whole]
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        brackets = "{}"
        members = [(f"{json.dumps(key, ensure_ascii=False)}: ", fields[key]) for key in fields]
    else:
        brackets = "[]"
        members = [("", each) for each in cast("list[Any]", value)]
    lines = [prefix + brackets[0]]
    for index, (key, each) in enumerate(members):
        inner = _pretty(each, key, width - 3)
        if index < len(members) - 1:
            inner[-1] += ","
        lines += [f"  {text}" for text in inner]
    lines.append(brackets[1])
    return lines


def table(
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Iterable[int] = (),
    whole: Iterable[int] = (),
) -> None:
    """Prints a table: ruled on a terminal, aligned columns in a pipe and on terminals too narrow
    for whole columns (nothing is cut off there).

    Args:
        headings: one per column.
        rows: cells; they may carry styles made with `style`.
        right: indexes of columns to align at the right.
        whole: indexes of columns that are never broken over lines.
    """
    listed = list(rows)
    unbroken = frozenset(whole)
    if is_terminal() and _fits(headings, listed, unbroken):
        _rich_table(headings, listed, frozenset(right), unbroken)
    else:
        _plain_table(headings, listed, frozenset(right))


def _fits(headings: Sequence[str], rows: list[Sequence[str]], whole: frozenset[int]) -> bool:
    """Whether the terminal has room for the columns that are not broken, and some for the rest."""
    widths = [
        max(_width(click.unstyle(row[index])) for row in (headings, *rows))
        if index in whole
        else NARROWEST
        for index in range(len(headings))
    ]
    return sum(widths) + 2 * len(widths) <= shutil.get_terminal_size().columns


NARROWEST = 6
"""Columns that text which may be broken needs at least."""


def _rich_table(
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    right: frozenset[int],
    whole: frozenset[int],
) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    made = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True)
    for index, heading in enumerate(headings):
        made.add_column(
            heading,
            justify="right" if index in right else "left",
            overflow="fold",
            no_wrap=index in whole,
        )
    for row in rows:
        made.add_row(*(Text.from_ansi(cell) for cell in row))
    console().print(made)


def _plain_table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], right: frozenset[int]
) -> None:
    cells = [[click.unstyle(cell) for cell in row] for row in rows]
    lines = [[heading.upper() for heading in headings], *cells]
    widths = [max(_width(row[column]) for row in lines) for column in range(len(headings))]
    for row in lines:
        padded = (
            " " * (width - _width(cell)) + cell
            if column in right
            else cell + " " * (width - _width(cell))
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        click.echo("  ".join(padded).rstrip())


def _width(text: str) -> int:
    """Columns that `text` takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1
        for c in text
    )


def wrap(text: str, indent: str = "") -> list[str]:
    """Lines of running text, broken to fit a terminal; left whole in a pipe, for grep."""
    if not is_terminal():
        return [indent + text]
    width = min(100, max(40, shutil.get_terminal_size().columns))
    return textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent)


def duration(seconds: float | None) -> str:
    """A length of time for people: `840 µs`, `12.5 ms`, `3.20 s`, `2m 05s`."""
    if seconds is None:
        return ""
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 1:
        return f"{seconds * 1e3:.3g} ms" if seconds < 0.9995 else "1.00 s"
    if seconds < 60:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02}m" if hours else f"{minutes}m {rest:02}s"


def size(count: int) -> str:
    """A number of bytes for people: `812 B`, `4.1 kB`, `2.3 MB`."""
    value = float(count)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def plural(count: int, noun: str) -> str:
    """`1 workflow`, `2 workflows`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
