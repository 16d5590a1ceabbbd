from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from nodegx.runtime.triggers.auth import build
from nodegx.runtime.triggers.auth.jwks import COOLDOWN, FAILED, KeySet
from nodegx.runtime.triggers.problem import ConfigError, Problem
from nodegx.runtime.triggers.request import Incoming
from nodegx.runtime.triggers.webhook import WebhookApp

from tests.support.asgi import served

MakeApp = Callable[..., WebhookApp]
SECRETS = {
    "KEY": "key-1",
    "OLD": "key-0",
    "PASSWORD": "pässword",
    "HMAC": "hmac-secret",
    "JWT": "j" * 40,
}
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()


def secret(name: str) -> dict[str, str]:
    return {"$secret": name}


def hook(**auth: Any) -> dict[str, Any]:
    return {"path": "/hook", "auth": auth}


def pem(key: Any) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def token(key: Any, algorithm: str, *, kid: str | None = None, **claims: Any) -> str:
    payload = {"sub": "me", "exp": time.time() + 60, **claims}
    payload = {name: value for name, value in payload.items() if value is not None}
    return jwt.encode(payload, key, algorithm, headers={"kid": kid} if kid else None)


def bearer(text: str) -> dict[str, str]:
    return {"authorization": f"Bearer {text}"}


async def test_api_key_in_a_header_is_checked_and_taken_out(make_app: MakeApp, flow: Any) -> None:
    app = make_app(hook(type="apiKey", key=[secret("KEY"), secret("OLD")]), secrets=SECRETS)
    async with served(app) as client:
        for key, status in (("key-1", 200), ("key-0", 200), ("key-2", 401), ("", 401)):
            answer = await client.post("/hook", headers={"X-API-Key": key})
            assert answer.status_code == status
        missing = await client.post("/hook?x-api-key=key-1")
        assert (missing.status_code, missing.headers["www-authenticate"]) == (401, "ApiKey")
    assert len(flow.requests) == 2
    assert "key-1" not in repr(flow.requests)


async def test_api_key_in_the_query_is_taken_out_of_the_url(make_app: MakeApp, flow: Any) -> None:
    config = hook(type="apiKey", **{"in": "query"}, name="api key", key=secret("KEY"))
    async with served(make_app(config, secrets=SECRETS)) as client:
        answer = await client.post("/hook?a=1&api+key=key-1&b=2")
        assert answer.status_code == 200
        assert (await client.post("/hook?api%20key=key-1&api+key=x")).status_code == 401
    request = flow.requests[0]
    assert request.query == {"a": "1", "b": "2"}
    assert request.url.endswith("/hook?a=1&b=2")
    assert "key-1" not in repr(request)


async def test_a_missing_secret_lets_nobody_pass(
    make_app: MakeApp, flow: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(make_app(hook(type="apiKey", key=secret("NONE")))) as client:
        answer = await client.post("/hook", headers={"X-API-Key": ""})
        assert answer.status_code == 500
        assert "NONE" not in answer.text
    assert "NONE" in caplog.text
    assert not flow.requests


async def test_basic(make_app: MakeApp, flow: Any) -> None:
    config = hook(type="basic", username="me", password=secret("PASSWORD"))
    async with served(make_app(config, secrets=SECRETS)) as client:
        assert (await client.post("/hook", auth=("me", "pässword"))).status_code == 200
        for user, password in (("me", "wrong"), ("you", "pässword"), ("", "")):
            assert (await client.post("/hook", auth=(user, password))).status_code == 401
        for header in ("", "Basic", "Basic !!!", "Bearer x", "Basic " + "=" * 9):
            answer = await client.post("/hook", headers={"authorization": header})
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Basic realm=")
    assert len(flow.requests) == 1
    assert "authorization" not in flow.requests[0].headers


def sign(body: bytes, secret: str = "hmac-secret", algorithm: str = "sha256") -> str:
    return hmac.new(secret.encode(), body, algorithm).hexdigest()


BODY = b'{"id": 1}'
Headers = Callable[[str, str], dict[str, str]]
"""Makes headers from time stamps: one of now and one of 400 seconds ago."""


def stamped(headers: Headers) -> dict[str, str]:
    now = int(time.time())
    return headers(str(now), str(now - 400))


@pytest.mark.parametrize(
    ("config", "headers"),
    [
        ({}, lambda now, stale: {"x-signature": sign(BODY)}),
        (
            {"preset": "github", "header": "X-Signature"},
            lambda now, stale: {"x-hub-signature-256": "sha256=" + sign(BODY)},
        ),
        (
            {"preset": "shopify"},
            lambda now, stale: {
                "x-shopify-hmac-sha256": b64encode(bytes.fromhex(sign(BODY))).decode()
            },
        ),
        (
            {"preset": "slack"},
            lambda now, stale: {
                "x-slack-request-timestamp": now,
                "x-slack-signature": "v0=" + sign(f"v0:{now}:".encode() + BODY),
            },
        ),
        (
            {"preset": "stripe"},
            lambda now, stale: {
                "stripe-signature": f"t={now},v1={'0' * 64},v1={sign(f'{now}.'.encode() + BODY)},v0=x"
            },
        ),
        (
            {"header": "X-Sig", "algorithm": "sha512", "encoding": "base64", "prefix": "v2:"},
            lambda now, stale: {
                "x-sig": "v2:" + b64encode(bytes.fromhex(sign(BODY, algorithm="sha512"))).decode()
            },
        ),
        (
            {"timestampHeader": "X-Time", "tolerance": "10m"},
            lambda now, stale: {"x-time": stale, "x-signature": sign(f"{stale}.".encode() + BODY)},
        ),
    ],
)
async def test_signatures(
    make_app: MakeApp, flow: Any, config: dict[str, Any], headers: Headers
) -> None:
    app = make_app(hook(type="hmac", secret=secret("HMAC"), **config), secrets=SECRETS)
    given = stamped(headers)
    async with served(app) as client:
        assert (await client.post("/hook", content=BODY, headers=given)).status_code == 200
        forged = await client.post("/hook", content=BODY + b" ", headers=given)
        assert forged.status_code == 401
        assert (await client.post("/hook", content=BODY)).status_code == 401
    assert len(flow.requests) == 1


@pytest.mark.parametrize(
    ("config", "headers"),
    [
        ({}, lambda now, stale: {"x-signature": "zz"}),
        ({}, lambda now, stale: {"x-signature": ""}),
        ({"prefix": "sha256="}, lambda now, stale: {"x-signature": sign(BODY)}),
        (
            {"preset": "slack"},
            lambda now, stale: {
                "x-slack-request-timestamp": stale,
                "x-slack-signature": "v0=" + sign(f"v0:{stale}:".encode() + BODY),
            },
        ),
        ({"preset": "stripe"}, lambda now, stale: {"stripe-signature": f"v1={sign(BODY)}"}),
        (
            {"preset": "stripe"},
            lambda now, stale: {"stripe-signature": f"t=x,v1={sign(b'x.' + BODY)}"},
        ),
    ],
)
async def test_forged_or_replayed_signatures(
    make_app: MakeApp, flow: Any, config: dict[str, Any], headers: Headers
) -> None:
    app = make_app(hook(type="hmac", secret=secret("HMAC"), **config), secrets=SECRETS)
    given = stamped(headers)
    async with served(app) as client:
        assert (await client.post("/hook", content=BODY, headers=given)).status_code == 401
    assert not flow.requests


@pytest.mark.parametrize(
    ("key", "algorithm", "source"),
    [
        (SECRETS["JWT"], "HS256", {"secret": secret("JWT")}),
        (RSA, "RS256", {"publicKey": pem(RSA)}),
        (RSA, "PS384", {"publicKey": pem(RSA)}),
        (EC, "ES256", {"publicKey": pem(EC)}),
        (ED, "EdDSA", {"publicKey": pem(ED)}),
    ],
)
async def test_jwt_algorithms(key: Any, algorithm: str, source: dict[str, Any]) -> None:
    auth = build({"type": "jwt", "algorithms": [algorithm], **source}, SECRETS)
    assert auth is not None
    good = token(key, algorithm)
    await auth.check(request(bearer(good)))
    head, payload, signature = good.split(".")
    tampered = f"{head}.{payload[:-2]}AA.{signature}"
    for bad in (tampered, f"{head}.{payload}.", "x", "a.b.c", ""):
        with pytest.raises(Problem) as caught:
            await auth.check(request(bearer(bad)))
        assert caught.value.status == 401


def request(headers: dict[str, str]) -> Incoming:
    return Incoming("POST", "/hook", dict(headers), "")


async def test_jwt_claims() -> None:
    auth = build(
        {
            "type": "jwt",
            "secret": secret("JWT"),
            "issuer": "https://issuer",
            "audience": ["a", "b"],
            "leeway": "10s",
            "claims": {"role": "admin"},
        },
        SECRETS,
    )
    assert auth is not None
    good: dict[str, Any] = {"iss": "https://issuer", "aud": "b", "role": "admin"}
    key = SECRETS["JWT"]
    await auth.check(request(bearer(token(key, "HS256", **good))))
    await auth.check(request(bearer(token(key, "HS256", **{**good, "exp": time.time() - 5}))))
    for change, status in (
        ({"iss": "https://other"}, 401),
        ({"iss": None}, 401),
        ({"aud": "c"}, 401),
        ({"aud": None}, 401),
        ({"exp": time.time() - 20}, 401),
        ({"exp": None}, 401),
        ({"nbf": time.time() + 60}, 401),
        ({"role": "user"}, 403),
    ):
        with pytest.raises(Problem) as caught:
            await auth.check(request(bearer(token(key, "HS256", **{**good, **change}))))
        assert caught.value.status == status, change


async def test_jwt_names_the_claim_that_is_missing() -> None:
    auth = build({"type": "jwt", "secret": secret("JWT"), "audience": "shop"}, SECRETS)
    assert auth is not None
    for claims, missing in (({"aud": "shop", "exp": None}, "exp"), ({}, "aud")):
        with pytest.raises(Problem) as caught:
            await auth.check(request(bearer(token(SECRETS["JWT"], "HS256", **claims))))
        assert caught.value.detail == f"The token lacks the claim `{missing}`."


async def test_jwt_algorithm_confusion_is_refused() -> None:
    auth = build({"type": "jwt", "publicKey": pem(RSA)}, {})
    assert auth is not None

    def encoded(value: dict[str, Any]) -> str:
        raw = b64encode(json.dumps(value).encode()).decode()
        return raw.rstrip("=").replace("+", "-").replace("/", "_")

    claims = encoded({"exp": time.time() + 60})
    for algorithm in ("none", "HS256"):
        body = f"{encoded({'alg': algorithm})}.{claims}"
        mac = hmac.digest(pem(RSA).encode(), body.encode(), "sha256")
        signature = b64encode(mac).decode().rstrip("=").replace("+", "-").replace("/", "_")
        for text in (f"{body}.", f"{body}.{signature}"):
            with pytest.raises(Problem) as caught:
                await auth.check(request(bearer(text)))
            assert caught.value.status == 401


class Issuer:
    """Publishes keys over HTTP and counts how often it is asked."""

    def __init__(self) -> None:
        self.keys: dict[str, Any] = {}
        self.fetches = 0
        self.broken = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.fetches += 1
        await asyncio.sleep(0.05)
        jwks = [
            {
                **json.loads(jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key())),
                "kid": kid,
                "use": "sig",
            }
            for kid, (key, algorithm) in self.keys.items()
        ]
        status = 500 if self.broken else 200
        body = json.dumps({"keys": [{"kty": "odd"}, *jwks]}).encode()
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_key_sets_are_fetched_once_and_follow_rotation() -> None:
    issuer, clock = Issuer(), Clock()
    issuer.keys["a"] = (RSA, "RS256")
    async with served(issuer) as client:
        keys = KeySet(f"{client.base_url}keys", clock=clock)
        found = await asyncio.gather(*(keys.find("a", "RS256") for _ in range(20)))
        assert all(found)
        assert issuer.fetches == 1

        issuer.keys["b"] = (EC, "ES256")
        assert await keys.find("b", "ES256") is None  # too soon to ask again
        assert issuer.fetches == 1
        clock.now += COOLDOWN + 1
        assert await keys.find("b", "ES256") is not None
        assert await keys.find("b", "RS256") is None  # an EC key is no RSA key
        assert issuer.fetches == 2
        for _ in range(20):
            assert await keys.find("unknown", "RS256") is None
        assert issuer.fetches == 2

        issuer.broken = True
        clock.now += 10_000
        assert await keys.find("a", "RS256") is not None  # known keys outlive the issuer
        assert issuer.fetches == 3
        await keys.find("a", "RS256")
        assert issuer.fetches == 3
        clock.now += FAILED + 1
        await keys.find("a", "RS256")
        assert issuer.fetches == 4


async def test_an_issuer_that_cannot_be_reached_is_503() -> None:
    keys = KeySet("http://127.0.0.1:1/keys")
    with pytest.raises(Problem) as caught:
        await keys.find("a", "RS256")
    assert caught.value.status == 503


async def test_jwt_with_a_key_set_over_http(make_app: MakeApp, flow: Any) -> None:
    issuer = Issuer()
    issuer.keys = {"a": (RSA, "RS256"), "b": (EC, "ES256")}
    async with served(issuer) as keys:
        config = hook(type="jwt", jwksUrl=f"{keys.base_url}keys")
        async with served(make_app(config)) as client:
            answers: list[httpx.Response] = [
                await client.post("/hook", headers=bearer(text))
                for text in (
                    token(RSA, "RS256", kid="a"),
                    token(EC, "ES256", kid="b"),
                    token(RSA, "RS256"),  # the only RSA key
                    token(EC, "ES256", kid="a"),
                    token(
                        rsa.generate_private_key(public_exponent=65537, key_size=2048),
                        "RS256",
                        kid="a",
                    ),
                )
            ]
            assert [answer.status_code for answer in answers] == [200, 200, 200, 401, 401]
            assert issuer.fetches == 1


@pytest.mark.parametrize(
    "config",
    [
        {"type": "magic"},
        {"type": "apiKey"},
        {"type": "apiKey", "key": []},
        {"type": "apiKey", "key": "k", "in": "cookie"},
        {"type": "basic", "username": "me"},
        {"type": "basic", "username": "me", "password": "p", "realm": 'a"b'},
        {"type": "jwt"},
        {"type": "jwt", "secret": "s", "publicKey": "p"},
        {"type": "jwt", "secret": "s", "algorithms": ["RS256"]},
        {"type": "jwt", "publicKey": "p", "algorithms": ["HS256"]},
        {"type": "jwt", "publicKey": "p", "algorithms": ["none"]},
        {"type": "jwt", "jwksUrl": "http://issuer.example/keys"},
        {"type": "jwt", "jwksUrl": "file:///etc/passwd"},
        {"type": "hmac"},
        {"type": "hmac", "secret": "s", "preset": "other"},
        {"type": "hmac", "secret": "s", "algorithm": "md5"},
        {"type": "hmac", "secret": "s", "encoding": "rot13"},
        {"type": "hmac", "secret": "s", "tolerance": "soon"},
    ],
)
def test_settings_that_cannot_work_are_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        build(config, {})


def test_keys_are_hashed_before_they_are_compared() -> None:
    """Lengths differ, times do not: digests have one length."""
    assert len(hashlib.sha256(b"a").digest()) == len(hashlib.sha256(b"b" * 100).digest())
