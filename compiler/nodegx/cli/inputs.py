"""JSON that people give on the command line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import click

from .errors import CliError
from .exit_codes import ExitCode
from .streams import read_stdin


def read_json(source: str, what: str = "input") -> Any:
    """The JSON document in the file `source`, or on standard input for `-`.

    Args:
        source: the file's name.
        what: what it is, for messages.

    Raises:
        CliError: it cannot be read or is not JSON.
    """
    name = "standard input" if source == "-" else source
    try:
        text = read_stdin() if source == "-" else Path(source).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise CliError(f"there is no file {source}", ExitCode.NOT_FOUND) from None
    except UnicodeDecodeError:
        raise CliError(f"the {what} in {name} is not UTF-8 text", ExitCode.USAGE) from None
    try:
        return _loads(text)
    except (ValueError, RecursionError) as error:
        raise CliError(f"the {what} in {name} is not JSON: {error}", ExitCode.USAGE) from None


def _loads(text: str) -> Any:
    return json.loads(text, parse_constant=_refuse)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


def parse_json(text: str, what: str = "data") -> Any:
    """A JSON document given as text; `@FILE` and `-` read it from a file or standard input.

    Raises:
        CliError: it cannot be read or is not JSON.
    """
    if text == "-" or text.startswith("@"):
        return read_json(text.removeprefix("@"), what)
    try:
        return _loads(text)
    except (ValueError, RecursionError) as error:
        raise CliError(
            f"the {what} is not JSON: {error}",
            ExitCode.USAGE,
            hint="""write JSON such as '{"id": 7}', or @FILE, or - for standard input""",
        ) from None


def assignment(text: str) -> tuple[str, Any]:
    """`key=value` as a pair. The value is JSON where it can be read as such, else text; the type of
    an option.

    Raises:
        click.BadParameter: there is no `=`, or nothing before it.
    """
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise click.BadParameter(f"{text!r} is not KEY=VALUE")
    try:
        return key.strip(), _loads(value)
    except (ValueError, RecursionError):
        return key.strip(), value


def with_assignments(data: Any, assignments: Iterable[tuple[str, Any]]) -> Any:
    """`data` with values set at dotted keys, such as `customer.name`; objects are made where they
    are missing.

    Raises:
        CliError: the data has something else than an object on the way.
    """
    pairs = list(assignments)
    if not pairs:
        return data
    root: Any = {} if data is None else data
    for key, value in pairs:
        *path, last = key.split(".")
        place: Any = root
        for step in path:
            place = _object(place, key).setdefault(step, {})
        _object(place, key)[last] = value
    return root


def _object(value: Any, key: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return cast("dict[str, Any]", value)
    raise CliError(f"--set {key}: the input is not an object there", ExitCode.USAGE)
