"""Parts of a document by JSONPath, JSON Pointer or JMESPath.

Plain paths such as `$.lines[0].sku` or `data.items` are walked here; only others import a library.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, cast

from nodegx.runtime.errors import FatalError

Steps = tuple[str | int, ...]

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_PLAIN_JSONPATH = re.compile(rf"\$(?:\.{_NAME}|\[(?:\d+|'[^'\\]*'|\"[^\"\\]*\")\])*", re.ASCII)
_PLAIN_JMESPATH = re.compile(rf"{_NAME}(?:\.{_NAME}|\[\d+\])*", re.ASCII)
_STEP = re.compile(rf"{_NAME}|\d+|'[^'\\]*'|\"[^\"\\]*\"", re.ASCII)
_POINTER_INDEX = re.compile(r"0|[1-9]\d*", re.ASCII)

MISSING: Any = object()
"""What a walk gives where there is nothing."""


def is_plain(path: str) -> bool:
    """Whether a JSONPath, which starts with `$`, or else a JMESPath expression is walked here."""
    plain = _PLAIN_JSONPATH if path.startswith("$") else _PLAIN_JMESPATH
    return plain.fullmatch(path) is not None


def find_all(path: str, document: Any) -> list[Any]:
    """All values a JSONPath finds in a document, in order.

    Raises:
        FatalError: code `path.invalid`, the path is malformed.
    """
    steps = _jsonpath_steps(path)
    if steps is None:
        return _library_find(path, document)
    found = _walk(steps, document)
    return [] if found is MISSING else [found]


def first(path: str, document: Any, default: Any = None) -> Any:
    """The first value at a JSONPath, or the one at a JSON Pointer (`/a/0`); `default` if none.

    Raises:
        FatalError: code `path.invalid`, the path is malformed.
    """
    if path == "" or path.startswith("/"):
        found = _walk_pointer(path, document)
        return default if found is MISSING else found
    found_values = find_all(path, document)
    return found_values[0] if found_values else default


def search(query: str, document: Any) -> Any:
    """What a JMESPath expression makes of a document; null where it finds nothing.

    Raises:
        FatalError: code `path.invalid`, the expression is malformed; `path.failed`, a function in
            it does not accept its arguments.
    """
    steps = _jmespath_steps(query)
    if steps is None:
        return _library_search(query, document)
    found = _walk(steps, document)
    return None if found is MISSING else found


@lru_cache(maxsize=512)
def _jsonpath_steps(path: str) -> Steps | None:
    if not _PLAIN_JSONPATH.fullmatch(path):
        return None
    return tuple(_step(match[0]) for match in _STEP.finditer(path, 1))


@lru_cache(maxsize=512)
def _jmespath_steps(query: str) -> Steps | None:
    if not _PLAIN_JMESPATH.fullmatch(query):
        return None
    return tuple(_step(match[0]) for match in _STEP.finditer(query))


def _step(text: str) -> str | int:
    if text[0] in "'\"":
        return text[1:-1]
    return int(text) if text.isdigit() else text


def _walk(steps: Steps, value: Any) -> Any:
    for step in steps:
        if isinstance(value, dict) and isinstance(step, str):
            value = cast("dict[str, Any]", value).get(step, MISSING)
        elif isinstance(value, list) and isinstance(step, int):
            elements = cast("list[Any]", value)
            value = elements[step] if step < len(elements) else MISSING
        else:
            return MISSING
    return value


def _walk_pointer(pointer: str, value: Any) -> Any:
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = cast("dict[str, Any]", value).get(name, MISSING)
        elif isinstance(value, list) and _POINTER_INDEX.fullmatch(name) and len(name) < 10:
            elements, index = cast("list[Any]", value), int(name)
            value = elements[index] if index < len(elements) else MISSING
        else:
            return MISSING
    return value


@lru_cache(maxsize=256)
def _compiled_jsonpath(path: str) -> Any:
    import jsonpath
    from jsonpath import JSONPathError

    try:
        return jsonpath.compile(path)
    except JSONPathError as error:
        message = str(error).splitlines()[0]
        raise FatalError(f"`{path}` is not a JSONPath: {message}", code="path.invalid") from None


def _library_find(path: str, document: Any) -> list[Any]:
    from jsonpath import JSONPathError

    try:
        return _compiled_jsonpath(path).findall(document)
    except JSONPathError as error:
        raise FatalError(f"`{path}` failed: {error}", code="path.failed") from None


@lru_cache(maxsize=256)
def _compiled_jmespath(query: str) -> Any:
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        return jmespath.compile(query)
    except JMESPathError as error:
        message = str(error).splitlines()[0]
        raise FatalError(f"`{query}` is not JMESPath: {message}", code="path.invalid") from None


def _library_search(query: str, document: Any) -> Any:
    from jmespath.exceptions import JMESPathError, JMESPathTypeError

    try:
        return _compiled_jmespath(query).search(document)
    except JMESPathTypeError as error:  # its own message quotes the value
        wanted = " or ".join(error.expected_types)
        raise FatalError(
            f"`{query}` failed: {error.function_name}() needs {wanted}, not {error.actual_type}",
            code="path.failed",
        ) from None
    except JMESPathError as error:
        message = str(error).splitlines()[0]
        raise FatalError(f"`{query}` failed: {message}", code="path.failed") from None
