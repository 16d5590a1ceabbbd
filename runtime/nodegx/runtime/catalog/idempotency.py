"""How triggers tell that they were asked for the same thing before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from . import checks
from .types import Param, Type

_KEY = Param(
    "key",
    Type.STRING,
    "What tells one request from another: a template over the trigger's own values, and nothing "
    "else.",
    required=True,
    examples=("{{ order.body.id }}", "{{ event.data.shop }}-{{ event.data.order }}"),
)

_REQUIRED = Param(
    "required",
    Type.BOOLEAN,
    "Whether a request without the header `Idempotency-Key` is refused with 400. Default false: "
    "it always starts the workflow.",
    default=False,
    literal=True,
)

_WINDOW = Param(
    "window",
    Type.DURATION,
    "How long a key is remembered, from the first request with it. Default 24 hours.",
    default=86_400,
    minimum=1,
    maximum=366 * 86_400,
    literal=True,
    check=checks.duration,
    examples=("1h", "7d"),
)

_ON_REPEAT = Param(
    "onRepeat",
    Type.STRING,
    "What a request gets whose key is known: `wait` gives it the answer of the first, once that "
    "is there; `conflict` refuses it with 409. Default `wait`.",
    default="wait",
    choices=("wait", "conflict"),
    literal=True,
)


def _header_fault(value: Any) -> str | None:
    """What is wrong with the `idempotency` of an HTTP trigger beyond its single fields."""
    if "key" in value and "required" in value:
        return "has a `key`, so there is no header that could be `required`"
    return None


KEYED = Param(
    "idempotency",
    Type.OBJECT,
    "Starts the workflow once for each key, however often the same arrives. Default: everything "
    "that arrives starts it.",
    explicit=True,
    fields=(_KEY, _WINDOW, _ON_REPEAT),
)
"""For triggers that need a key."""

HEADER = replace(
    KEYED,
    check=_header_fault,
    fields=(
        replace(
            _KEY, required=False, doc=f"{_KEY.doc} Default: the header `Idempotency-Key`, as sent."
        ),
        _REQUIRED,
        _WINDOW,
        _ON_REPEAT,
    ),
)
"""For triggers that are reached over HTTP."""
