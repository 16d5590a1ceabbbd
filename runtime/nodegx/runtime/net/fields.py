"""Headers and name-value pairs: what users write, checked and made text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from json import dumps
from typing import Any, cast

from nodegx.runtime.errors import FatalError
from nodegx.runtime.messages import describe_type

Headers = list[tuple[str, str]]

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_OURS = frozenset(
    {"connection", "content-length", "expect", "keep-alive", "te", "trailer", "transfer-encoding"}
    | {"proxy-connection", "upgrade"}
)
_CONFIDENTIAL = re.compile(
    r"auth|token|key|secret|cookie|session|signature|credential|password", re.IGNORECASE
)


def headers(given: Any) -> Headers:
    """Headers of a request by name, nulls left out.

    Raises:
        FatalError: code `http.header`: a name or value that would break out of its line, or a
            header that frames the message, which is the client's own business.
    """
    members = mapping(given, "`headers`", "http.header").items()
    return [header(name, value) for name, value in members if value is not None]


def header(name: str, value: Any) -> tuple[str, str]:
    """One header, checked."""
    if not _TOKEN.fullmatch(name):
        raise FatalError(f"{name!r} is not the name of a header", code="http.header")
    if name.lower() in _OURS:
        raise FatalError(f"the header `{name}` is set by the client itself", code="http.header")
    text = scalar(value, f"the header `{name}`", "http.header").strip(" \t")
    if _CONTROL.search(text):
        raise FatalError(
            f"the header `{name}` holds a line break or another control character",
            code="http.header",
        )
    return name, text


def is_confidential(name: str) -> bool:
    """Whether a header seems to carry credentials, which must not follow to another origin."""
    return _CONFIDENTIAL.search(name) is not None


def pairs(given: Any, what: str) -> list[tuple[str, str]]:
    """Names and values of a query or form: lists repeat a name, nulls are left out.

    Raises:
        FatalError: code `http.parameter`, it is no object, or a value in it is one.
    """
    found: list[tuple[str, str]] = []
    for name, value in mapping(given, what, "http.parameter").items():
        values = cast("list[Any]", value) if isinstance(value, list | tuple) else [value]
        label = f"`{name}` of {what}"
        found += [(name, scalar(one, label, "http.parameter")) for one in values if one is not None]
    return found


def mapping(given: Any, what: str, code: str) -> Mapping[str, Any]:
    """An object, or an empty one for null; expressions in a workflow may give anything else."""
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return cast("Mapping[str, Any]", given)
    raise FatalError(f"{what} must be an object, not {describe_type(given)}", code=code)


def scalar(value: Any, what: str, code: str) -> str:
    """Text of a scalar as JSON writes it, but text itself without quotes."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return dumps(value)
    raise FatalError(
        f"{what} must be text, a number or a boolean, not {describe_type(value)}", code=code
    )
