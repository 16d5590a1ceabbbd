from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from nodegx.runtime.triggers.problem import Problem
from nodegx.runtime.triggers.webhook import Access, WebhookApp
from nodegx.runtime.values import Reply

from tests.support.asgi import served

MakeApp = Callable[..., WebhookApp]
ORDERS = {"method": "POST", "path": "/orders/{id}"}


async def test_hands_over_the_whole_request(make_app: MakeApp, flow: Any) -> None:
    async with served(make_app(ORDERS)) as client:
        answer = await client.post(
            "/orders/a%20b?x=1&y=2&x=3&empty=",
            json={"total": 3},
            headers=[("X-Tag", "one"), ("X-Tag", "two"), ("Cookie", "a=1"), ("Cookie", "b=2")],
        )
        assert (answer.status_code, answer.json()) == (200, {"total": 3})
        request = flow.requests[0]
        assert request.method == "POST"
        assert request.path == "/orders/a b"
        assert request.params == {"id": "a b"}
        assert request.query == {"x": ["1", "3"], "y": "2", "empty": ""}
        assert request.headers["x-tag"] == "one, two"
        assert request.headers["cookie"] == "a=1; b=2"
        assert request.url == f"{client.base_url}orders/a%20b?x=1&y=2&x=3&empty="
        assert request.client == "127.0.0.1"


@pytest.mark.parametrize(
    ("reply", "content_type", "content"),
    [
        (Reply(body={"a": [1, None, "ü"]}), "application/json", '{"a":[1,null,"ü"]}'.encode()),
        (Reply(body=0), "application/json", b"0"),
        (Reply(body=False), "application/json", b"false"),
        (Reply(body="hi"), "text/plain; charset=utf-8", b"hi"),
        (Reply(headers={"Content-Type": "text/html"}, body="<p>"), "text/html", b"<p>"),
        (Reply(body=b"\x00"), "application/octet-stream", b"\x00"),
        (Reply(body=None), None, b""),
        (Reply(body="\ud800"), "text/plain; charset=utf-8", b"?"),
        (
            Reply(body={"at": datetime(2026, 1, 2, tzinfo=UTC)}),
            "application/json",
            b'{"at":"2026-01-02T00:00:00+00:00"}',
        ),
    ],
)
async def test_encodes_answers(
    make_app: MakeApp, flow: Any, reply: Reply, content_type: str | None, content: bytes
) -> None:
    flow.answer = lambda request: reply
    async with served(make_app(ORDERS)) as client:
        answer = await client.post("/orders/1")
        assert answer.status_code == 200
        assert answer.headers.get("content-type") == content_type
        assert answer.content == content


@pytest.mark.parametrize("status", [204, 304])
async def test_statuses_without_a_body_have_none(make_app: MakeApp, flow: Any, status: int) -> None:
    flow.answer = lambda request: Reply(status, {"X-A": "1"}, {"ignored": True})
    async with served(make_app(ORDERS)) as client:
        for _ in range(2):  # the connection stays usable
            answer = await client.post("/orders/1")
            assert (answer.status_code, answer.content) == (status, b"")
            assert answer.headers["x-a"] == "1"


async def test_sends_a_header_several_times_for_a_list(make_app: MakeApp, flow: Any) -> None:
    flow.answer = lambda request: Reply(headers={"Set-Cookie": ["a=1", "b=2"], "X-N": 3})
    async with served(make_app(ORDERS)) as client:
        answer = await client.post("/orders/1")
        assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
        assert answer.headers["x-n"] == "3"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(headers={"X-A": "1\r\nX-Evil: 1"}),
        Reply(headers={"X-A\r\nX-Evil": "1"}),
        Reply(headers={"X-A": "\x00"}),
        Reply(headers={"X-A": "☃"}),
        Reply(headers={"X A": "1"}),
        Reply(headers={"X-A": {"no": "text"}}),  # type: ignore[dict-item]
        Reply(status=99),
        Reply(status=700),
        Reply(status="200"),  # type: ignore[arg-type]
        Reply(body={"a": float("nan")}),
        Reply(body={"a": object()}),
        Reply(body=[["x" * 100_000] * 1000] * 1000),  # 100 kB in memory, 100 GB as text
    ],
)
async def test_refuses_answers_that_cannot_be_sent(
    make_app: MakeApp, flow: Any, reply: Reply
) -> None:
    flow.answer = lambda request: reply
    async with served(make_app(ORDERS)) as client:
        answer = await client.post("/orders/1")
        assert answer.status_code == 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["executionId"] == "execution-1"
        assert "x-evil" not in answer.headers


async def test_own_headers_of_the_server_cannot_be_forged(make_app: MakeApp, flow: Any) -> None:
    flow.answer = lambda request: Reply(
        headers={"Content-Length": "3", "Transfer-Encoding": "chunked"}, body="hello"
    )
    async with served(make_app(ORDERS)) as client:
        assert (await client.post("/orders/1")).text == "hello"


async def test_answers_without_a_response_node_at_once(make_app: MakeApp, flow: Any) -> None:
    async with served(make_app(ORDERS, responds=False)) as client:
        answer = await client.post("/orders/1")
        assert (answer.status_code, answer.json()) == (202, {"executionId": "execution-1"})


async def test_an_end_without_an_answer_is_204_and_a_failure_500(
    make_app: MakeApp, flow: Any
) -> None:
    async with served(make_app(ORDERS)) as client:
        flow.answer = lambda request: None
        assert (await client.post("/orders/1")).status_code == 204
        flow.answer = lambda request: RuntimeError("a secret detail")
        answer = await client.post("/orders/1")
        assert answer.status_code == 500
        assert answer.json()["executionId"] == "execution-2"
        assert "secret" not in answer.text
        flow.answer = lambda request: asyncio.CancelledError()
        assert (await client.post("/orders/1")).status_code == 503


async def test_methods_head_and_options(make_app: MakeApp, flow: Any) -> None:
    flow.answer = lambda request: Reply(body="hello")
    app = make_app({"method": ["GET", "PUT"], "path": "/things"})
    async with served(app) as client:
        head = await client.head("/things")
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == "5"
        options = await client.options("/things")
        assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, PUT, OPTIONS")
        refused = await client.post("/things")
        assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, PUT, OPTIONS")
        assert (await client.get("/nothing")).status_code == 404
        assert len(flow.requests) == 1


async def test_bodies_over_the_limit_are_refused_early(make_app: MakeApp, flow: Any) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(2000):
            sent += 1
            yield b"x" * 10_000

    async with served(make_app({**ORDERS, "maxBodyBytes": 1000})) as client:
        assert (await client.post("/orders/1", content=b"x" * 1000)).status_code == 200
        assert (await client.post("/orders/1", content=b"x" * 1001)).status_code == 413
        try:
            answer = await client.post("/orders/1", content=endless())
            assert answer.status_code == 413
        except Exception as exc:  # the server hung up while the client was still sending
            assert "Write" in type(exc).__name__ or "Read" in type(exc).__name__  # noqa: PT017
        assert sent < 2000
        assert len(flow.requests) == 1


async def test_invalid_json_is_a_problem_with_its_place(make_app: MakeApp) -> None:
    async with served(make_app(ORDERS)) as client:
        answer = await client.post(
            "/orders/1", content=b'{"a":', headers={"content-type": "application/json"}
        )
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["position"] == 5


async def test_a_chunked_body_arrives_whole(make_app: MakeApp, flow: Any) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for part in (b'{"a"', b": ", b"1}"):
            yield part
            await asyncio.sleep(0.01)

    async with served(make_app(ORDERS)) as client:
        answer = await client.post(
            "/orders/1", content=chunks(), headers={"content-type": "application/json"}
        )
        assert answer.json() == {"a": 1}


async def test_cors(make_app: MakeApp, flow: Any) -> None:
    cors = {
        "origins": ["https://shop.example", "https://*.trusted.example"],
        "headers": ["X-Token"],
        "credentials": True,
        "maxAge": 60,
    }
    ask = {
        "origin": "https://shop.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type, x-token",
    }
    async with served(make_app({**ORDERS, "cors": cors}, {"path": "/plain"})) as client:
        answer = await client.options("/orders/1", headers=ask)
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert answer.headers["access-control-allow-headers"] == "content-type, x-token"
        assert answer.headers["access-control-max-age"] == "60"
        for change in (
            {"origin": "https://evil.example"},
            {"origin": "https://evil.example/.trusted.example"},
            {"origin": "https://.trusted.example"},
            {"access-control-request-method": "DELETE"},
            {"access-control-request-headers": "x-other"},
        ):
            refused = await client.options("/orders/1", headers={**ask, **change})
            assert refused.status_code == 403
            assert "access-control-allow-origin" not in refused.headers
        assert (await client.options("/plain", headers=ask)).status_code == 403

        origin = "https://a.trusted.example"
        actual = await client.post("/orders/1", headers={"origin": origin})
        assert actual.headers["access-control-allow-origin"] == origin
        assert actual.headers["vary"] == "Origin"
        failed = await client.post(
            "/orders/1",
            content=b"{",
            headers={"origin": origin, "content-type": "application/json"},
        )
        assert (failed.status_code, failed.headers["access-control-allow-origin"]) == (400, origin)
        plain = await client.post("/orders/1", headers={"origin": "https://evil.example"})
        assert "access-control-allow-origin" not in plain.headers


async def test_rate_limit_counts_callers_apart(make_app: MakeApp, flow: Any) -> None:
    limit = {"requests": 2, "per": "1h", "by": "header:X-Customer"}
    async with served(make_app({**ORDERS, "rateLimit": limit})) as client:
        for left in ("1", "0"):
            answer = await client.post("/orders/1", headers={"x-customer": "a"})
            assert answer.headers["ratelimit-remaining"] == left
        refused = await client.post("/orders/1", headers={"x-customer": "a"})
        assert refused.status_code == 429
        assert 0 < int(refused.headers["retry-after"]) <= 1800
        assert refused.headers["ratelimit-limit"] == "2"
        other = await client.post("/orders/1", headers={"x-customer": "b"})
        assert other.status_code == 200
        assert len(flow.requests) == 3


async def test_forwarded_addresses_are_believed_from_trusted_proxies_only(
    make_app: MakeApp, flow: Any
) -> None:
    forwarded = {
        "x-forwarded-for": "6.6.6.6, 203.0.113.9, 10.0.0.2",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "shop.example",
    }
    async with served(make_app(ORDERS)) as client:
        await client.post("/orders/1", headers=forwarded)
        assert flow.requests[0].client == "127.0.0.1"
        assert flow.requests[0].url.startswith("http://127.0.0.1")
    app = make_app(ORDERS, trusted_proxies=["127.0.0.0/8", "10.0.0.0/8"])
    async with served(app) as client:
        await client.post("/orders/1", headers=forwarded)
        assert flow.requests[1].client == "203.0.113.9"
        assert flow.requests[1].url == "https://shop.example/orders/1"


async def test_cloud_requests_have_checked_parameters(make_app: MakeApp, flow: Any) -> None:
    config = {
        "parameters": [
            {"name": "order", "type": "string", "required": True},
            {"name": "count", "type": "integer", "default": 1},
        ]
    }
    flow.answer = lambda request: Reply(body=request.parameters)
    async with served(make_app(config, type="cloud.request")) as client:
        answer = await client.post("/functions/Orders", json={"order": "a", "count": "2"})
        assert answer.json() == {"order": "a", "count": 2}
        refused = await client.post("/functions/Orders", json={"count": "many", "cuont": 1})
        assert refused.status_code == 400
        assert [problem["input"] for problem in refused.json()["problems"]] == [
            "order",
            "count",
            "cuont",
        ]


async def test_start_may_refuse(make_app: MakeApp, flow: Any) -> None:
    async def busy(route: Any, request: Any) -> Any:
        raise Problem(503, "Too busy.", headers={"retry-after": "2"})

    app = WebhookApp(make_app(ORDERS).router, busy)
    async with served(app) as client:
        answer = await client.post("/orders/1")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


async def test_every_request_is_observed_once(make_app: MakeApp) -> None:
    seen: list[Access] = []
    async with served(make_app(ORDERS, observe=seen.append)) as client:
        await client.post("/orders/1?key=secret")
        await client.get("/nothing")
    assert [(a.method, a.path, a.status, a.workflow, a.execution) for a in seen] == [
        ("POST", "/orders/1", 200, "/#__cloud__/Orders", "execution-1"),
        ("GET", "/nothing", 404, "", ""),
    ]
    assert all(0 < access.seconds < 5 for access in seen)


async def test_importing_costs_no_third_party_module() -> None:
    import subprocess
    import sys

    code = (
        "import sys; before = set(sys.modules)\n"
        "import nodegx.runtime.triggers.webhook, nodegx.runtime.triggers.events\n"
        "import nodegx.runtime.triggers.timetable, nodegx.runtime.triggers.auth.jwt\n"
        "import nodegx.runtime.triggers.auth.signature, json\n"
        "names = {m.partition('.')[0] for m in set(sys.modules) - before}\n"
        "print(json.dumps(sorted(names - set(sys.stdlib_module_names))))"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert json.loads(output) == ["nodegx"]
