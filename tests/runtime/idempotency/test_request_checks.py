from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jwt
import pytest
from nodegx.runtime.triggers.webhook import WebhookApp

from tests.runtime.idempotency.conftest import (
    KEY,
    Process,
    calling,
    confirm,
    parts,
)

MakeProcess = Callable[..., Process]


# --- refusals -------------------------------------------------------------------------------------


async def test_a_key_is_for_one_request(process: Process) -> None:
    async with calling(process.app(confirm)) as client:
        first = await client.post("/orders?a=1", json={"id": 1}, headers=KEY)
        for method, url, body in (
            ("POST", "/orders?a=1", {"id": 2}),
            ("POST", "/orders?a=2", {"id": 1}),
            ("GET", "/orders?a=1", {"id": 1}),
        ):
            other = await client.request(method, url, json=body, headers=KEY)
            assert other.status_code == 422
            assert other.headers["content-type"] == "application/problem+json"
        again = await client.post("/orders?a=1", json={"id": 1}, headers=KEY)
    assert parts(again) == parts(first)
    assert len(process.executions) == 1


async def test_a_form_is_the_same_whatever_lies_between_its_parts(process: Process) -> None:
    async with calling(process.app(confirm)) as client:
        for boundary in ("one", "two"):
            body = f'--{boundary}\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n--{boundary}--'
            media = f"multipart/form-data; boundary={boundary}"
            answer = await client.post(
                "/orders", content=body, headers={**KEY, "content-type": media}
            )
            assert answer.json()["order"] == {"a": "1"}
    assert len(process.executions) == 1


@pytest.mark.parametrize(
    "key", ["", '""', '"open', "a b", '"a", "b"', "a,b", "x" * 256, '"\\x"', "\x7f"]
)
async def test_what_is_no_key_is_refused(process: Process, key: str) -> None:
    async with calling(process.app(confirm)) as client:
        answer = await client.post("/orders", json=1, headers={"Idempotency-Key": key})
    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.json()["detail"]
    assert not process.executions


async def test_two_keys_are_none(process: Process) -> None:
    headers = [("idempotency-key", "a"), ("idempotency-key", "b")]
    async with calling(process.app(confirm)) as client:
        assert (await client.post("/orders", json=1, headers=headers)).status_code == 400


async def test_a_key_may_be_required(process: Process) -> None:
    async with calling(process.app(confirm, {"required": True})) as client:
        refused = await client.post("/orders", json=1)
        assert refused.status_code == 400
        assert refused.json()["detail"] == "The header Idempotency-Key is required."
        assert (await client.post("/orders", json=1, headers=KEY)).status_code == 201


async def test_an_expression_finds_the_key(process: Process) -> None:
    app = process.app(confirm, key=lambda order: order.body["id"])
    async with calling(app) as client:
        first = await client.post("/orders", json={"id": 1})
        again = await client.post("/orders", json={"id": 1}, headers=KEY)
        text = await client.post("/orders", json={"id": "1"})
        changed = await client.post("/orders", json={"id": 1, "total": 5})
    assert parts(again) == parts(first), "the header means nothing here"
    assert text.status_code == 201, "1 is not '1'"
    assert changed.status_code == 422
    assert len(process.executions) == 2


@pytest.mark.parametrize("body", [None, {}, {"id": None}, {"id": ""}, "text"])
async def test_a_request_without_the_key_of_an_expression_is_refused(
    process: Process, body: Any
) -> None:
    app = process.app(confirm, key=lambda order: order.body["id"])
    async with calling(app) as client:
        answer = await client.post("/orders", json=body)
    assert answer.status_code == 400
    assert "There is no idempotency key" in answer.json()["detail"]
    assert not process.executions


# --- what comes before ----------------------------------------------------------------------------

SECRET = "s" * 40


def bearer(subject: str, seconds: int = 60) -> dict[str, str]:
    import time

    claims = {"sub": subject, "exp": int(time.time()) + seconds}
    return {**KEY, "authorization": f"Bearer {jwt.encode(claims, SECRET, algorithm='HS256')}"}


@pytest.fixture
def guarded(process: Process) -> WebhookApp:
    """An application that asks who calls."""
    auth = {"type": "jwt", "secret": {"$secret": "KEY"}}
    return process.app(confirm, auth=auth, secrets={"KEY": SECRET})


async def test_repeats_have_to_prove_who_they_are(guarded: WebhookApp, process: Process) -> None:
    async with calling(guarded) as client:
        first = await client.post("/orders", json=1, headers=bearer("ann"))
        assert (await client.post("/orders", json=1, headers=KEY)).status_code == 401
        again = await client.post("/orders", json=1, headers=bearer("ann", seconds=90))
    assert first.status_code == 201
    assert parts(again) == parts(first), "another token, but the same caller"


async def test_nobody_gets_what_another_was_answered(guarded: WebhookApp, process: Process) -> None:
    async with calling(guarded) as client:
        first = await client.post("/orders", json=1, headers=bearer("ann"))
        other = await client.post("/orders", json=1, headers=bearer("bob"))
    assert other.status_code == 201
    assert other.json()["execution"] != first.json()["execution"]
    assert len(process.executions) == 2


async def test_repeats_count_for_the_rate_limit_and_get_its_headers(process: Process) -> None:
    page = "https://page.example"
    app = process.app(confirm, rateLimit={"requests": 2, "per": 60}, cors={"origins": [page]})
    headers = {**KEY, "origin": page}
    async with calling(app) as client:
        first = await client.post("/orders", json=1, headers=headers)
        again = await client.post("/orders", json=1, headers=KEY)
        refused = await client.post("/orders", json=1, headers=KEY)
    assert first.headers["access-control-allow-origin"] == page
    assert "access-control-allow-origin" not in again.headers, "these belong to the request"
    assert again.json() == first.json()
    assert refused.status_code == 429


async def test_preflights_need_no_key(process: Process) -> None:
    app = process.app(confirm, {"required": True}, cors={"origins": ["https://page.example"]})
    headers = {"origin": "https://page.example", "access-control-request-method": "POST"}
    async with calling(app) as client:
        assert (await client.options("/orders", headers=headers)).status_code == 204
