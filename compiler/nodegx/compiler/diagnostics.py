"""Findings about a workflow: what is wrong, where, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

Pointer = tuple[str | int, ...]
"""A path into the JSON document: keys and indexes from its root."""


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    `code` is stable (`NX301`); `pointer` leads into the document; `offset` is a character offset
    inside the string at `pointer`, for a finding inside an expression. `line` and `column` count
    from 1 and are filled in by the source that the document was read from.
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


class DiagnosticError(Exception):
    """Compilation cannot go on; carries every finding made so far."""

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        super().__init__("; ".join(d.message for d in diagnostics))
        self.diagnostics = diagnostics
