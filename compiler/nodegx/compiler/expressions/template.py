"""Reads parameters: text, `{{ expression }}`, or both."""

from __future__ import annotations

import re

from .grammar import parse
from .scan import scan
from .syntax import Expression, Template

_OPENING = re.compile(r"(\\*)\{\{")


def parse_template(text: str) -> str | Template:
    r"""Parses a string parameter.

    `\{{` stands for literal braces and `\\{{` for a backslash before an expression; other
    backslashes are left alone.

    Returns:
        The plain text if it holds no expression.

    Raises:
        ExpressionError: its offset is an offset into `text`.
    """
    parts: list[str | Expression] = []
    literal: list[str] = []
    at = 0
    while match := _OPENING.search(text, at):
        slashes = len(match.group(1))
        literal.append(text[at : match.start()] + "\\" * (slashes // 2))
        at = match.end()
        if slashes % 2:
            literal.append("{{")
            continue
        scanned = scan(text, at, braces=True)
        if joined := "".join(literal):
            parts.append(joined)
        literal.clear()
        parts.append(parse(scanned.source, at))
        at = scanned.end + 2
    if joined := "".join(literal) + text[at:]:
        parts.append(joined)
    if not any(isinstance(part, Expression) for part in parts):
        return "".join(part for part in parts if isinstance(part, str))
    return Template(text, tuple(parts))


def parse_expression(text: str) -> Expression:
    """Parses an expression that stands alone, without braces.

    Raises:
        ExpressionError: its offset is an offset into `text`.
    """
    return parse(scan(text, 0, braces=False).source, 0)
