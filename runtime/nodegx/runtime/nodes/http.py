"""Implementation of http.request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nodegx.runtime.errors import FatalError

if TYPE_CHECKING:
    from nodegx.runtime.net.content import Content
    from nodegx.runtime.net.message import RawResponse, Request

    from .http_response import Response


async def request(
    method: str,
    url: str,
    *,
    query: Mapping[str, Any] | None = None,
    headers: Mapping[str, Any] | None = None,
    json: Any = None,
    form: Mapping[str, Any] | None = None,
    multipart: Sequence[Mapping[str, Any]] | None = None,
    body: str | None = None,
    body_encoding: str = "text",
    auth: Mapping[str, Any] | None = None,
    timeout: float = 30.0,  # noqa: ASYNC109 (it reaches into the thread and its sockets)
    connect_timeout: float = 10.0,
    read_timeout: float | None = None,
    follow_redirects: bool = True,
    max_redirects: int = 5,
    pagination: Mapping[str, Any] | None = None,
    response_type: str = "auto",
    max_response_bytes: int = 10_000_000,
    success_status: Sequence[str | int] = ("200-399",),
    verify_tls: bool = True,
    proxy: str | None = None,
    allow_private_network: bool = True,
    allow_metadata: bool = False,
) -> Response:
    """Sends an HTTP request; what each argument means is told in the catalog.

    Raises:
        RetriableError: codes `http.timeout`, `http.connection`, `http.dns`, and `http.status` for
            408, 425, 429 and 5xx (details: `status`, `body`, `retryAfter` in seconds).
        FatalError: `http.status` for other statuses, and the codes of `net.client.send`.
    """
    # The client takes longer to import than most runs last that send nothing.
    from nodegx.runtime.clock import duration
    from nodegx.runtime.net import fields, urls
    from nodegx.runtime.net.addresses import Policy
    from nodegx.runtime.net.message import Limits, Request

    from . import http_auth
    from .http_response import Mapper

    limits = Limits(
        timeout=duration(timeout),
        connect_timeout=duration(connect_timeout),
        read_timeout=None if read_timeout is None else duration(read_timeout),
        max_redirects=max_redirects if follow_redirects else 0,
        max_bytes=max_response_bytes,
        policy=Policy(private=allow_private_network, metadata=allow_metadata),
        verify_tls=verify_tls,
        proxy=proxy,
    )
    content = _content(json, form, multipart, body, body_encoding)
    message = Request(
        _method(method),
        urls.parse(url).with_query(fields.pairs(query, "`query`")),
        fields.headers(headers),
        content.data if content else None,
        content.type if content else None,
    )
    authentication = http_auth.authentication(auth, message.url, limits)
    mapper = Mapper(response_type, success_status)

    async def send(message: Request) -> RawResponse:
        response = await http_auth.send(message, limits, authentication)
        mapper.check(message, response)
        return response

    if pagination is None:
        raw = await send(message)
        return mapper.response(raw, mapper.body(raw))
    from . import http_pages

    return await http_pages.collect(message, send, mapper, pagination)


def _method(method: Any) -> str:
    if isinstance(method, str) and method.isascii() and method.isalpha():
        return method.upper()
    raise FatalError(f"{method!r} is not an HTTP method", code="http.method")


def _content(
    json: Any,
    form: Mapping[str, Any] | None,
    multipart: Sequence[Mapping[str, Any]] | None,
    body: str | None,
    encoding: str,
) -> Content | None:
    from nodegx.runtime.net import content as bodies

    if json is not None:
        return bodies.json_content(json)
    if form is not None:
        return bodies.form_content(form)
    if multipart is not None:
        return bodies.multipart_content(multipart)
    if body is not None:
        return bodies.raw_content(body, encoding)
    return None
