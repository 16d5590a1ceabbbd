"""Findings about a workflow: what is wrong, where, and what to do about it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

Pointer = tuple[str | int, ...]
"""A path into the JSON document: keys and indexes from its root."""

CODES: Mapping[str, str] = {
    "NX101": "the file cannot be read",
    "NX102": "the file is too large",
    "NX103": "the file is not UTF-8 text",
    "NX104": "the file is not JSON",
    "NX105": "a key stands twice in one object",
    "NX106": "a number is out of range",
    "NX107": "objects are nested too deeply",
    "NX108": "a text is too long",
    "NX109": "a text holds half a character",
    "NX201": "unknown key",
    "NX202": "missing key",
    "NX203": "wrong type",
    "NX204": "value not allowed",
    "NX205": "unusable name",
    "NX301": "unknown node type",
    "NX302": "two nodes have the same id",
    "NX303": "unknown parameter",
    "NX304": "missing parameter",
    "NX305": "wrong type of a parameter",
    "NX306": "parameter value not allowed",
    "NX307": "expression where a plain value is needed",
    "NX308": "secret written into the workflow",
    "NX309": "setting that this node type does not have",
    "NX310": "wire to or from a node that does not exist",
    "NX311": "unknown port",
    "NX312": "wire between a signal and data",
    "NX313": "wire between different types of data",
    "NX314": "two wires into one data input",
    "NX315": "the same wire twice",
    "NX316": "node never runs",
    "NX317": "nothing starts the workflow",
    "NX318": "parameters that exclude or need one another",
    "NX319": "code that is not Python",
    "NX320": "names of outputs that clash",
    "NX321": "wire from an output that is never sent",
    "NX322": "wait that needs a durable workflow",
    "NX401": "expression that cannot be compiled",
    "NX402": "unknown name",
    "NX403": "unknown variable of the project",
    "NX404": "value that does not exist where it is read",
    "NX501": "signals or values that run in a circle",
    "NX502": "concurrent branches that meet without a merge",
    "NX503": "node that belongs to a body and to something else",
    "NX504": "merges that are neither apart nor inside one another",
    "NX505": "merge reached through a shared node",
    "NX506": "try that goes on at several places",
    "NX507": "concurrent branch that leaves its try",
    "NX508": "end of a try that is never reached",
    "NX509": "nesting too deep to be read",
    "NX510": "shared steps with more than two ways on",
    "NX511": "more alternatives than can be nested",
    "NX601": "wrong project file",
    "NX602": "two triggers answer the same address",
    "NX603": "unknown workflow",
    "NX604": "two workflows have the same name",
    "NX605": "unknown time zone",
    "NX606": "build directory with files of someone else",
    "NX607": "call that keeps a workflow in memory that is not durable",
    "NX701": "schedule that the target cannot keep",
    "NX702": "longer than the target lets a function run",
    "NX703": "memory that the target does not have",
    "NX704": "trigger that the target does not have",
    "NX705": "something that cannot be shared on the target",
    "NX706": "limit that the target keeps differently",
    "NX707": "more variables than the target has room for",
}
"""What each code stands for. Codes are stable: documentation and editors refer to them."""


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A piece of the line a finding points at; `column` counts from 1 within `text`."""

    text: str
    column: int


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    `code` is stable (`NX301`); `pointer` leads into the document; `key` means the key at the end
    of the pointer rather than its value. `offset` is a character offset inside the string at
    `pointer`, for a finding inside an expression. `line` and `column` count from 1, columns in
    characters, and are filled in by the source that the document was read from.
    """

    code: str
    message: str
    pointer: Pointer = ()
    hint: str = ""
    node: str | None = None
    offset: int | None = None
    severity: Severity = Severity.ERROR
    file: Path | None = None
    line: int | None = None
    column: int | None = None
    key: bool = False
    excerpt: Excerpt | None = field(default=None, compare=False)


class DiagnosticError(Exception):
    """Compilation cannot go on; carries every finding made so far."""

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        super().__init__("; ".join(d.message for d in diagnostics))
        self.diagnostics = diagnostics


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any of the findings stops compilation."""
    return any(d.severity is Severity.ERROR for d in diagnostics)


# ------------------------------------------------------------------------- wording


def printable(text: str, limit: int = 80) -> str:
    """`text` on one line, at most `limit` characters, without control characters: what the user
    wrote must not steer the terminal it is shown on."""
    shown = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in shown)


def quoted(value: Any, limit: int = 60) -> str:
    """A value as it stands in JSON, shortened, for use inside a message."""
    if isinstance(value, str):
        return f'"{printable(value, limit)}"'
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return printable(json.dumps(value, default=str), limit)


def listing(words: Iterable[str], limit: int = 12) -> str:
    """Words in a sentence: `a, b, c`; beyond `limit` only their number."""
    shown = [printable(word, 40) for word in words]
    if len(shown) > limit:
        return f"{', '.join(shown[:limit])} and {len(shown) - limit} more"
    return ", ".join(shown)


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, or None where nothing is close."""
    if len(word) > 100:
        return None
    by_folded = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), list(by_folded), n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def suggestion(word: str, known: Sequence[str], what: str) -> str:
    """A hint for an unknown `word`: the closest known one, else what there is."""
    if not known:
        return f"there are no {what}"
    if (close := did_you_mean(word, known)) is not None:
        return f'did you mean "{printable(close)}"?'
    return f"{what}: {listing(known)}"


# ----------------------------------------------------------------------- rendering


def json_pointer(pointer: Pointer) -> str:
    """The pointer as RFC 6901 writes it: `/nodes/3/type`."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in pointer)


def to_json(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """The findings as JSON data for editors and scripts; keys without a value are left out."""
    return [
        {
            key: value
            for key, value in {
                "code": d.code,
                "severity": d.severity.value,
                "message": d.message,
                "hint": d.hint or None,
                "file": None if d.file is None else str(d.file),
                "line": d.line,
                "column": d.column,
                "pointer": json_pointer(d.pointer),
                "node": d.node,
            }.items()
            if value is not None
        }
        for d in diagnostics
    ]


def to_text(diagnostics: Iterable[Diagnostic], *, base: Path | None = None) -> str:
    """The findings as people read them, one block each, with the line they point at.

    Args:
        diagnostics: the findings, in the order to be shown.
        base: directory against which file names are shortened.
    """
    return "\n".join(_block(d, base) for d in diagnostics)


def _block(d: Diagnostic, base: Path | None) -> str:
    lines = [f"{_place(d, base)}{d.severity.value} {d.code}: {d.message}"]
    if d.excerpt is not None:
        number = str(d.line or "")
        lines.append(f"  {number} | {d.excerpt.text}")
        lines.append(f"  {' ' * len(number)} | {' ' * (d.excerpt.column - 1)}^")
    if d.hint:
        lines.append(f"  hint: {d.hint}")
    return "\n".join(lines)


def _place(d: Diagnostic, base: Path | None) -> str:
    if d.file is None:
        return ""
    file = d.file
    if base is not None and file.is_absolute() and file.is_relative_to(base):
        file = file.relative_to(base)
    position = "" if d.line is None else f":{d.line}:{d.column}"
    return f"{file}{position}: "
