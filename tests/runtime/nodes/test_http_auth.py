from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from nodegx.runtime.errors import FatalError, NodegxError, RetriableError
from nodegx.runtime.nodes import http, http_auth

from tests.support.loopback import Answer, Loopback, Seen


@pytest.fixture(autouse=True)
def no_tokens() -> Iterator[None]:
    http_auth._tokens.clear()
    yield
    http_auth._tokens.clear()


async def test_basic(site: Loopback) -> None:
    url = site.at("/a", Answer(200, "x"))
    await http.request("GET", url, auth={"type": "basic", "username": "ä", "password": "p:w"})
    kind, _, value = site.seen[0].headers["authorization"].partition(" ")
    assert (kind, base64.b64decode(value).decode()) == ("Basic", "ä:p:w")


async def test_bearer(site: Loopback) -> None:
    url = site.at("/a", Answer(200, "x"))
    await http.request("GET", url, auth={"type": "bearer", "token": "t0"})
    assert site.seen[0].headers["authorization"] == "Bearer t0"


async def test_api_key(site: Loopback) -> None:
    url = site.at("/a", Answer(200, "x"))
    await http.request("GET", url, auth={"type": "apiKey", "key": "k"})
    await http.request("GET", url, auth={"type": "apiKey", "name": "Key", "key": "k"})
    response = await http.request(
        "GET",
        url,
        query={"q": 1},
        auth={"type": "apiKey", "in": "query", "name": "key", "key": "k&"},
    )
    assert site.seen[0].headers["x-api-key"] == "k"
    assert site.seen[1].headers["key"] == "k"
    assert site.seen[2].query == {"q": ["1"], "key": ["k&"]}
    assert response.url == url + "?q=1"  # the key is in no output


async def test_credentials_replace_a_header_of_the_same_name(site: Loopback) -> None:
    url = site.at("/a", Answer(200, "x"))
    auth = {"type": "bearer", "token": "right"}
    await http.request("GET", url, headers={"authorization": "wrong"}, auth=auth)
    assert site.seen[0].headers["authorization"] == "Bearer right"


@pytest.mark.parametrize(
    "auth",
    [
        {"type": "bearer"},
        {"type": "bearer", "token": ""},
        {"type": "bearer", "token": None},
        {"type": "basic", "username": "u"},
        {"type": "apiKey"},
        {"type": "oauth2", "tokenUrl": "http://x.example/", "clientId": "c"},
        {"type": "digest"},
    ],
)
async def test_incomplete_credentials(auth: dict[str, Any]) -> None:
    with pytest.raises(FatalError) as caught:
        await http.request("GET", "http://127.0.0.1:1/", auth=auth)
    assert caught.value.code == "http.auth"


async def test_no_authentication(site: Loopback) -> None:
    await http.request("GET", site.at("/a", Answer(200, "x")), auth={"type": "none"})
    assert "authorization" not in site.seen[0].headers


# --- OAuth 2 ---------------------------------------------------------------------------------


class Issuer:
    """A token endpoint that numbers its tokens, and a resource that accepts some of them."""

    def __init__(self, site: Loopback, lifetime: Any = 3600, delay: float = 0) -> None:
        self.issued = 0
        self.accepted: set[str] | None = None
        self.lifetime = lifetime
        self.delay = delay
        self.auth = {
            "type": "oauth2",
            "tokenUrl": site.at("/token", self._token),
            "clientId": "id:1",
            "clientSecret": "s3cret/+",
        }
        self.url = site.at("/a", self._resource)

    def _token(self, _: Seen) -> Answer:
        time.sleep(self.delay)
        self.issued += 1
        answer = {"access_token": f"t{self.issued}", "token_type": "Bearer"}
        return Answer(200, answer | ({"expires_in": self.lifetime} if self.lifetime else {}))

    def _resource(self, seen: Seen) -> Answer:
        token = seen.headers["authorization"].removeprefix("Bearer ")
        allowed = self.accepted is None or token in self.accepted
        return Answer(200, token) if allowed else Answer(401, "no")


async def test_a_token_is_fetched_once_and_kept(site: Loopback) -> None:
    issuer = Issuer(site)
    for _ in range(3):
        assert (await http.request("GET", issuer.url, auth=issuer.auth)).body == "t1"
    fetch = site.seen[0]
    assert fetch.method == "POST"
    assert parse_qs(fetch.body.decode()) == {"grant_type": ["client_credentials"]}
    credentials = base64.b64decode(fetch.headers["authorization"].removeprefix("Basic ")).decode()
    assert credentials == "id%3A1:s3cret%2F%2B"


async def test_scopes_audience_and_credentials_in_the_body(site: Loopback) -> None:
    issuer = Issuer(site)
    more = {"scopes": ["a", "b"], "audience": "shop", "clientAuth": "body"}
    await http.request("GET", issuer.url, auth=issuer.auth | more)
    assert parse_qs(site.seen[0].body.decode()) == {
        "grant_type": ["client_credentials"],
        "scope": ["a b"],
        "audience": ["shop"],
        "client_id": ["id:1"],
        "client_secret": ["s3cret/+"],
    }
    assert "authorization" not in site.seen[0].headers
    await http.request("GET", issuer.url, auth=issuer.auth)
    assert issuer.issued == 2  # other scopes, another token


async def test_many_requests_at_once_fetch_one_token(site: Loopback) -> None:
    issuer = Issuer(site, delay=0.05)
    found = await asyncio.gather(
        *(http.request("GET", issuer.url, auth=issuer.auth) for _ in range(20))
    )
    assert {response.body for response in found} == {"t1"}
    assert issuer.issued == 1


async def test_one_that_is_cancelled_leaves_the_token_to_the_others(site: Loopback) -> None:
    issuer = Issuer(site, delay=0.1)
    first, second = (
        asyncio.create_task(http.request("GET", issuer.url, auth=issuer.auth)) for _ in range(2)
    )
    await asyncio.sleep(0.02)
    first.cancel()
    assert (await second).body == "t1"
    assert first.cancelled()


async def test_a_token_is_not_used_when_it_is_about_to_expire(
    site: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer = Issuer(site, lifetime=100)
    now = time.monotonic()
    for later, expected in ((0, "t1"), (60, "t1"), (71, "t2")):
        monkeypatch.setattr(http_auth, "monotonic", lambda later=later: now + later)
        assert (await http.request("GET", issuer.url, auth=issuer.auth)).body == expected


@pytest.mark.parametrize("lifetime", [None, "3600", 1, "soon"])
async def test_any_lifetime_is_understood(site: Loopback, lifetime: Any) -> None:
    issuer = Issuer(site, lifetime=lifetime)
    for _ in range(2):
        assert (await http.request("GET", issuer.url, auth=issuer.auth)).body == "t1"


async def test_a_refused_token_is_renewed_once(site: Loopback) -> None:
    issuer = Issuer(site)
    await http.request("GET", issuer.url, auth=issuer.auth)
    issuer.accepted = {"t2"}
    assert (await http.request("GET", issuer.url, auth=issuer.auth)).body == "t2"
    issuer.accepted = set()
    with pytest.raises(FatalError) as caught:
        await http.request("GET", issuer.url, auth=issuer.auth)
    assert caught.value.details["status"] == 401
    assert issuer.issued == 3


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (Answer(401, {"error": "invalid_client"}), FatalError, "401 invalid_client"),
        (
            Answer(400, {"error": "x", "error_description": "no such scope"}),
            FatalError,
            "no such scope",
        ),
        (Answer(503, "busy"), RetriableError, "503"),
        (Answer(200, {"token": "x"}), FatalError, "without `access_token`"),
        (Answer(200, "<html>"), FatalError, "without `access_token`"),
        (Answer(302, "", {"Location": "http://127.0.0.1:1/"}), FatalError, "302"),
    ],
)
async def test_no_token(site: Loopback, answer: Answer, error: type[Exception], words: str) -> None:
    issuer = Issuer(site)
    site.at("/token", answer)
    with pytest.raises(NodegxError, match=words) as caught:
        await http.request("GET", issuer.url, auth=issuer.auth)
    assert type(caught.value) is error
    assert caught.value.code == "http.auth"
    assert "s3cret" not in str((caught.value.message, caught.value.details))
    assert all(seen.path == "/token" for seen in site.seen)


async def test_the_token_endpoint_is_under_the_same_policy() -> None:
    auth = {
        "type": "oauth2",
        "tokenUrl": "http://169.254.169.254/token",
        "clientId": "c",
        "clientSecret": "s",
    }
    with pytest.raises(FatalError) as caught:
        await http.request("GET", "http://127.0.0.1:1/", auth=auth)
    assert caught.value.code == "http.address"


def test_tokens_work_in_every_event_loop(site: Loopback) -> None:
    issuer = Issuer(site)
    for _ in range(2):
        http_auth._tokens.clear()
        asyncio.run(http.request("GET", issuer.url, auth=issuer.auth))
    assert issuer.issued == 2
