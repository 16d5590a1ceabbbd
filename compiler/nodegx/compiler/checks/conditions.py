"""Conditions: an expression, true or false, or groups of comparisons."""

from __future__ import annotations

from functools import partial
from typing import Any

from nodegx.compiler.diagnostics import listing, printable, quoted, suggestion
from nodegx.compiler.expressions.conditions import (
    DEFAULT_OPERATOR,
    GROUPS,
    NEGATION,
    OPERATORS,
    TYPE_NAMES,
)
from nodegx.compiler.expressions.syntax import Template
from nodegx.compiler.graph import DictValue, ListValue, Literal, Value

from .findings import Findings
from .model_errors import json_type
from .values import BROKEN, Place, items_of, members_of, parse_json, parse_text

_COMPARISON = ("left", "op", "right")
_HINT = (
    'write "{{ order.body.total > 100 }}", or {"left": …, "op": "gt", "right": …} inside '
    '{"all": […]} or {"any": […]}'
)


def parse_condition(value: Any, place: Place, findings: Findings) -> Value:
    """A condition, in the shape that `expressions.conditions` compiles."""
    if isinstance(value, bool):
        return Literal(value)
    if isinstance(value, str):
        return _expression(value, place, findings)
    if not isinstance(value, dict):
        message = f"`{place.name}` must be a condition, not {json_type(value)}"
        findings.error("NX305", message, place.pointer, hint=_HINT)
        return BROKEN
    parts = members_of(value)
    groups = [key for key in (*GROUPS, NEGATION) if key in parts]
    if not groups:
        return _comparison(parts, place, findings)
    if len(parts) > 1:
        message = f"`{place.name}` must hold {quoted(groups[0])} alone, not {listing(parts)}"
        findings.error("NX318", message, place.pointer, hint="put one group into the other")
        return BROKEN
    key = groups[0]
    if key == NEGATION:
        negated = parse_condition(parts[key], place.member(key), findings)
        return DictValue(((key, negated),))
    return _group(key, parts[key], place.member(key), findings)


def _expression(text: str, place: Place, findings: Findings) -> Value:
    parsed = parse_text(text, place, findings)
    if parsed is BROKEN or (isinstance(parsed, Template) and parsed.single is not None):
        return parsed
    message = f"`{place.name}` is a text, which says neither yes nor no"
    hint = "put the whole condition into one expression: "
    hint += f"{{{{ {printable(text, 60)} }}}}" if "{{" not in text else '"{{ … }}"'
    findings.error("NX305", message, place.pointer, hint=hint)
    return BROKEN


def _group(key: str, value: Any, place: Place, findings: Findings) -> Value:
    if not isinstance(value, list) or not value:
        message = f"`{place.name}` must be a list of conditions that is not empty"
        findings.error("NX305", message, place.pointer, hint=_HINT)
        return BROKEN
    members = tuple(
        parse_condition(member, place.element(index), findings)
        for index, member in enumerate(items_of(value))
    )
    return DictValue(((key, ListValue(members)),))


def _comparison(parts: dict[str, Any], place: Place, findings: Findings) -> Value:
    for key in parts:
        if key not in _COMPARISON:
            pointer = (*place.pointer, key)
            findings.error(
                "NX303",
                f"`{place.name}` has no {quoted(key)}",
                pointer,
                hint=partial(suggestion, key, [*_COMPARISON, *GROUPS, NEGATION], "keys"),
                key=True,
            )
    operator = parts.get("op", DEFAULT_OPERATOR)
    if not isinstance(operator, str) or operator not in OPERATORS:
        message = f"`{place.name}.op` cannot be {quoted(operator)}"
        hint = partial(suggestion, str(operator)[:101], list(OPERATORS), "operators")
        findings.error("NX306", message, (*place.pointer, "op"), hint=hint)
        operator = DEFAULT_OPERATOR
    binary = OPERATORS[operator].binary
    if "left" not in parts or (binary and "right" not in parts):
        missing = "left" if "left" not in parts else "right"
        message = f"`{place.name}` has nothing to compare: {quoted(missing)} is missing"
        findings.error("NX304", message, place.pointer, hint=_HINT)
    elif not binary and "right" in parts:
        message = f"{quoted(operator)} looks at the left side alone"
        pointer = (*place.pointer, "right")
        findings.error("NX303", message, pointer, hint="leave `right` out", key=True)
    elif operator == "isType" and parts["right"] not in TYPE_NAMES:
        message = f"`{place.name}.right` is no type: {quoted(parts['right'])}"
        hint = f"one of {', '.join(TYPE_NAMES)}"
        findings.error("NX306", message, (*place.pointer, "right"), hint=hint)
    left = parse_json(parts.get("left"), place.member("left"), findings)
    right = parse_json(parts.get("right"), place.member("right"), findings)
    return DictValue((("left", left), ("op", Literal(operator)), ("right", right)))
