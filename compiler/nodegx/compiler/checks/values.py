"""Parameter values: from JSON to what the later stages work with, checked on the way."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from nodegx.compiler.diagnostics import Pointer, did_you_mean, listing, printable, quoted
from nodegx.compiler.expressions import ExpressionError, parse_template, problems, references
from nodegx.compiler.expressions.syntax import Template
from nodegx.compiler.graph import DictValue, ListValue, Literal, Value
from nodegx.compiler.model import DURATION_HINT
from nodegx.compiler.references import secret_name
from nodegx.runtime import durations
from nodegx.runtime.catalog.types import Param, Type

from .findings import Findings
from .model_errors import json_type

BROKEN: Final = Literal(None)
"""Stands in for a value about which a finding has been noted."""

_SEPARATORS: Final = re.compile(r"[^A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value is: in the document, and by its name in messages (`auth.token`). `literal`
    holds if the compiler must know everything below."""

    pointer: Pointer
    name: str
    literal: bool = False

    def member(self, key: str) -> Place:
        """The place of a key of this object."""
        return Place((*self.pointer, key), f"{self.name}.{printable(key, 40)}", self.literal)

    def element(self, index: int) -> Place:
        """The place of an element of this list."""
        return Place((*self.pointer, index), f"{self.name}[{index}]", self.literal)

    def strict(self, literal: bool) -> Place:
        """This place, literal if `literal` says so."""
        return Place(self.pointer, self.name, True) if literal and not self.literal else self


def items_of(value: Any) -> list[Any]:
    """A JSON list, typed."""
    return cast("list[Any]", value)


def members_of(value: Any) -> dict[str, Any]:
    """A JSON object, typed."""
    return cast("dict[str, Any]", value)


# ------------------------------------------------------------------- templates and free JSON


def parse_text(text: str, place: Place, findings: Findings) -> Value:
    """A text, which is a template if it holds expressions."""
    if "{{" not in text:
        return Literal(text)
    try:
        parsed = parse_template(text)
    except ExpressionError as error:
        findings.error("NX401", error.message, place.pointer, hint=error.hint, offset=error.offset)
        return BROKEN
    if isinstance(parsed, str):
        return Literal(parsed)
    for error in problems(parsed):
        findings.error("NX401", error.message, place.pointer, hint=error.hint, offset=error.offset)
    return parsed


def parse_json(value: Any, place: Place, findings: Findings) -> Value:
    """Any JSON, with templates anywhere inside it."""
    if isinstance(value, str):
        return _allowed(parse_text(value, place, findings), place, findings)
    if isinstance(value, dict):
        return as_dict(
            value,
            [
                (key, parse_json(member, place.member(key), findings))
                for key, member in members_of(value).items()
            ],
        )
    if isinstance(value, list):
        return as_list(
            value,
            [
                parse_json(member, place.element(index), findings)
                for index, member in enumerate(items_of(value))
            ],
        )
    return Literal(value)


def as_dict(raw: Any, members: list[tuple[str, Value]]) -> Value:
    """An object; a Literal if all its members are literals of the same value as in the file."""
    if all(isinstance(member, Literal) for _, member in members):
        plain = {key: cast("Literal", member).value for key, member in members}
        return Literal(raw if plain == raw else plain)
    return DictValue(tuple(members))


def as_list(raw: Any, members: list[Value]) -> Value:
    """A list; a Literal if all its elements are literals."""
    if all(isinstance(member, Literal) for member in members):
        plain = [cast("Literal", member).value for member in members]
        return Literal(raw if plain == raw else plain)
    return ListValue(tuple(members))


def _allowed(value: Value, place: Place, findings: Findings) -> Value:
    """The value, unless it is a template where none may stand."""
    if place.literal and isinstance(value, Template):
        message = f"`{place.name}` takes no expression: its value must be known before the run"
        findings.error("NX307", message, place.pointer, hint="write the value itself")
        return BROKEN
    return value


# ---------------------------------------------------------------------------------- secrets


def parse_secret(value: Any, place: Place, findings: Findings) -> Value:
    """A value that has to come from elsewhere: a template that mentions a name. In a literal place
    only a bare secret will do: it is looked up by its name, and any other template would be taken
    for the credential itself. The value is never quoted."""
    hint = f"write {{{{ secrets.{_secret_name(place.name)} }}}} and keep the value out of the file"
    if not isinstance(value, str):
        message = f"`{place.name}` must be a text, not {json_type(value)}"
        findings.error("NX305", message, place.pointer, hint=hint)
        return BROKEN
    parsed = parse_text(value, place, findings)
    if parsed is BROKEN:
        return BROKEN
    found = references(parsed) if isinstance(parsed, Template) else []
    names = {reference.root for reference in found}
    if not names:
        message = f"the value of `{place.name}` must not stand in the workflow"
        findings.error("NX308", message, place.pointer, hint=hint)
    elif place.literal and isinstance(parsed, Template) and secret_name(parsed) is None:
        message = f"`{place.name}` takes one secret as it is: nothing is computed before the run"
        findings.error("NX307", message, place.pointer, hint=hint)
    return parsed


def _secret_name(name: str) -> str:
    return _SEPARATORS.sub("_", name.rsplit(".", 1)[-1]).upper()


# ------------------------------------------------------------------------------- typed values


def parse_template_of(value: Template, param: Param, place: Place, findings: Findings) -> Value:
    """A template as the value of a parameter, if text fits where it gives text."""
    if _allowed(value, place, findings) is BROKEN:
        return BROKEN
    if value.single is None and (wanted := _NOT_TEXT.get(param.type)) is not None:
        message = f"`{place.name}` needs {wanted}, but text around {{{{ }}}} always gives a text"
        hint = 'put everything into one expression: "{{ … }}" and nothing around it'
        findings.error("NX305", message, place.pointer, hint=hint)
        return BROKEN
    return value


_NOT_TEXT: Final[Mapping[Type, str]] = {
    Type.NUMBER: "a number",
    Type.INTEGER: "an integer",
    Type.BOOLEAN: "true or false",
    Type.OBJECT: "an object",
    Type.ARRAY: "a list",
    Type.CONDITION: "a condition",
}
"""Types that no text fits, as they are called in messages."""


def parse_scalar(value: Any, param: Param, place: Place, findings: Findings) -> Value:
    """A literal of one of the plain types, against its type, choices, range, pattern and check."""
    wanted, convert = _PLAIN[param.type]
    converted = convert(value)
    if converted is _NO:
        message = f"`{place.name}` must be {wanted}, not {json_type(value)}"
        hint = ""
        if param.type is Type.DURATION:
            message, hint = f"`{place.name}` must be {wanted}", DURATION_HINT
        findings.error("NX305", message, place.pointer, hint=hint)
        return BROKEN
    fault = (
        _choice_fault(value, param) or _range_fault(converted, param) or _text_fault(value, param)
    )
    if fault is None and param.check is not None:
        fault = checked_by(param.check, value)
    if fault is not None:
        close = did_you_mean(value, _texts(param.choices)) if isinstance(value, str) else None
        hint = f"did you mean {quoted(close)}?" if close else _example(param)
        findings.error("NX306", f"`{place.name}` {fault}", place.pointer, hint=hint)
        return BROKEN
    return Literal(converted)


def checked_by(check: Callable[[Any], str | None], value: Any) -> str | None:
    """What a check of the catalog says. Libraries behind these checks fail in ways of their own on
    hostile input; that is a fault of the value."""
    try:
        fault = check(value)
    except Exception:
        return "cannot be understood"
    return None if fault is None else printable(fault.rstrip(": "), 300)


def _choice_fault(value: Any, param: Param) -> str | None:
    if not param.choices or value in param.choices:
        return None
    return f"must be one of {listing(str(choice) for choice in param.choices)}, not {quoted(value)}"


def _range_fault(value: Any, param: Param) -> str | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    unit = " s" if param.type is Type.DURATION else ""
    if param.minimum is not None and value < param.minimum:
        return f"must be at least {param.minimum:g}{unit}"
    if param.maximum is not None and value > param.maximum:
        return f"must be at most {param.maximum:g}{unit}"
    return None


def _text_fault(value: Any, param: Param) -> str | None:
    if param.pattern is None or not isinstance(value, str) or re.fullmatch(param.pattern, value):
        return None
    return f"cannot be {quoted(value)}"


def _example(param: Param) -> str:
    return f"for example {quoted(param.examples[0])}" if param.examples else param.doc


def _texts(choices: tuple[Any, ...]) -> list[str]:
    return [choice for choice in choices if isinstance(choice, str)]


_NO: Final = object()


def _only(*types: type) -> Callable[[Any], Any]:
    """Takes values of these types; true and false are numbers in Python alone."""

    def convert(value: Any) -> Any:
        if isinstance(value, bool) and bool not in types:
            return _NO
        return value if isinstance(value, types) else _NO

    return convert


def _integer(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return _only(int)(value)


def _duration(value: Any) -> Any:
    try:
        return durations.seconds(value)
    except ValueError:
        return _NO


def _anything(value: Any) -> Any:
    return value


_PLAIN: Final[Mapping[Type, tuple[str, Callable[[Any], Any]]]] = {
    Type.ANY: ("any value", _anything),
    Type.STRING: ("a text", _only(str)),
    Type.NUMBER: ("a number", _only(int, float)),
    Type.INTEGER: ("an integer", _integer),
    Type.BOOLEAN: ("true or false", _only(bool)),
    Type.OBJECT: ("an object", _only(dict)),
    Type.ARRAY: ("a list", _only(list)),
    Type.DURATION: ("a duration", _duration),
}
