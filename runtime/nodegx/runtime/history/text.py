"""Values as JSON text for the history: complete where short, without secrets, never failing."""

from __future__ import annotations

import json
import marshal
from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

from nodegx.runtime.values import weight

from .extent import is_longer
from .jsonpath import Path, compile_path, replace
from .redact import MARKER, NoJson, has_any, has_hint, redact_names
from .secret_values import SecretValues

UNREADABLE = '"<unreadable>"'

MAX_WRITTEN = 8_000_000
"""Characters of a text that is written as a whole even if it will be cut; of one that is about
longer than that, and than what may be kept, only the start is written."""

_SMALL = 4096
"""Bytes of values that are not asked how long they are as text, to save the time."""


def _plain(value: Any, *room: int) -> Any:
    from .plain import plain  # here: JSON data needs none of it

    return plain(value, *room)


def _encoder() -> Callable[[Any], str]:
    """Writes JSON text, without blanks. Python's encoder makes a part in C anew each time that it
    is called; where there is that part, it is made once here, which saves a quarter of the time."""
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return json.JSONEncoder(
            check_circular=False, allow_nan=False, separators=(",", ":"), default=_plain
        ).encode
    strings = json.encoder.encode_basestring_ascii
    chunks: Any = make(None, _plain, strings, None, ":", ",", False, False, False)
    return lambda value: "".join(chunks(value, 0))


_encode = _encoder()


@lru_cache(maxsize=256)
def _rules(paths: tuple[str, ...]) -> tuple[tuple[str, ...], frozenset[str], tuple[Path, ...]]:
    """What a workflow's own paths leave out: of which texts one is in each that a path can match in
    ("" is everywhere), what `$..key` names, and the other paths."""
    compiled = [compile_path(path) for path in paths]
    return (
        tuple(path.needle or "" for path in compiled),
        frozenset(path.key for path in compiled if path.key is not None),
        tuple(path for path in compiled if path.key is None),
    )


class Capture:
    """Turns values into text for one execution.

    The common value is JSON data without anything secret: it is serialised once, in C, and its
    text is searched for hints. Only a hit leads through Python code over every element.

    Args:
        secrets: secret values; more may be added later.
        paths: JSONPaths, relative to each captured value, of what to leave out.
        max_bytes: the longest text kept; a longer one becomes `{"$truncated": its length,
            "preview": its start}`.

    Raises:
        ValueError: one of the paths cannot be read.
    """

    __slots__ = ("_keys", "_max_bytes", "_most", "_needles", "_paths", "_secrets")

    def __init__(
        self, secrets: SecretValues, paths: tuple[str, ...] = (), max_bytes: int = 65_536
    ) -> None:
        self._secrets = secrets
        self._needles, self._keys, self._paths = _rules(paths)
        self._max_bytes = max_bytes
        # Where lengths are estimated, numbers count up to three times what they are as text.
        self._most = max(MAX_WRITTEN, 4 * max_bytes)

    def text(self, value: Any) -> str:
        """`value` as ASCII JSON text."""
        try:
            return self._data(value)
        except Exception:  # it is no JSON data
            return self._shown(value)

    def _data(self, value: Any) -> str:
        names: tuple[str, ...] | None = getattr(value, "_fields", None)
        if names is not None and isinstance(value, tuple):  # what triggers give
            value = dict(zip(names, cast("tuple[Any, ...]", value), strict=True))
        # The JSON encoder would take named tuples for lists and lose their keys. marshal refuses
        # all subclasses and foreign objects, at the speed of C; and since its third version it
        # writes what a value holds many times only once.
        known = marshal.dumps(value, 4)
        if len(known) > _SMALL and is_longer(value, self._most):
            return self._truncated(self._redacted(_plain(value, self._max_bytes)), weight(value))
        return self._cut(self._redacted(value))

    def _shown(self, value: Any) -> str:
        try:
            return self._cut(self._redacted(_plain(value, self._most)))
        except Exception:  # out of memory, or a value that changes while it is read
            return UNREADABLE

    def scrub(self, text: str) -> str:
        """A captured text without the secrets that are known by now."""
        if not self._secrets.in_json(text):
            return text
        scrubbed = _encode(self._secrets.scrub_tree(json.loads(text)))
        return self._unless_secret(scrubbed)

    def _unless_secret(self, text: str) -> str:
        """The text, or a mere marker if a secret spans several of its values."""
        secret = self._secrets.in_json(text.replace(MARKER, ""))
        return _encode(MARKER) if secret else text

    def _redacted(self, value: Any) -> str:
        text = _encode(value)
        secrets = self._secrets
        has_secret = bool(secrets) and secrets.in_json(text)
        if not (has_secret or has_any(self._needles, text) or has_hint(text)):
            return text
        try:
            tree = redact_names(value, self._keys)
        except NoJson:
            tree = redact_names(json.loads(text), self._keys)
        for path in self._paths:
            tree = replace(tree, path, MARKER)
        if has_secret:
            tree = secrets.scrub_tree(tree)
        text = _encode(tree)
        return self._unless_secret(text) if has_secret else text

    def _cut(self, text: str) -> str:
        return text if len(text) <= self._max_bytes else self._truncated(text, len(text))

    def _truncated(self, text: str, length: int) -> str:
        preview = text[: max(0, self._max_bytes - 64)]
        while len(shown := _encode({"$truncated": length, "preview": preview})) > max(
            self._max_bytes, 64
        ):
            preview = preview[: max(0, len(preview) - max(16, len(shown) - self._max_bytes))]
        return shown
