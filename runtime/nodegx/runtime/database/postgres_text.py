"""Any Python text in PostgreSQL, whose texts can hold neither NUL nor lone surrogates."""

from __future__ import annotations

import re

MARK = "\ue000"
"""Begins an escape, of which four digits follow; of a range that Unicode leaves to private use."""

_PLAIN = ((MARK, f"{MARK}e000"), ("\0", f"{MARK}0000"))
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED_SURROGATE = re.compile(f"{MARK}(d[89a-f][0-9a-f]{{2}})")


def encoded(text: str) -> bytes:
    """A text as PostgreSQL takes it; no two texts give the same."""
    for part, escape in _PLAIN:
        text = text.replace(part, escape)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub(lambda match: f"{MARK}{ord(match[0]):x}", text).encode()


def decoded(data: bytes) -> str:
    """What `encoded` made of it."""
    text = str(data, "utf-8")
    if MARK in text:
        text = _ESCAPED_SURROGATE.sub(lambda match: chr(int(match[1], 16)), text)
        for part, escape in reversed(_PLAIN):
            text = text.replace(escape, part)
    return text
