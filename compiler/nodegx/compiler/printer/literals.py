"""Numbers, strings and f-strings in the formatter's spelling."""

from __future__ import annotations

import ast
from collections.abc import Callable

_NAMED = {"\n": r"\n", "\r": r"\r", "\t": r"\t", "\\": r"\\"}


def constant(value: object) -> str:
    """A literal."""
    if isinstance(value, str):
        return string(value)
    if value is Ellipsis:
        return "..."
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return "1e309" if value > 0 else "-1e309"
    return repr(value).replace("e+", "e")


def string(value: str, quote: str | None = None) -> str:
    """A quoted string, with the quotes that need fewer escapes."""
    mark = quote or _quote(value)
    return mark + "".join(_escaped(char, mark) for char in value) + mark


def _quote(text: str) -> str:
    return "'" if text.count('"') > text.count("'") else '"'


def _escaped(char: str, quote: str) -> str:
    if char == quote:
        return "\\" + char
    if char in _NAMED:
        return _NAMED[char]
    return char if char.isprintable() else repr(char)[1:-1]


def docstring(value: str) -> str:
    """A docstring; its lines are indented already, as Python keeps them."""
    end = len(value.rstrip('"'))
    body = value[:end].replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    body = "".join(
        char if char == "\n" or char.isprintable() else repr(char)[1:-1] for char in body
    )
    return '"""' + body + '\\"' * (len(value) - end) + '"""'


def f_string(node: ast.JoinedStr, flat: Callable[[ast.expr, str], str]) -> str:
    """An f-string; `flat` renders an expression on one line, with the given quotes inside."""
    literals = [part.value for part in node.values if isinstance(part, ast.Constant)]
    outer = _quote("".join(str(literal) for literal in literals))
    inner = "'" if outer == '"' else '"'
    parts: list[str] = []
    for part in node.values:
        if isinstance(part, ast.Constant):
            text = str(part.value).replace("{", "{{").replace("}", "}}")
            parts.append("".join(_escaped(char, outer) for char in text))
        elif isinstance(part, ast.FormattedValue):
            parts.append(_field(part, flat(part.value, inner)))
    return f"f{outer}{''.join(parts)}{outer}"


def _field(node: ast.FormattedValue, code: str) -> str:
    conversion = f"!{chr(node.conversion)}" if node.conversion >= 0 else ""
    spec = ""
    if isinstance(node.format_spec, ast.JoinedStr):
        literals = (part for part in node.format_spec.values if isinstance(part, ast.Constant))
        spec = ":" + "".join(str(literal.value) for literal in literals)
    space = " " if code.startswith("{") else ""
    return f"{{{space}{code}{conversion}{spec}}}"
