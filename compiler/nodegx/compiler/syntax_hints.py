"""What people get wrong about JSON, said so that they see it.

The parser says what it expected; this module looks at what stands there instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final

from .diagnostics import quoted

Explanation = tuple[int, str, str]
"""Where the fault is (an index into the text), the message and the hint."""

_WORD: Final = re.compile(r"[A-Za-z_$][\w$]*")
_QUOTES: Final = "'`\u2018\u2019\u201c\u201d"
_WORDS: Final = {
    "True": "JSON writes true in lower case",
    "False": "JSON writes false in lower case",
    "None": "JSON writes null",
    "undefined": "JSON knows no undefined: use null, or leave the key out",
    "nan": "JSON knows no NaN: use null",
    "inf": "JSON knows no infinity: use null",
}


def explain(text: str, error: json.JSONDecodeError) -> Explanation:
    """The place, message and hint for a text that `json` has refused.

    The messages depend on the text alone, not on the Python version.
    """
    if not text.strip():
        return 0, "the file is empty", 'a workflow starts as {"name": "…", "nodes": []}'
    index = min(error.pos, len(text))
    if (comma := _trailing_comma(text, index)) is not None:
        closing = text[comma + 1 :].lstrip()[:1]
        return comma, f"a comma stands before {quoted(closing)}", "remove the comma"
    for start, handler in _MESSAGES:
        if error.msg.startswith(start):
            return handler(text, index)
    return index, "this is not JSON", ""


def _trailing_comma(text: str, index: int) -> int | None:
    """The comma with nothing behind it, at or before `index`, or None. Versions of Python differ
    in which of the two characters they complain about."""
    before = len(text[:index].rstrip()) - 1
    for comma in (index, before):
        if 0 <= comma < len(text) and text[comma] == ",":
            rest = text[comma + 1 :].lstrip()
            return comma if rest[:1] in {"}", "]"} else None
    return None


def _value(text: str, index: int) -> Explanation:
    return _unexpected(text, index, "a value")


def _key(text: str, index: int) -> Explanation:
    return _unexpected(text, index, "a key in double quotes")


def _unexpected(text: str, index: int, wanted: str) -> Explanation:
    if not text[index:].strip():
        end = len(text.rstrip())
        return end, "the file ends in the middle", "a closing bracket or brace is missing"
    message = f"{wanted} must stand here"
    character = text[index]
    if character in _QUOTES:
        return index, message, 'JSON puts texts in straight double quotes: "…"'
    if text.startswith(("//", "/*", "#"), index):
        return index, message, 'JSON has no comments; a node has a "notes" key for them'
    if character == ",":
        return index, message, "one comma too many, or a value left out"
    if word := _WORD.match(text, index):
        hint = _WORDS.get(word[0], "put texts in double quotes")
        return index, message, hint
    if character in "+.0123456789-":
        return index, message, "numbers look like 1, -2.5 or 1e3"
    return index, message, ""


def _comma(text: str, index: int) -> Explanation:
    end = len(text[:index].rstrip())
    if not text[index:].strip():
        return _unexpected(text, index, "")
    if text.startswith(("//", "/*", "#"), index):
        return index, "a comma or a closing bracket must stand here", "JSON has no comments"
    if text[index] in '"{[':
        return end, "a comma is missing here", "put a comma between two entries"
    if _WORD.match(text, index):
        hint = 'a double quote inside a text is written \\"'
        return index, "a comma or a closing bracket must stand here", hint
    return index, "a comma or a closing bracket must stand here", ""


def _colon(text: str, index: int) -> Explanation:
    if not text[index:].strip():
        return _unexpected(text, index, "")
    return index, "a colon must stand between a key and its value", ""


def _unterminated(text: str, index: int) -> Explanation:
    return index, "this text has no closing quote", 'end it with "'


def _control(text: str, index: int) -> Explanation:
    if text[index : index + 1] in {"\n", "\r"}:
        return index, "a text cannot go over several lines", r'write \n, or close it with "'
    return index, "a control character stands inside a text", r"write it as \t or \u00…"


def _escape(text: str, index: int) -> Explanation:
    start = text.rfind("\\", 0, index + 1)
    return start, "a backslash that starts no known escape", r"write a plain backslash as \\"


def _extra(text: str, index: int) -> Explanation:
    if text[index] in "]}":
        return index, "one closing bracket too many", ""
    return index, "the document is over before this", "a file holds one JSON object"


_MESSAGES: Final[tuple[tuple[str, Callable[[str, int], Explanation]], ...]] = (
    ("Expecting value", _value),
    ("Expecting property name", _key),
    ("Expecting ',' delimiter", _comma),
    ("Expecting ':' delimiter", _colon),
    ("Unterminated string", _unterminated),
    ("Invalid control character", _control),
    ("Invalid \\", _escape),
    ("Extra data", _extra),
)
"""What the parser's messages start with, and who explains them."""
