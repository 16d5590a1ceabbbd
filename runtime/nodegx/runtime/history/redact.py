"""What is secret by its name: passwords, tokens, cookies, card numbers.

A value counts as secret if its key says so, also inside text: in the query of a URL, in a form, in
JSON that somebody put into a string, after `Bearer`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from functools import cache, lru_cache
from typing import Any

MARKER = "[redacted]"

# Compared with keys in lower case without `-`, `_` and blanks.
_ANYWHERE = (
    "password", "passwd", "passphrase", "passcode", "pwd", "secret", "authorization", "cookie",
    "apikey", "accesskey", "privatekey", "signingkey", "credential", "cardnumber", "creditcard",
    "debitcard", "cvv", "cvc", "sessionid", "jwt",
)  # fmt: skip
_WHOLE = frozenset({"card", "pin", "ssn"})
_TOKEN = r"token(?!iz)"  # noqa: S105 (a pattern)
_COUNTS = r"tokens$|tokens?(count|limit|usage|used)"

# One of these is in everything that the lists above and the patterns below match. As every captured
# text is searched for them, they are few and short, and have something before them that spares the
# search for all in its row where a text does not have it.
_TRACES = (
    ("z", ("authorization",)),
    ("ss", ("pass", "session", '"ssn')),
    ("ok", ("oke", "cook")),
    ("j", ("jwt",)),
    ("v", ("cvv", "cvc")),
    ("/", ("://",)),
    *((trace, (trace,)) for trace in ("pwd", "cre", "key", "card", '"pin')),
    *((trace, (trace,)) for trace in ("bearer", "basic ", "digest ")),
)
_HINTS = (*_ANYWHERE, "token", *(f'"{name}"' for name in sorted(_WHOLE)))
_SCHEME_HINTS = ("bearer ", "basic ", "digest ")

_NAME = (
    r"(?:pass(?:word|wd|phrase|code)|pwd|secret|token(?!iz)|authorization|cookie|credential|cvv"
    r"|cvc|jwt|(?:api|access|private|signing)[-_ ]?key|session[-_ ]?id"
    r"|(?:credit|debit)[-_]?card|card[-_ ]?number)"
)
_ASSIGNED = (
    # Bounded repetitions: this runs over text that strangers send.
    rf"""(?is)((?<![\w.-])[\w.-]{{0,64}}?{_NAME}[\w.-]{{0,32}}\\{{0,3}}["']?\s{{0,8}}[=:]\s{{0,8}})"""
    r"""(?:(["'])(?:(?!\2)[^\\]|\\.)*|(\\{1,3}["'])[^"']*?(?=\\{0,7}["']|\Z)|[^\s&;,}"'\\]+)"""
)
_SCHEME = r"(?i)\b(Bearer|Basic|Digest)\s{1,8}(?=\S{0,512}[\d=]|\S{20}|(?-i:[A-Za-z]{0,512}?[a-z][A-Z]))[\w.~+/=-]{8,}"
_USERINFO = r"(://)[^/?#\s@\"']{1,512}@"

_pattern = cache(re.compile)  # when first used: compiling them takes longer than a short run


@lru_cache(maxsize=4096)
def is_sensitive(key: str) -> str | None:
    """Whether what a key names is secret: `"always"`; `"text"` unless it is a number, as with
    `max_tokens`; None if not."""
    lower = f'"{key[:256].lower()}"'
    if not _has_trace(lower):
        return None
    name = _bare(lower)[1:-1]
    if name in _WHOLE or any(word in name for word in _ANYWHERE):
        return "always"
    if _pattern(_TOKEN).search(name):
        return "text" if _pattern(_COUNTS).search(name) else "always"
    return None


def has_hint(text: str) -> bool:
    """Whether a text, JSON or not, may have something to redact. Quick, and never wrong with
    False."""
    lower = text.lower()
    if not _has_trace(lower):
        return False
    if "://" in lower and "@" in lower:
        return True
    return has_any(_HINTS, _bare(lower)) or has_any(_SCHEME_HINTS, lower)


def _has_trace(lower: str) -> bool:
    for before, traces in _TRACES:  # noqa: SIM110 - three times as fast as any()
        if before in lower and has_any(traces, lower):
            return True
    return False


def has_any(words: Iterable[str], text: str) -> bool:
    """Whether one of these occurs in a text."""
    for word in words:  # noqa: SIM110 - three times as fast as any()
        if word in text:
            return True
    return False


def _bare(lower: str) -> str:
    return lower.replace("_", "").replace("-", "").replace(" ", "")


def redact_text(text: str) -> str:
    """A text without what it says is secret: `token=…`, `"password": "…"`, `Bearer …`,
    `https://user:password@host`."""
    text = _pattern(_SCHEME).sub(rf"\1 {MARKER}", text)
    text = _pattern(_ASSIGNED).sub(
        lambda found: f"{found[1]}{found[2] or found[3] or ''}{MARKER}", text
    )
    return _pattern(_USERINFO).sub(rf"\1{MARKER}@", text)


class NoJson(TypeError):
    """Data that `json.loads` would not have returned."""


def redact_names(tree: Any, hidden: Collection[str] = ()) -> Any:
    """A copy of JSON data without what is secret by its name.

    Headers may be objects, pairs (`["Authorization", "…"]`) or `{"name": …, "value": …}`.

    Args:
        tree: the data; tuples count as arrays.
        hidden: further keys, as they are spelt, of what is left out whatever it is.

    Raises:
        NoJson: there is something else in it, such as a key that is no text.
    """
    whole: list[Any] = []
    todo: list[_Copied] = [([tree], whole)]
    while todo:
        old, new = todo.pop()
        if _kind(old) is dict:
            _copy_object(old, new, hidden, todo)
        else:
            _copy_array(old, new, todo)
    return whole[0]


def _says_something(text: str) -> bool:
    """Whether a text can be one that `redact_text` changes: it assigns something, is a URL, or has
    several words. Most are words, numbers and names, and need no search."""
    return "=" in text or ":" in text or len(text.split(None, 1)) == 2


_kind: Callable[[Any], object] = type
_Copied = tuple[Any, Any]  # an object or array, and what takes its copy
_AS_THEY_ARE: frozenset[object] = frozenset({int, float, bool, type(None)})


def _copy_object(
    old: dict[str, Any], new: dict[str, Any], hidden: Collection[str], todo: list[_Copied]
) -> None:
    """Copies an object; what it holds that is not copied yet is added to `todo`."""
    for key, value in old.items():
        if type(key) is not str:
            raise NoJson
        if key in hidden or (is_sensitive(key) is not None and _hides(key, value)):
            new[key] = MARKER
        else:
            new[key] = _copied(value, todo)
    if "value" in new:
        name = old.get("name", old.get("key"))
        if type(name) is str and _hides(name, old["value"]):
            new["value"] = MARKER


def _copy_array(old: list[Any], new: list[Any], todo: list[_Copied]) -> None:
    if len(old) == 2 and type(old[0]) is str and _hides(old[0], old[1]):
        new += [old[0], MARKER]
        return
    new += [_copied(value, todo) for value in old]


def _copied(value: Any, todo: list[_Copied]) -> Any:
    """A value without what it says is secret; of an object or array, what takes its copy."""
    kind = _kind(value)
    if kind is str:
        return redact_text(value) if _says_something(value) and has_hint(value) else value
    if kind in _AS_THEY_ARE:
        return value
    if kind is not dict and kind is not list and kind is not tuple:
        raise NoJson
    copy: Any = {} if kind is dict else []
    todo.append((value, copy))
    return copy


def _hides(key: str, value: Any) -> bool:
    if value is None or value is True or value is False or value == "":
        return False
    sensitive = is_sensitive(key)
    return sensitive == "always" or (sensitive == "text" and not isinstance(value, (int, float)))
