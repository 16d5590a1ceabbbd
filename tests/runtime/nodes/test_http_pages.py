from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from nodegx.runtime.errors import FatalError, RetriableError
from nodegx.runtime.nodes import http, http_pages

from tests.support.loopback import Answer, Loopback, Seen

NUMBERS = list(range(1, 24))


def numbered(page_of: Callable[[Seen], tuple[int, int]]) -> Callable[[Seen], Answer]:
    """Answers with the slice of NUMBERS that `page_of` finds in the request."""

    def route(seen: Seen) -> Answer:
        start, size = page_of(seen)
        items = NUMBERS[start : start + size]
        more = start + size < len(NUMBERS)
        return Answer(200, {"data": {"items": items}, "total": len(NUMBERS), "more": more})

    return route


def by_page(seen: Seen) -> tuple[int, int]:
    size = int(seen.query.get("per_page", ["5"])[0])
    return (int(seen.query["page"][0]) - 1) * size, size


def by_offset(seen: Seen) -> tuple[int, int]:
    return int(seen.query["offset"][0]), int(seen.query.get("limit", ["5"])[0])


async def items(url: str, **pagination: Any) -> list[Any]:
    response = await http.request("GET", url, pagination={"items": "data.items"} | pagination)
    return response.body


@pytest.mark.parametrize(
    ("more", "pages"),
    [
        ({}, 6),
        ({"size": 5}, 5),
        ({"size": 10, "sizeParameter": "per_page"}, 3),
        ({"hasMore": "more"}, 5),
        ({"total": "total"}, 5),
        ({"total": "$.total", "items": "$.data.items"}, 5),
    ],
)
async def test_pages(site: Loopback, more: dict[str, Any], pages: int) -> None:
    url = site.at("/a", numbered(by_page))
    assert await items(url, mode="page", **more) == NUMBERS
    assert len(site.seen) == pages


@pytest.mark.parametrize(
    ("more", "pages"),
    [({}, 6), ({"size": 10, "sizeParameter": "limit"}, 3), ({"hasMore": "more"}, 5)],
)
async def test_offsets(site: Loopback, more: dict[str, Any], pages: int) -> None:
    url = site.at("/a", numbered(by_offset))
    assert await items(url, mode="offset", **more) == NUMBERS
    assert len(site.seen) == pages


async def test_start_and_name_of_the_parameter(site: Loopback) -> None:
    url = site.at(
        "/a", lambda seen: Answer(200, [seen.query["p"][0]] if "2" in seen.target else [])
    )
    response = await http.request(
        "GET", url, pagination={"mode": "page", "start": 2, "parameter": "p"}
    )
    assert response.body == ["2"]
    assert [seen.query for seen in site.seen] == [{"p": ["2"]}, {"p": ["3"]}]


async def test_cursors(site: Loopback) -> None:
    marks = {"": ([1, 2], "b=&1"), "b=&1": ([3], 17), "17": ([4], None)}

    def route(seen: Seen) -> Answer:
        found, following = marks[seen.query.get("after", [""])[0]]
        return Answer(200, {"data": found, "meta": {"next": following}})

    url = site.at("/a", route)
    response = await http.request(
        "GET",
        url,
        query={"q": "x"},
        pagination={"mode": "cursor", "cursor": "meta.next", "parameter": "after", "items": "data"},
    )
    assert response.body == [1, 2, 3, 4]
    assert all(seen.query["q"] == ["x"] for seen in site.seen)


async def test_links_in_the_body(site: Loopback) -> None:
    def route(seen: Seen) -> Answer:
        page = int(seen.query.get("page", ["1"])[0])
        return Answer(200, {"items": [page], "next": f"?page={page + 1}" if page < 3 else None})

    url = site.at("/a", route)
    for path in ("next", "$.next"):
        settings = {"mode": "nextLink", "next": path, "items": "items"}
        response = await http.request("GET", url, pagination=settings)
        assert response.body == [1, 2, 3]
        assert response.url == url + "?page=3"


async def test_links_in_the_header(site: Loopback) -> None:
    def route(seen: Seen) -> Answer:
        page = int(seen.query.get("page", ["1"])[0])
        link = f'<{site.url}/a?page=1>; rel="first", <{site.url}/a?page={page + 1}>; rel="next"'
        return Answer(200, [page], {"Link": link} if page < 3 else {})

    response = await http.request("GET", site.at("/a", route), pagination={"mode": "nextLink"})
    assert response.body == [1, 2, 3]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("<http://a/>; rel=next", "http://a/"),
        ('<http://a/>; title="a, b; c"; rel="prev next"', "http://a/"),
        ('<http://a/>; rel="prev", <http://b/?x=1,2>; REL=Next', "http://b/?x=1,2"),
        ("<http://a/>", None),
        ("nonsense", None),
        ("<" * 100_000, None),
        ("<a>;" * 20_000, None),
    ],
)
def test_link_headers(value: str, expected: str | None) -> None:
    assert http_pages._link_header(value) == expected


async def test_credentials_do_not_follow_links_to_others(
    site: Loopback, other_site: Loopback
) -> None:
    other_site.at("/b", Answer(200, {"items": [2], "next": f"{site.url}/c"}))
    site.at("/c", Answer(200, {"items": [3]}))
    url = site.at("/a", Answer(200, {"items": [1], "next": f"{other_site.url}/b"}))
    response = await http.request(
        "GET",
        url,
        headers={"X-Api-Key": "k", "X-Trace": "1"},
        auth={"type": "bearer", "token": "t"},
        pagination={"mode": "nextLink", "next": "next", "items": "items"},
    )
    assert response.body == [1, 2, 3]
    assert site.seen[0].headers["authorization"] == "Bearer t"
    assert not {"authorization", "x-api-key"} & set(other_site.seen[0].headers)
    assert other_site.seen[0].headers["x-trace"] == "1"
    assert site.seen[1].headers["authorization"] == "Bearer t"


async def test_links_are_under_the_policy(site: Loopback) -> None:
    url = site.at("/a", Answer(200, {"items": [1], "next": "http://169.254.169.254/latest"}))
    with pytest.raises(FatalError) as caught:
        await items(url, mode="nextLink", next="next", items="items")
    assert caught.value.code == "http.address"


async def test_limits(site: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    url = site.at("/a", numbered(by_page))
    assert await items(url, mode="page", maxPages=2) == NUMBERS[:10]
    assert len(site.seen) == 2
    assert await items(url, mode="page", maxItems=7) == NUMBERS[:7]
    assert len(site.seen) == 4
    endless = site.at("/b", lambda seen: Answer(200, [seen.query["page"][0]]))
    monkeypatch.setattr(http_pages, "MAX_PAGES", 20)
    with pytest.raises(FatalError, match="more than 20 pages") as caught:
        await http.request("GET", endless, pagination={"mode": "page"})
    assert caught.value.code == "http.pagination"
    response = await http.request("GET", endless, pagination={"mode": "page", "maxPages": 25})
    assert len(response.body) == 25


@pytest.mark.parametrize(
    ("body", "settings", "words"),
    [
        ({"data": {}}, {"mode": "page", "items": "data"}, "no list of items at `data`"),
        ({"data": []}, {"mode": "page"}, "no list of items in the page's body"),
        ([1], {"mode": "nextLink", "next": "@"}, "not text"),
        ({"i": [1], "n": "/a"}, {"mode": "nextLink", "next": "n", "items": "i"}, "same page"),
        ({"i": [1], "n": {}}, {"mode": "cursor", "cursor": "n", "items": "i"}, "the cursor"),
        ([1], {"mode": "random"}, "no pagination mode"),
    ],
)
async def test_pages_that_make_no_sense(
    site: Loopback, body: Any, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(FatalError, match=words) as caught:
        await http.request("GET", site.at("/a", Answer(200, body)), pagination=settings)
    assert caught.value.code == "http.pagination"


async def test_a_cursor_that_does_not_move_is_noticed(site: Loopback) -> None:
    url = site.at("/a", Answer(200, {"i": [1], "n": "same"}))
    with pytest.raises(FatalError, match="same page"):
        await items(url, mode="cursor", cursor="n", items="i")
    assert len(site.seen) == 2


async def test_nothing_to_page_through(site: Loopback) -> None:
    assert await items(site.at("/a", Answer(200, {"data": {"items": []}})), mode="page") == []
    assert await items(site.at("/b", Answer(204)), mode="nextLink") == []


async def test_a_page_that_fails_fails_the_node(site: Loopback) -> None:
    url = site.at("/a", Answer(200, [1]), Answer(503, "busy"))
    with pytest.raises(RetriableError) as caught:
        await http.request("GET", url, pagination={"mode": "page"})
    assert caught.value.details["status"] == 503
