"""Collects what the passes find."""

from __future__ import annotations

from dataclasses import dataclass, field

from nodegx.compiler.diagnostics import Diagnostic, Pointer, Severity

LIMIT = 200
"""Findings shown of one file; a file with more has one cause behind most of them."""


@dataclass(slots=True)
class Findings:
    """A list of findings that grows. `node` is the id they concern, until it is changed."""

    items: list[Diagnostic] = field(default_factory=list[Diagnostic])
    node: str | None = None
    dropped: int = 0

    def error(
        self,
        code: str,
        message: str,
        pointer: Pointer,
        *,
        hint: str = "",
        offset: int | None = None,
        key: bool = False,
    ) -> None:
        """Notes what stops compilation."""
        self._add(Diagnostic(code, message, pointer, hint, node=self.node, offset=offset, key=key))

    def warning(self, code: str, message: str, pointer: Pointer, *, hint: str = "") -> None:
        """Notes what is worth knowing."""
        warning = Severity.WARNING
        self._add(Diagnostic(code, message, pointer, hint, node=self.node, severity=warning))

    def _add(self, found: Diagnostic) -> None:
        if len(self.items) < LIMIT:
            self.items.append(found)
        else:
            self.dropped += 1

    def all(self) -> list[Diagnostic]:
        """Every finding, and a last one that counts those beyond the limit."""
        if not self.dropped:
            return self.items
        last = self.items[-1]
        message = f"{last.message} (and {self.dropped} further findings)"
        return [
            *self.items[:-1],
            Diagnostic(
                last.code,
                message,
                last.pointer,
                last.hint,
                last.node,
                last.offset,
                last.severity,
                key=last.key,
            ),
        ]
