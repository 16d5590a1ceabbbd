"""Collects what the passes find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from nodegx.compiler.diagnostics import Diagnostic, Pointer, Severity

LIMIT = 200
"""Errors, and warnings, shown of one file; a file with more has one cause behind most of them."""

Hint = str | Callable[[], str]
"""A hint, or how to find one: looking for similar words takes time."""


@dataclass(slots=True)
class Findings:
    """Lists of findings that grow. `node` is the id they concern, until it is changed."""

    errors: list[Diagnostic] = field(default_factory=list[Diagnostic])
    warnings: list[Diagnostic] = field(default_factory=list[Diagnostic])
    node: str | None = None
    error_count: int = 0
    warning_count: int = 0

    def error(
        self,
        code: str,
        message: str,
        pointer: Pointer,
        *,
        hint: Hint = "",
        offset: int | None = None,
        key: bool = False,
    ) -> None:
        """Notes what stops compilation."""
        if len(self.errors) == LIMIT:
            self.error_count += 1
            return
        text = hint if isinstance(hint, str) else hint()
        self.add(Diagnostic(code, message, pointer, text, node=self.node, offset=offset, key=key))

    def warning(self, code: str, message: str, pointer: Pointer, *, hint: str = "") -> None:
        """Notes what is worth knowing."""
        severity = Severity.WARNING
        self.add(Diagnostic(code, message, pointer, hint, node=self.node, severity=severity))

    def add(self, found: Diagnostic) -> None:
        """Notes a finding that has been worded elsewhere."""
        if found.severity is Severity.ERROR:
            self.error_count += 1
            if len(self.errors) < LIMIT:
                self.errors.append(found)
        else:
            self.warning_count += 1
            if len(self.warnings) < LIMIT:
                self.warnings.append(found)

    def all(self) -> list[Diagnostic]:
        """Every finding; the last of each kind counts those beyond the limit."""
        return [
            *_closed(self.errors, self.error_count),
            *_closed(self.warnings, self.warning_count),
        ]


def _closed(found: list[Diagnostic], count: int) -> list[Diagnostic]:
    if count == len(found):
        return found
    last = found[-1]
    more = f"{last.message} (and {count - len(found)} further findings)"
    return [*found[:-1], replace(last, message=more)]
