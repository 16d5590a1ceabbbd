"""URLs taken apart once, strictly, so that all parts of the client mean the same host."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus, unquote_plus, urljoin, urlsplit

from nodegx.runtime.errors import FatalError
from nodegx.runtime.messages import describe_type

CODE = "http.url"
_PORTS = {"http": 80, "https": 443}
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\]")
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}", re.ASCII)
_IPV6 = re.compile(r"[0-9A-Fa-f:.]{2,45}", re.ASCII)
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PATH_SAFE = "/%:@!$&'()*+,;=~-._[]"
_QUERY_SAFE = _PATH_SAFE + "?"

Pairs = Iterable[tuple[str, str]]


class Url(NamedTuple):
    """An absolute http or https URL. `path` and `query` are percent-encoded; there is neither a
    fragment nor a user name."""

    scheme: str
    host: str
    port: int
    path: str
    query: str

    @property
    def origin(self) -> tuple[str, str, int]:
        """What must be equal for credentials to be sent along."""
        return (self.scheme, self.host, self.port)

    @property
    def authority(self) -> str:
        """Host, and port where it is not the scheme's own; the value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def target(self) -> str:
        """Path and query, as the request line has them."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def display(self) -> str:
        """The URL without its query, for messages: queries may be confidential."""
        return f"{self.scheme}://{self.authority}{self.path}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"

    def with_query(self, pairs: Pairs) -> Url:
        """This URL with query parameters added after those it has."""
        added = encode_query(pairs)
        return self._replace(query="&".join(part for part in (self.query, added) if part))

    def without_query(self, names: frozenset[str]) -> Url:
        """This URL without the query parameters called `names`."""
        kept = [
            part
            for part in self.query.split("&")
            if part and unquote_plus(part.partition("=")[0]) not in names
        ]
        return self._replace(query="&".join(kept))

    def join(self, reference: str) -> Url:
        """The URL that a relative or absolute reference found here means."""
        return parse(urljoin(str(self), reference.strip()))


def parse(text: Any) -> Url:
    """Reads an absolute URL; characters outside ASCII in its path and query are encoded.

    Raises:
        FatalError: code `http.url`.
    """
    if not isinstance(text, str):
        raise FatalError(f"a URL must be text, not {describe_type(text)}", code=CODE)
    text = text.strip()
    try:
        parts = urlsplit(_encoded(text))
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise FatalError(f"not a URL: {error}", code=CODE) from None
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or not host:
        raise FatalError("not an absolute http or https URL", code=CODE)
    if "@" in parts.netloc:
        raise FatalError("a URL must not hold a user name or password: use `auth`", code=CODE)
    if port == 0:
        raise FatalError("the URL's port is 0", code=CODE)
    return Url(
        scheme,
        _host(host),
        port or _PORTS[scheme],
        quote(_STRAY_PERCENT.sub("%25", parts.path), safe=_PATH_SAFE) or "/",
        quote(_STRAY_PERCENT.sub("%25", parts.query), safe=_QUERY_SAFE),
    )


def _encoded(text: str) -> str:
    """The text with blanks in path and query encoded, as people paste them; anything else that
    parsers are known to read in different ways is refused."""
    head, slash, tail = text.partition("://")
    authority = re.split(r"[/?#]", tail, maxsplit=1)[0]
    rest = tail[len(authority) :].replace(" ", "%20")
    found = _FORBIDDEN.search(head + authority) or _FORBIDDEN.search(rest)
    if found:
        raise FatalError(
            f"not a URL: it holds the character {found[0]!r} where none is allowed", code=CODE
        )
    return head + slash + authority + rest


def _host(host: str) -> str:
    if ":" in host:
        if _IPV6.fullmatch(host):
            return host.lower()
        raise FatalError("not a URL: its IPv6 address is malformed", code=CODE)
    try:
        name = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        name = ""
    if not _HOST.fullmatch(name):
        raise FatalError(f"`{host}` is not the name of a host", code=CODE)
    return name.lower()


def encode_query(pairs: Pairs) -> str:
    """Names and values as the query of a URL."""
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)


def encode_form(pairs: Pairs) -> str:
    """Names and values as application/x-www-form-urlencoded."""
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs)
