"""Values as JSON text for the history: complete where short, without secrets, never failing."""

from __future__ import annotations

import json
import marshal
from functools import lru_cache
from typing import Any

from .jsonpath import Path, compile_path, replace
from .plain import plain
from .redact import MARKER, has_hint, redact_names
from .secret_values import SecretValues

UNREADABLE = '"<unreadable>"'

_encode = json.JSONEncoder(
    check_circular=False, allow_nan=False, separators=(",", ":"), default=plain
).encode


@lru_cache(maxsize=256)
def compile_paths(paths: tuple[str, ...]) -> tuple[Path, ...]:
    """The compiled forms of JSONPaths.

    Raises:
        ValueError: one of them cannot be read.
    """
    return tuple(compile_path(path) for path in paths)


class Capture:
    """Turns values into text for one execution.

    The common value is JSON data without anything secret: it is serialised once, in C, and its
    text is searched for hints. Only a hit leads through Python code over every element.

    Args:
        secrets: secret values; more may be added later.
        paths: JSONPaths, relative to each captured value, of what to leave out.
        max_bytes: the longest text kept; a longer one becomes `{"$truncated": its length,
            "preview": its start}`.
    """

    __slots__ = ("_max_bytes", "_paths", "_secrets")

    def __init__(
        self, secrets: SecretValues, paths: tuple[str, ...] = (), max_bytes: int = 65_536
    ) -> None:
        self._secrets = secrets
        self._paths = compile_paths(paths)
        self._max_bytes = max_bytes

    def text(self, value: Any) -> str:
        """`value` as ASCII JSON text."""
        try:
            text = self._redacted(value)
            return text if len(text) <= self._max_bytes else self._truncated(text)
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
        try:
            # The JSON encoder would take named tuples for lists and lose their keys. marshal
            # refuses all subclasses, cycles and foreign objects, and does so at the speed of C.
            marshal.dumps(value, 2)
            text = _encode(value)
        except Exception:
            text = _encode(plain(value))
        secrets = self._secrets
        has_secret = bool(secrets) and secrets.in_json(text)
        if has_hint(text) or has_secret:
            tree = redact_names(json.loads(text))
        elif self._paths and self._may_match(text):
            tree = json.loads(text)
        else:
            return text
        for path in self._paths:
            tree = replace(tree, path, MARKER)
        if has_secret:
            tree = secrets.scrub_tree(tree)
        text = _encode(tree)
        return self._unless_secret(text) if has_secret else text

    def _may_match(self, text: str) -> bool:
        return any(path.needle is None or path.needle in text for path in self._paths)

    def _truncated(self, text: str) -> str:
        preview = text[: max(0, self._max_bytes - 64)]
        while len(shown := _encode({"$truncated": len(text), "preview": preview})) > max(
            self._max_bytes, 64
        ):
            preview = preview[: max(0, len(preview) - max(16, len(shown) - self._max_bytes))]
        return shown
