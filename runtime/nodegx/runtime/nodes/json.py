"""Implementations of data.json, one function for each operation."""

from __future__ import annotations

import json as text_json
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from nodegx.runtime.errors import FatalError
from nodegx.runtime.values import MAX_TEXT, weight

if TYPE_CHECKING:
    from .schema import Fault

CODE = "json.invalid"


def parse(value: Any, *, max_bytes: int = 10_000_000, max_depth: int = 100) -> Any:
    """The value that JSON text stands for.

    Args:
        value: the text.
        max_bytes: longest text accepted, in bytes of UTF-8.
        max_depth: deepest nesting accepted.

    Raises:
        FatalError: code `json.invalid`; details hold `line` and `column` of malformed JSON.
    """
    if not isinstance(value, str):
        from nodegx.runtime.messages import describe_type

        raise FatalError(f"JSON text is needed, not {describe_type(value)}", code=CODE)
    if len(value) > max_bytes or len(value.encode("utf-8", "replace")) > max_bytes:
        raise FatalError(f"the JSON text is longer than {max_bytes} bytes", code=CODE)
    try:
        parsed = text_json.loads(value, parse_constant=_refuse_constant)
    except text_json.JSONDecodeError as error:
        raise FatalError(
            f"malformed JSON at line {error.lineno}, column {error.colno}: {error.msg}",
            code=CODE,
            details={"line": error.lineno, "column": error.colno},
        ) from None
    except RecursionError:
        raise _too_deep(max_depth) from None
    except ValueError:  # the interpreter's limit, as reading a number takes quadratic time
        raise FatalError("the JSON holds a number of too many digits", code=CODE) from None
    if value.count("[") + value.count("{") > max_depth and _deeper_than(parsed, max_depth):
        raise _too_deep(max_depth)
    return parsed


def stringify(value: Any, *, indent: int | None = None, sort_keys: bool = False) -> str:
    """JSON text of a value.

    Raises:
        FatalError: code `json.invalid`, the value is not JSON (a set, NaN, a cycle), or the text
            would have more than `MAX_TEXT` characters.
    """
    if weight(value) > MAX_TEXT:
        raise FatalError(f"the value is not JSON of at most {MAX_TEXT:,} characters", code=CODE)
    try:
        return text_json.dumps(
            value,
            ensure_ascii=False,
            allow_nan=False,
            indent=indent,
            sort_keys=sort_keys,
            separators=(",", ": ") if indent is not None else (",", ":"),
        )
    except (TypeError, ValueError, RecursionError) as error:
        raise FatalError(f"the value is not JSON: {error}", code=CODE) from None


def validate(value: Any, *, schema: dict[str, Any] | bool) -> Any:
    """The value itself, if it fits the schema.

    Raises:
        FatalError: code `json.invalid`; details list every error with the JSONPath of its place.
    """
    try:
        faults = _check(text_json.dumps(schema))(value)
    except RecursionError:
        raise FatalError("the value is nested too deeply to be checked", code=CODE) from None
    if not faults:
        return value
    from .schema_errors import describe

    message, details = describe(faults)
    raise FatalError(f"the value {message}", code=CODE, details=details)


def extract(value: Any, path: str, *, default: Any = None) -> Any:
    """The part at a JSONPath (its first match) or JSON Pointer, or `default`."""
    from . import paths

    return paths.first(path, value, default)


@lru_cache(maxsize=256)
def _check(schema_text: str) -> Callable[[Any], list[Fault]]:
    """What finds all faults of a value.

    Keyed by text, because handlers write their schemas in place: a new object for each call.
    """
    from . import schema as own

    schema = text_json.loads(schema_text)
    try:
        check = own.build(schema)
    except own.UnsupportedError:
        from .schema_library import faults_of

        return faults_of(schema)

    def faults(value: Any) -> list[Fault]:
        found: list[Fault] = []
        check(value, (), found)
        return found

    return faults


def _deeper_than(value: Any, limit: int) -> bool:
    """Whether objects and lists nest deeper than `limit`, level by level without recursion."""
    level: list[Any] = [value] if isinstance(value, dict | list) else []
    depth = 0
    while level:
        depth += 1
        if depth > limit:
            return True
        level = [
            child
            for parent in level
            for child in _children(parent)
            if isinstance(child, dict | list)
        ]
    return False


def _children(parent: Any) -> Iterable[Any]:
    if isinstance(parent, dict):
        return cast("dict[str, Any]", parent).values()
    return cast("list[Any]", parent)


def _too_deep(limit: int) -> FatalError:
    return FatalError(f"the JSON nests deeper than {limit} levels", code=CODE)


def _refuse_constant(name: str) -> Any:
    raise FatalError(f"malformed JSON: {name} is not a number of JSON", code=CODE)
