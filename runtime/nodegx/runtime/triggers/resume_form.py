"""Forms that people fill in to end a wait: what they ask, and what was entered."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple, cast

from nodegx.runtime.expressions.kinds import text

from .inputs import convert

ACTION = "$action"
"""Under which name the button that was pressed is sent. Fields are named as variables are, so that
none is called that."""

_MAX_NUMBER = 100  # characters
_MAX_EMAIL = 254  # characters, RFC 5321
_NUMBER = re.compile(
    r"[+-]?(?:\d+(?P<point>\.\d*)?|(?P<bare>\.\d+))(?P<power>[eE][+-]?\d+)?", re.ASCII
)
_A_DATE = "a date such as 2026-05-31"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_HOST = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_EMAIL = re.compile(rf"[a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_HOST}(?:\.{_HOST})*")  # as browsers do


class Field(NamedTuple):
    """Something that is asked.

    Args:
        name: key of its value.
        label: what people read beside it.
        type: one of `TYPES`.
        required: whether it must be filled in; a `boolean` must be ticked then.
        choices: of a `choice`: the values by what people read.
        default: what stands in it at first; None is nothing.
    """

    name: str
    label: str
    type: str = "string"
    required: bool = False
    choices: Mapping[str, Any] = {}
    default: Any = None


class Action(NamedTuple):
    """A button: what pressing it means, and what people read on it."""

    value: str
    label: str


class Form(NamedTuple):
    """A form; without `actions` it has one button, `submit_label`."""

    title: str
    description: str
    submit_label: str
    fields: tuple[Field, ...]
    actions: tuple[Action, ...]


class Fault(NamedTuple):
    """Something that was not entered as it should be. `name` is the field's, or `ACTION`; the
    message completes "`name` …"."""

    name: str
    message: str


class Entry(NamedTuple):
    """What was entered: the fields' values, those left empty as None, and the button's; with
    `faults` neither is to be used."""

    values: dict[str, Any]
    action: Action | None
    faults: list[Fault]


def build(config: Mapping[str, Any], title: str) -> Form:
    """The form of a wait.

    Args:
        config: `form` of the wait's `webhook`. Its texts may be any values: workflows compute them.
        title: heading of forms that have none.
    """
    return Form(
        text(config.get("title")) or title,
        text(config.get("description")),
        text(config.get("submitLabel")) or "Submit",
        tuple(_field(each) for each in _entries(config, "fields")),
        tuple(
            Action(each["value"], text(each.get("label")) or each["value"])
            for each in _entries(config, "actions")
        ),
    )


def _entries(config: Mapping[str, Any], key: str) -> Iterable[Mapping[str, Any]]:
    return cast("Iterable[Mapping[str, Any]]", config.get(key) or ())


def _field(config: Mapping[str, Any]) -> Field:
    name: str = config["name"]
    choices: dict[str, Any] = {}
    for value in cast("Iterable[Any]", config.get("choices") or ()):
        choices.setdefault(text(value), value)
    return Field(
        name,
        text(config.get("label")) or name,
        config.get("type") or "string",
        bool(config.get("required")),
        choices,
        config.get("default"),
    )


def enter(form: Form, given: Mapping[str, Any], *, typed: bool) -> Entry:
    """Reads and checks what was sent.

    Args:
        form: what was asked.
        given: what was sent, by name.
        typed: whether that was JSON. Otherwise it came from a page, which says nothing of boxes
            that are not ticked.
    """
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for field in form.fields:
        absent = False if field.type == "boolean" and not typed else field.default
        try:
            values[field.name] = _read(field, given.get(field.name, absent))
        except ValueError as error:
            faults.append(Fault(field.name, str(error)))
    known = {field.name for field in form.fields}
    action: Action | None = None
    if form.actions:
        known.add(ACTION)
        chosen = given.get(ACTION)
        action = next((each for each in form.actions if each.value == chosen), None)
        if action is None:
            names = ", ".join(each.value for each in form.actions)
            faults.append(Fault(ACTION, f"must be one of {names}"))
    faults += [Fault(name, "is not a field of this form") for name in given if name not in known]
    return Entry(values, action, faults)


def shown(form: Form, given: Mapping[str, Any] | None = None) -> dict[str, str]:
    """What stands in the fields of the page, as text: what was entered, or the defaults."""
    source = {field.name: field.default for field in form.fields} if given is None else given
    values = {field.name: source.get(field.name) for field in form.fields}
    # A file or a list, which no page of ours sends, is not worth showing again.
    return {
        name: "" if given is not None and not isinstance(value, str) else text(value)
        for name, value in values.items()
    }


def _read(field: Field, value: Any) -> Any:
    if value is None or (isinstance(value, str) and not value.strip()):
        if field.required:
            raise ValueError("is required")
        return None
    return TYPES[field.type](field, value)


def _string(_: Field, value: Any) -> str:
    found: str = _converted(value, "string", "text")
    if "\n" in found or "\r" in found:
        raise ValueError("must be one line")
    return found


def _text(_: Field, value: Any) -> str:
    found: str = _converted(value, "string", "text")
    return found.replace("\r\n", "\n").replace("\r", "\n")


def _number(_: Field, value: Any) -> int | float:
    found: int | float | None = None
    if isinstance(value, int | float) and not isinstance(value, bool):
        found = value
    elif isinstance(value, str) and len(value) <= _MAX_NUMBER:
        match = _NUMBER.fullmatch(value.strip())
        if match is not None:
            found = float(match[0]) if any(match.groups()) else int(match[0])
    if found is None or (isinstance(found, float) and not math.isfinite(found)):
        raise ValueError("must be a number")
    return found


def _integer(field: Field, value: Any) -> int:
    try:
        found = _number(field, value)
    except ValueError:
        found = 0.5
    if int(found) != found:
        raise ValueError("must be a whole number")
    return int(found)


def _boolean(field: Field, value: Any) -> bool:
    found: bool = _converted(value, "boolean", "true or false")
    if field.required and not found:
        raise ValueError("must be ticked")
    return found


def _choice(field: Field, value: Any) -> Any:
    sent = text(value)
    if sent not in field.choices:
        raise ValueError("must be one of " + ", ".join(field.choices))
    return field.choices[sent]


def _date(_: Field, value: Any) -> str:
    found: str = _converted(value, "string", _A_DATE).strip()
    try:
        if _DATE.fullmatch(found):
            return date.fromisoformat(found).isoformat()
    except ValueError:
        pass
    raise ValueError(f"must be {_A_DATE}")


def _email(_: Field, value: Any) -> str:
    found: str = _converted(value, "string", "an email address").strip()
    if len(found) > _MAX_EMAIL or not _EMAIL.fullmatch(found):
        raise ValueError("must be an email address")
    return found


def _converted(value: Any, kind: str, wanted: str) -> Any:
    try:
        return convert(value, kind)
    except ValueError:  # its message repeats the value, which the page shows anyway
        raise ValueError(f"must be {wanted}") from None


TYPES: dict[str, Callable[[Field, Any], Any]] = {
    "string": _string,
    "text": _text,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "choice": _choice,
    "date": _date,
    "email": _email,
}
