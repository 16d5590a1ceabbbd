"""Any Python text in PostgreSQL, whose texts can hold neither NUL nor lone surrogates."""

from __future__ import annotations

import re

MARK = "\ue000"
"""Begins an escape; of a range that Unicode leaves to private use."""

_UNSAFE = re.compile(f"[\\0\ud800-\udfff{MARK}]")
_ESCAPE = re.compile(f"{MARK}([0-9a-f]{{4}})")


def escaped(text: str) -> str:
    """A text that PostgreSQL takes, and no two texts give the same."""
    return _UNSAFE.sub(lambda match: f"{MARK}{ord(match[0]):04x}", text)


def unescaped(text: str) -> str:
    """What `escaped` made of it."""
    if MARK not in text:
        return text
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
