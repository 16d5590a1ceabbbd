"""Parsed templates, before anyone knows what their names mean."""

from __future__ import annotations

import ast
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Expression:
    """The inside of one `{{ }}`: `tree` has passed the whitelist, `offset` is where `source`
    starts inside the template's text."""

    source: str
    offset: int
    tree: ast.expr


@dataclass(frozen=True, slots=True)
class Template:
    """A string parameter with at least one expression. A single part that is an Expression keeps
    its type; otherwise the parts are rendered to text and joined."""

    text: str
    parts: tuple[str | Expression, ...]

    @property
    def single(self) -> Expression | None:
        """The expression that is the whole template, or None."""
        if len(self.parts) == 1 and isinstance(self.parts[0], Expression):
            return self.parts[0]
        return None
