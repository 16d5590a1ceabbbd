"""Requests and responses, before any node gives them a meaning."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from email.message import Message
from typing import NamedTuple

from .addresses import Policy
from .fields import Headers, is_confidential
from .urls import Url

USER_AGENT = "nodegx/1"


class Credentials(NamedTuple):
    """What proves who sends a request; sent to the origin of its first URL alone."""

    headers: tuple[tuple[str, str], ...] = ()
    query: tuple[tuple[str, str], ...] = ()

    def apply(self, url: Url) -> Url:
        """The URL with these query parameters, in place of any of the same name."""
        if not self.query:
            return url
        names = frozenset(name for name, _ in self.query)
        return url.without_query(names).with_query(self.query)


NO_CREDENTIALS = Credentials()


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `content_type` is the body's, unless `headers` name another."""

    method: str
    url: Url
    headers: Headers = field(default_factory=Headers)
    content: bytes | None = None
    content_type: str | None = None
    credentials: Credentials = NO_CREDENTIALS

    def lines(self) -> Headers:
        """All headers as they are sent."""
        sent: Headers = list(self.headers)
        named = {name.lower() for name, _ in sent}
        for name, value in self.credentials.headers:
            if name.lower() in named:
                sent = [line for line in sent if line[0].lower() != name.lower()]
            sent.append((name, value))
        defaults = (
            ("Host", self.url.authority),
            ("User-Agent", USER_AGENT),
            ("Accept", "*/*"),
            ("Accept-Encoding", "gzip, deflate"),
            ("Content-Type", self.content_type if self.content is not None else None),
        )
        added = [(name, value) for name, value in defaults if value and name.lower() not in named]
        return added + sent

    def redirected(self, status: int, location: str) -> Request:
        """The request that follows a redirect: what it carried stays behind where its method
        changes, and credentials where its origin does."""
        target = self.url.join(location)
        request = replace(self, url=target)
        becomes_get = (status == 303 and self.method != "HEAD") or (
            status in (301, 302) and self.method == "POST"
        )
        if becomes_get:
            kept = [line for line in self.headers if not line[0].lower().startswith("content-")]
            request = replace(request, method="GET", content=None, headers=kept)
        if target.origin != self.url.origin:
            kept = [
                line
                for line in request.headers
                if line[0].lower() != "host" and not is_confidential(line[0])
            ]
            request = replace(request, headers=kept, credentials=NO_CREDENTIALS)
        return request


class Limits(NamedTuple):
    """How long, how far and how much. Times are in seconds."""

    timeout: float = 30.0
    connect_timeout: float = 10.0
    read_timeout: float | None = None
    max_redirects: int = 5
    max_bytes: int = 10_000_000
    policy: Policy = Policy()
    verify_tls: bool = True
    proxy: str | None = None


DEFAULT_LIMITS = Limits()


class RawResponse(NamedTuple):
    """A response with its body decompressed. `url` has no credentials in its query."""

    status: int
    reason: str
    headers: Message
    content: bytes
    url: Url
