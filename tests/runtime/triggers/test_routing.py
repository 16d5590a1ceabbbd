from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nodegx.runtime.triggers.problem import ConfigError
from nodegx.runtime.triggers.routing import RouteConflictError, Router


def router(*routes: str) -> Router[str]:
    table = Router[str]()
    for route in routes:
        method, _, path = route.partition(" ")
        table.add(method, path, route)
    return table


@pytest.mark.parametrize(
    ("method", "path", "route", "params"),
    [
        ("GET", "/", "GET /", {}),
        ("GET", "/orders", "GET /orders", {}),
        ("GET", "/orders/", "GET /orders", {}),
        ("HEAD", "/orders", "GET /orders", {}),
        ("GET", "/orders/new", "GET /orders/new", {}),
        ("GET", "/orders/7", "GET /orders/{id}", {"id": "7"}),
        ("POST", "/orders/new", "POST /orders/{id}", {"id": "new"}),
        ("GET", "/orders/new/items", "GET /orders/{order}/items", {"order": "new"}),
        ("GET", "/orders/a%2Fb%20c", "GET /orders/{id}", {"id": "a/b c"}),
        ("GET", "/files/a/b.txt", "GET /files/{rest:path}", {"rest": "a/b.txt"}),
        ("GET", "/files/index", "GET /files/index", {}),
    ],
)
def test_finds_the_best_route(method: str, path: str, route: str, params: dict[str, str]) -> None:
    table = router(
        "GET /",
        "GET /orders",
        "GET /orders/new",
        "GET /orders/{id}",
        "POST /orders/{id}",
        "GET /orders/{order}/items",
        "GET /files/{rest:path}",
        "GET /files/index",
    )
    found = table.match(method, path)
    assert (found.route, found.params) == (route, params)


def test_tells_the_methods_of_a_path_without_the_one_asked_for() -> None:
    table = router("GET /orders/new", "PUT /orders/{id}")
    assert table.match("POST", "/orders/new").allowed == ("GET", "HEAD", "PUT")
    assert table.match("POST", "/nowhere").allowed == ()


def test_parameters_match_no_empty_segment() -> None:
    table = router("GET /orders/{id}/items", "GET /files/{rest:path}")
    assert table.match("GET", "/orders//items").route is None
    assert table.match("GET", "/files/").route is None


def test_refuses_two_routes_of_one_shape() -> None:
    table = router("GET /orders/{id}")
    with pytest.raises(RouteConflictError):
        table.add("GET", "/orders/{order}", "again")
    table.add("PUT", "/orders/{order}", "other method")


@pytest.mark.parametrize(
    "path", ["orders", "/a//b", "/{a}/{a}", "/x{a}", "/{a b}", "/{r:path}/more", "/{}"]
)
def test_refuses_malformed_paths(path: str) -> None:
    with pytest.raises(ConfigError):
        router(f"GET {path}")


SEGMENT = st.sampled_from(["a", "b", "{p}", "{q}"])


@settings(max_examples=200)
@given(
    st.lists(st.lists(SEGMENT, max_size=4), max_size=8),
    st.lists(st.sampled_from(["a", "b", "c"]), max_size=4),
)
def test_agrees_with_trying_every_route(patterns: list[list[str]], path: list[str]) -> None:
    table = Router[tuple[str, ...]]()
    known: set[tuple[str, ...]] = set()
    for pattern in patterns:
        names = [part for part in pattern if part.startswith("{")]
        if len(names) != len(set(names)):
            continue
        try:
            table.add("GET", "/" + "/".join(pattern), tuple(pattern))
        except RouteConflictError:
            continue
        known.add(tuple(pattern))

    def fits(pattern: tuple[str, ...]) -> bool:
        return len(pattern) == len(path) and all(
            part.startswith("{") or part == segment
            for part, segment in zip(pattern, path, strict=True)
        )

    # Left to right, a literal beats a parameter.
    expected = min(
        filter(fits, known), key=lambda parts: [p.startswith("{") for p in parts], default=None
    )
    assert table.match("GET", "/" + "/".join(path)).route == expected
