"""What is secret by its value: every secret that an execution has read, in any spelling."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from .redact import MARKER, has_any

SHORTEST = (
    4  # characters; a shorter secret is only recognised as a whole text, or all text would go
)


class _Search(NamedTuple):
    needles: tuple[str, ...]  # as they occur in ASCII JSON text
    pattern: re.Pattern[str] | None
    short: frozenset[str]


@lru_cache(maxsize=256)
def _search_for(secrets: frozenset[str]) -> _Search:
    short = frozenset(secret for secret in secrets if len(secret) < SHORTEST)
    forms = {form for secret in secrets - short for form in spellings(secret)}
    ordered = sorted(forms, key=lambda form: (-len(form), form))
    needles = {json.dumps(form)[1:-1] for form in forms} | {json.dumps(text) for text in short}
    pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None
    return _Search(tuple(sorted(needles)), pattern, short)


class SecretValues:
    """The secrets known so far, and the search for them."""

    __slots__ = ("_known", "_search")

    def __init__(self) -> None:
        self._known: frozenset[str] = frozenset()
        self._search = _search_for(self._known)

    def __bool__(self) -> bool:
        return bool(self._known)

    def add(self, value: str) -> None:
        """From now on this value is secret. An empty one hides nothing."""
        if value and value not in self._known:
            self._known |= {value}
            self._search = _search_for(self._known)

    def in_json(self, text: str) -> bool:
        """Whether a secret occurs in a JSON text (ASCII, as `json.dumps` makes it)."""
        return has_any(self._search.needles, text)

    def scrub(self, text: str) -> str:
        """A text without secrets."""
        search = self._search
        if text in search.short:
            return MARKER
        return text if search.pattern is None else search.pattern.sub(MARKER, text)

    def scrub_tree(self, tree: Any) -> Any:
        """JSON data without secrets, in keys, text or numbers; a copy where anything changed."""
        if isinstance(tree, str):
            return self.scrub(tree)
        if isinstance(tree, dict):
            return {self.scrub(key): self.scrub_tree(value) for key, value in tree.items()}  # pyright: ignore
        if isinstance(tree, list):
            return [self.scrub_tree(item) for item in tree]  # pyright: ignore
        if isinstance(tree, (int, float)) and not isinstance(tree, bool):
            return MARKER if self.scrub(json.dumps(tree)) != json.dumps(tree) else tree
        return tree


def spellings(secret: str) -> Iterator[str]:
    """The forms in which a secret may turn up in other text: as it is, escaped for JSON, encoded
    for URLs, and in base64, also as part of something longer such as `user:password`."""
    from urllib.parse import quote, quote_plus

    yield secret
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    data = secret.encode("utf-8", "surrogatepass")
    for encoded in (quote(data, safe=""), quote(data), quote(data, safe="!$&'()*+,;=:@/?~")):
        yield encoded
        yield re.sub("%..", lambda found: found[0].lower(), encoded)
    yield quote_plus(data)
    for offset, skipped in ((0, 0), (1, 2), (2, 3)):
        text = base64.b64encode(b"\0" * offset + data).decode()
        whole = (offset + len(data)) * 8 // 6  # characters that what follows cannot change
        for form in (text, text[:whole]) if offset == 0 else (text[skipped:whole],):
            if len(form) >= SHORTEST:
                yield form
                yield form.translate(_URL_SAFE)


_URL_SAFE = str.maketrans("+/", "-_")
