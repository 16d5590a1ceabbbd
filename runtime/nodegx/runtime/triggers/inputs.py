"""Typed inputs: of `trigger.manual`, and the parameters of `cloud.request`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from nodegx.runtime.errors import FatalError


class InputError(FatalError):
    """The input does not fit what the trigger declares. `details` lists every problem as
    `{"input": name, "message": text}`."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        super().__init__(
            "; ".join(f"{name}: {message}" if name else message for name, message in problems),
            code="input",
            details=[{"input": name, "message": message} for name, message in problems],
        )


def coerce(declared: Sequence[Mapping[str, Any]], payload: Any) -> Any:
    """The input a workflow starts with.

    Args:
        declared: the trigger's inputs, each `{name, type, required, default, choices?}`. Without
            any, `payload` is passed on as it is.
        payload: an object, or None for an empty one.

    Returns:
        The values by name, converted where nothing is lost (text to a number, for instance),
        defaults filled in; inputs that are neither given nor have a default are None.

    Raises:
        InputError: lists everything that does not fit.
    """
    if not declared:
        return payload
    if payload is None:
        payload = {}
    if not isinstance(payload, Mapping):
        raise InputError([("", "the input must be an object with the declared names")])
    given = cast("Mapping[str, Any]", payload)
    names = [str(entry["name"]) for entry in declared]
    problems: list[tuple[str, str]] = []
    values: dict[str, Any] = {}
    for name, entry in zip(names, declared, strict=True):
        value = given.get(name)
        if value is None:
            if entry.get("required") and entry.get("default") is None:
                problems.append((name, "is required"))
            values[name] = _own(entry.get("default"))
            continue
        try:
            values[name] = convert(value, str(entry.get("type", "any")))
            choices = entry.get("choices")
            if choices and values[name] not in choices:
                raise ValueError("must be one of " + ", ".join(map(repr, choices)))
        except ValueError as exc:
            problems.append((name, str(exc)))
    for name in given:
        if name not in names:
            from difflib import get_close_matches

            close = get_close_matches(str(name), names, n=1)
            problems.append(
                (str(name), "is not an input" + (f"; did you mean {close[0]}?" if close else ""))
            )
    if problems:
        raise InputError(problems)
    return values


def _own(default: Any) -> Any:
    """A copy, as a run may change what it gets."""
    if not isinstance(default, dict | list):
        return default
    from copy import deepcopy

    return deepcopy(cast("Any", default))


def convert(value: Any, kind: str) -> Any:
    """`value` as the type `kind`.

    Raises:
        ValueError: it does not fit; the message completes "`name` …".
    """
    converter = CONVERTERS.get(kind)
    if converter is None:
        return value
    return converter(value)


def _wrong(kind: str, value: Any) -> ValueError:
    shown = json.dumps(value, default=str)
    return ValueError(f"must be {kind}, not {shown if len(shown) <= 40 else shown[:39] + '…'}")


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise _wrong("text", value)


def _number(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        try:
            number = json.loads(value.strip(), parse_constant=str)
        except (ValueError, RecursionError):
            number = None
        if isinstance(number, int | float) and not isinstance(number, bool):
            return number
    raise _wrong("a number", value)


def _integer(value: Any) -> int:
    try:
        number = _number(value)
    except ValueError:
        raise _wrong("a whole number", value) from None
    if isinstance(number, float) and not number.is_integer():
        raise _wrong("a whole number", value)
    return int(number)


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise _wrong("true or false", value)


def _json(value: Any, kind: type, name: str) -> Any:
    if isinstance(value, kind):
        return value
    if isinstance(value, str):  # typed on a command line or in a form
        try:
            parsed = json.loads(value)
        except (ValueError, RecursionError):
            parsed = None
        if isinstance(parsed, kind):
            return parsed
    raise _wrong(name, value)


CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "string": _string,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "object": lambda value: _json(value, dict, "an object"),
    "array": lambda value: _json(value, list, "a list"),
}
