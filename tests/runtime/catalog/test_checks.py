from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from nodegx.runtime import durations
from nodegx.runtime.catalog import CATALOG, checks
from nodegx.runtime.catalog.types import Param

GOOD: dict[Callable[[Any], str | None], list[Any]] = {
    checks.duration: [0, 1.5, "500ms", "5s", "2m", "1.5h", "3d", "1w", " 10 s ", "7"],
    checks.cron: ["0 6 * * MON-FRI", "*/5 * * * *", "0 0 29 2 *", "*/10 * * * * *", "0 0 L * *"],
    checks.timezone: ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"],
    checks.moment: ["2026-05-01T08:00:00+02:00", "2026-05-01T08:00:00Z", "2026-05-01 08:00"],
    checks.jmespath: ["a.b[?c > `1`].d | [0]", "length(@)"],
    checks.jsonpath: ["$", "$..a[?@.b > 1]", "$['a'][0]"],
    checks.json_location: ["$.a", "/a/0", ""],
    checks.body_path: ["$.a", "a.b", "[0]"],
    checks.json_schema: [True, {}, {"type": "string"}, {"$ref": "#/$defs/a", "$defs": {"a": {}}}],
    checks.url_path: ["/", "/orders", "/orders/{id}", "/a/{b}/c/{d}/", "/files/{rest:path}"],
    checks.status_range: [200, "404", "200-299", "200-200"],
    checks.header_name: ["X-A", "accept", "x_y"],
    checks.http_url: ["http://a.example", "HTTPS://a.example:8443/b?c#d", "http://[::1]/"],
    checks.proxy_url: ["http://proxy:3128"],
    checks.identifier: ["a", "a_1", "größe"],
    checks.argument_names: [{}, {"a": 1, "b_2": None}, "{{ order.body }}"],
    checks.event_pattern: ["order.created", "order.*", "*"],
    checks.queue: ["orders", "a_b-C1.fifo", "arn:aws:sqs:eu-central-1:123456789012:orders.fifo"],
    checks.bucket: ["uploads", "a-1", "arn:aws:s3:::acme.uploads"],
    checks.table: [
        "orders",
        "Orders_v1.2",
        "arn:aws-cn:dynamodb:cn-north-1:123456789012:table/o/stream/2026-01-01T00:00:00.000",
    ],
    checks.requirement: ["rich", "numpy>=2,<3", "a[b,c] ~= 1.0", "x==1.*", "ruamel.yaml != 0.1"],
}
BAD: dict[Callable[[Any], str | None], list[Any]] = {
    checks.duration: [
        -1,
        "-1s",
        "soon",
        "5 minutes",
        "",
        None,
        True,
        [],
        "1e3",
        float("nan"),
        "1٣s",
    ],
    checks.cron: ["* * * *", "61 * * * *", "every day", "", "0 0 30 2 *", 5],
    checks.timezone: ["Berlin", "../UTC", "", "/etc/passwd", "Europe/Berlin\0", 3],
    checks.moment: ["tomorrow", "2026-13-01", "", 5],
    checks.jmespath: ["a[", "", "a..b"],
    checks.jsonpath: ["$.[", "$["],
    checks.json_location: ["$.["],
    checks.body_path: ["$.[", "a["],
    checks.json_schema: [3, "string", None, {"type": "strin"}, {"required": "a"}],
    checks.url_path: [
        "orders",
        "/a//b",
        "/a/../b",
        "/a/./b",
        "/a?b",
        "/a#b",
        "/a b",
        "/{id}/{id}",
        "/{1d}",
        "/{}",
        "/a{id}",
        "/{rest:path}/a",
        "/{id:int}",
        "/ä",
        "/a\\b",
        "/a\n",
    ],
    checks.status_range: [99, "600", "2xx", "299-200", True, None, "200-", 200.0],
    checks.header_name: ["", "X A", "X:", "X\r\nY"],
    checks.http_url: [
        "a.example",
        "ftp://a.example",
        "http://",
        "http://u:p@a.example",
        "http://a:99999",
        "http://a:0",
        "http://[",
        "javascript:x",
    ],
    checks.proxy_url: ["https://proxy:3128", "socks5://proxy"],
    checks.identifier: ["", "1a", "a-b", "class", "a b", None, 3],
    checks.argument_names: [{"a-b": 1}, {"": 1}, {"for": 1}],
    checks.event_pattern: ["", " ", "a*b", "**"],
    checks.queue: ["", "a b", "a.b", "a" * 61, "arn:aws:sqs:eu-central-1:1:orders", "a\n"],
    checks.bucket: ["", "Uploads", "-a", "a.b", "arn:aws:s3:::a/b", "arn:aws:sqs:::a"],
    checks.table: ["", "a/b", "arn:aws:dynamodb:eu-central-1:123456789012:table/orders"],
    checks.requirement: [
        "",
        "-r x",
        "a @ https://evil.example/a.whl",
        "https://evil.example",
        "../a",
        "a; b",
        "a\n--hash=x",
        "a b",
    ],
}


@pytest.mark.parametrize("check", GOOD, ids=lambda check: check.__name__)
def test_good_values(check: Callable[[Any], str | None]) -> None:
    assert {repr(value): check(value) for value in GOOD[check] if check(value)} == {}


@pytest.mark.parametrize("check", BAD, ids=lambda check: check.__name__)
def test_bad_values(check: Callable[[Any], str | None]) -> None:
    assert [value for value in BAD[check] if check(value) is None] == []
    for value in BAD[check]:
        fault = check(value)
        assert fault is not None
        assert "\n" not in fault


def test_every_check_has_its_table() -> None:
    def used(params: tuple[Param, ...]) -> set[Any]:
        found: set[Any] = set()
        for param in params:
            found |= (
                {param.check}
                | used(param.fields or ())
                | used((param.items,) if param.items else ())
            )
        return found - {None}

    declared = set().union(*(used(node.params) for node in CATALOG.values()))
    assert {check for check in declared if not check.__name__.startswith("_")} <= set(GOOD) & set(
        BAD
    )


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(3, 3.0), (0.5, 0.5), ("250ms", 0.25), ("1.5m", 90.0), ("2h", 7200.0), ("1w", 604800.0)],
)
def test_durations_in_seconds(value: Any, seconds: float) -> None:
    assert durations.seconds(value) == seconds


def auth_fault(value: dict[str, Any]) -> str | None:
    auth = CATALOG["trigger.webhook"].param("auth")
    assert auth is not None
    assert auth.check is not None
    return auth.check(value)


SECRET = "{{ secrets.S }}"


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"type": "none"},
        {"type": "hmac", "secret": SECRET},
        {"type": "jwt", "secret": SECRET},
        {"type": "jwt", "secret": SECRET, "algorithms": ["HS512"]},
        {"type": "jwt", "jwksUrl": "https://a.example", "algorithms": ["RS256", "EdDSA"]},
    ],
)
def test_authentication_that_works(value: dict[str, Any]) -> None:
    assert auth_fault(value) is None


@pytest.mark.parametrize(
    "value",
    [
        {"type": "hmac"},
        {"type": "jwt"},
        {"type": "jwt", "secret": SECRET, "publicKey": "PEM"},
        {"type": "jwt", "publicKey": "PEM", "algorithms": ["HS256"]},
        {"type": "jwt", "publicKey": "PEM", "algorithms": ["RS256", "HS256"]},
        {"type": "jwt", "secret": SECRET, "algorithms": ["RS256"]},
    ],
)
def test_authentication_that_cannot_work(value: dict[str, Any]) -> None:
    assert auth_fault(value) is not None


def test_cors_and_parts() -> None:
    cors = CATALOG["trigger.webhook"].param("cors")
    multipart = CATALOG["http.request"].param("multipart")
    assert cors is not None
    assert cors.check is not None
    assert multipart is not None
    assert multipart.items is not None
    assert multipart.items.check is not None
    assert cors.check({"origins": ["*"]}) is None
    assert cors.check({"origins": ["*"], "credentials": True}) is not None
    assert multipart.items.check({"name": "a", "value": 1}) is None
    assert multipart.items.check({"name": "a", "value": 1, "text": "b"}) is not None
