"""Pagination of http.request: pages fetched one after the other, their items in one list."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from itertools import count
from typing import Any, NamedTuple, cast

from nodegx.runtime.errors import FatalError
from nodegx.runtime.net.fields import scalar
from nodegx.runtime.net.message import RawResponse, Request

from . import paths
from .http_response import Mapper, Response

CODE = "http.pagination"
MAX_PAGES = 1000
"""Pages after which a pagination without `maxPages` counts as endless."""

Send = Callable[[Request], Awaitable[RawResponse]]
Settings = Mapping[str, Any]


class _Page(NamedTuple):
    """A page that was fetched: its number from 0, and how many items there are with it."""

    number: int
    request: Request
    raw: RawResponse
    body: Any
    items: list[Any]
    so_far: int


async def collect(first: Request, send: Send, mapper: Mapper, settings: Settings) -> Response:
    """Fetches pages until the last one.

    Args:
        first: the request, not yet prepared for the first page.
        send: sends a request and raises what its status means.
        mapper: reads bodies.
        settings: the node's `pagination` parameter.

    Raises:
        FatalError: code `http.pagination`: there is no list at `items`, the next page is the same
            page, or there are more than 1000 pages and no `maxPages`.
    """
    mode = _MODES.get(str(settings.get("mode")))
    if mode is None:
        raise FatalError(f"there is no pagination mode {settings.get('mode')!r}", code=CODE)
    max_pages, max_items = settings.get("maxPages"), settings.get("maxItems")
    request = _first(first, settings)
    collected: list[Any] = []
    for number in count():
        raw = await send(request)
        body = mapper.body(raw)
        items = _items(body, settings)
        collected += items
        page = _Page(number, request, raw, body, items, len(collected))
        full = max_items is not None and len(collected) >= max_items
        following = None
        if not full and number + 1 != max_pages and not _is_last(page, settings):
            following = mode(page, settings)
        if following is None:
            return mapper.response(raw, body=collected[:max_items])
        if following.url == request.url:
            raise FatalError(f"the page after {raw.url.display} is the same page", code=CODE)
        if max_pages is None and number + 1 >= MAX_PAGES:
            raise FatalError(
                f"there are more than {MAX_PAGES} pages: set `maxPages` if that is right", code=CODE
            )
        request = following
    raise AssertionError  # count() does not end


def _next_link(page: _Page, settings: Settings) -> Request | None:
    path = settings.get("next")
    if path is None:
        link = _link_header(", ".join(page.raw.headers.get_all("link") or ()))
    else:
        link = _at(path, page.body)
    if not link:
        return None
    if not isinstance(link, str):
        raise FatalError("the next page's URL is not text", code=CODE)
    return page.request.redirected(307, link)


def _cursor(page: _Page, settings: Settings) -> Request | None:
    mark = _at(settings["cursor"], page.body)
    if mark is None or mark == "" or mark is False:
        return None
    return _with_parameter(page.request, settings, scalar(mark, "the cursor", CODE))


def _page_number(page: _Page, settings: Settings) -> Request | None:
    if _falls_short(page, settings):
        return None
    return _with_parameter(page.request, settings, str(_start(settings) + page.number + 1))


def _offset(page: _Page, settings: Settings) -> Request | None:
    if _falls_short(page, settings):
        return None
    return _with_parameter(page.request, settings, str(_start(settings) + page.so_far))


_MODES: Mapping[str, Callable[[_Page, Settings], Request | None]] = {
    "nextLink": _next_link,
    "cursor": _cursor,
    "page": _page_number,
    "offset": _offset,
}
_COUNTED = {"page": 1, "offset": 0}


def _first(request: Request, settings: Settings) -> Request:
    """The request for the first page, with its number or offset and the size of pages."""
    if settings["mode"] not in _COUNTED:
        return request
    size, name = settings.get("size"), settings.get("sizeParameter")
    if size is not None and name is not None:
        request = _with_query(request, name, str(size))
    return _with_parameter(request, settings, str(_start(settings)))


def _start(settings: Settings) -> int:
    start = settings.get("start")
    return _COUNTED[settings["mode"]] if start is None else int(start)


def _falls_short(page: _Page, settings: Settings) -> bool:
    return len(page.items) < (settings.get("size") or 1)


def _is_last(page: _Page, settings: Settings) -> bool:
    has_more, total = settings.get("hasMore"), settings.get("total")
    if has_more is not None and not _at(has_more, page.body):
        return True
    number = _at(total, page.body) if total is not None else None
    return isinstance(number, int | float) and page.so_far >= number


def _items(body: Any, settings: Settings) -> list[Any]:
    path = settings.get("items")
    found = body if path is None else _at(path, body)
    if found is None:
        return []
    if isinstance(found, list):
        return cast("list[Any]", found)
    where = f"at `{path}` in the page" if path is not None else "in the page's body"
    raise FatalError(f"there is no list of items {where}", code=CODE)


def _at(path: str, body: Any) -> Any:
    return paths.first(path, body) if path.startswith("$") else paths.search(path, body)


def _with_parameter(request: Request, settings: Settings, value: str) -> Request:
    return _with_query(request, settings.get("parameter") or settings["mode"], value)


def _with_query(request: Request, name: str, value: str) -> Request:
    url = request.url.without_query(frozenset({name})).with_query([(name, value)])
    return replace(request, url=url)


_LINK = re.compile(r"<([^<>]*)>((?:\s*;\s*[^\s=;,]+(?:\s*=\s*(?:\"[^\"]*\"|[^\s;,\"]*))?)*)")
_REL = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]+))", re.IGNORECASE)


def _link_header(value: str) -> str | None:
    """The target of the first link with the relation `next`."""
    for match in _LINK.finditer(value[:20_000]):
        relation = _REL.search(match[2])
        if relation and "next" in (relation[1] or relation[2]).lower().split():
            return match[1]
    return None
