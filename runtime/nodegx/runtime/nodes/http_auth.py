"""How http.request proves who sends it."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from time import monotonic
from typing import Any, NamedTuple, cast
from urllib.parse import quote_plus

from nodegx.runtime.errors import FatalError, RetriableError
from nodegx.runtime.net import client, urls
from nodegx.runtime.net.fields import header, mapping
from nodegx.runtime.net.message import NO_CREDENTIALS, Credentials, Limits, RawResponse, Request

CODE = "http.auth"
_LIFETIME = 300.0  # seconds a token is used whose server does not tell
_MARGIN = 30.0  # seconds before its end when a token is not used any more
_MAX_TOKENS = 256


class Authentication(NamedTuple):
    """Fixed credentials, or a token that is fetched; for one origin alone, as the URL of a next
    page leads anywhere."""

    origin: tuple[str, str, int]
    credentials: Credentials = NO_CREDENTIALS
    token: TokenSource | None = None


def authentication(given: Any, url: urls.Url, limits: Limits) -> Authentication:
    """What the `auth` parameter means for requests to the origin of `url`.

    Raises:
        FatalError: code `http.auth`, a field is missing or the type unknown.
    """
    auth = mapping(given, "`auth`", CODE)
    kind = auth.get("type", "none")
    if kind == "none":
        return Authentication(url.origin)
    match kind:
        case "basic":
            pair = f"{_text(auth, 'username', empty=True)}:{_text(auth, 'password', empty=True)}"
            credentials = _in_header("Authorization", f"Basic {_base64(pair)}")
        case "bearer":
            credentials = _in_header("Authorization", f"Bearer {_text(auth, 'token')}")
        case "apiKey":
            name, key = auth.get("name") or "X-API-Key", _text(auth, "key")
            in_query = auth.get("in") == "query"
            credentials = Credentials(query=((name, key),)) if in_query else _in_header(name, key)
        case "oauth2":
            return Authentication(url.origin, token=TokenSource.of(auth, limits))
        case _:
            raise FatalError(f"`auth` has the unknown type {kind!r}", code=CODE)
    return Authentication(url.origin, credentials)


async def send(message: Request, limits: Limits, authentication: Authentication) -> RawResponse:
    """Sends a request with its credentials. A token that the server does not accept (401) is
    fetched anew, once."""
    source = authentication.token
    if message.url.origin != authentication.origin:
        return await client.send(message, limits)
    if source is None:
        return await client.send(replace(message, credentials=authentication.credentials), limits)
    token = await source.token()
    response = await client.send(replace(message, credentials=_bearer(token)), limits)
    if response.status == 401:
        renewed = await source.token(instead_of=token)
        response = await client.send(replace(message, credentials=_bearer(renewed)), limits)
    return response


def _in_header(name: str, value: str) -> Credentials:
    return Credentials(headers=(header(name, value),))


def _bearer(token: str) -> Credentials:
    return _in_header("Authorization", f"Bearer {token}")


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode("ascii")


def _text(auth: Mapping[str, Any], name: str, *, empty: bool = False) -> str:
    value = auth.get(name)
    if isinstance(value, str) and (value or empty):
        return value
    raise FatalError(f"`auth` has no `{name}`", code=CODE)


class _Token(NamedTuple):
    value: str
    expires: float


_tokens: dict[tuple[str, ...], _Token] = {}
_fetches: dict[tuple[str, ...], asyncio.Task[_Token]] = {}


class TokenSource(NamedTuple):
    """Client credentials, and where they are exchanged for tokens. Equal sources share a token."""

    url: str
    client_id: str
    client_secret: str
    scope: str
    audience: str
    in_body: bool
    limits: Limits

    @classmethod
    def of(cls, auth: Mapping[str, Any], limits: Limits) -> TokenSource:
        """The source that an `auth` parameter of type oauth2 describes."""
        return cls(
            url=_text(auth, "tokenUrl"),
            client_id=_text(auth, "clientId"),
            client_secret=_text(auth, "clientSecret", empty=True),
            scope=" ".join(str(scope) for scope in auth.get("scopes") or ()),
            audience=str(auth.get("audience") or ""),
            in_body=auth.get("clientAuth") == "body",
            limits=limits,
        )

    async def token(self, instead_of: str | None = None) -> str:
        """A token, fetched only if none is kept; several callers wait for one fetch.

        Args:
            instead_of: a token that was refused.

        Raises:
            FatalError, RetriableError: code `http.auth`, or those of the request.
        """
        key = self._key()
        kept = _tokens.get(key)
        if kept is not None and kept.value != instead_of and monotonic() < kept.expires:
            return kept.value
        fetch = _fetches.get(key)
        if fetch is None or fetch.done() or fetch.get_loop() is not asyncio.get_running_loop():
            fetch = asyncio.ensure_future(self._fetch(key))
            _fetches[key] = fetch
            fetch.add_done_callback(lambda done: _forget(key, done))
        # One caller that is cancelled must not take the token from the others.
        return (await asyncio.shield(fetch)).value

    def _key(self) -> tuple[str, ...]:
        secret = sha256(self.client_secret.encode()).hexdigest()
        return (self.url, self.client_id, secret, self.scope, self.audience)

    async def _fetch(self, key: tuple[str, ...]) -> _Token:
        fields = {"grant_type": "client_credentials"}
        if self.scope:
            fields["scope"] = self.scope
        if self.audience:
            fields["audience"] = self.audience
        credentials = NO_CREDENTIALS
        if self.in_body:
            fields |= {"client_id": self.client_id, "client_secret": self.client_secret}
        else:
            pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}"
            credentials = _in_header("Authorization", f"Basic {_base64(pair)}")
        response = await client.send(
            Request(
                "POST",
                urls.parse(self.url),
                [("Accept", "application/json")],
                urls.encode_form(fields.items()).encode(),
                "application/x-www-form-urlencoded",
                credentials,
            ),
            self.limits._replace(max_bytes=1_000_000, max_redirects=0),
        )
        token = _read_token(response)
        while len(_tokens) >= _MAX_TOKENS:
            del _tokens[next(iter(_tokens))]
        _tokens[key] = token
        return token


def _forget(key: tuple[str, ...], fetch: asyncio.Task[_Token]) -> None:
    if _fetches.get(key) is fetch:
        del _fetches[key]
    if not fetch.cancelled():
        fetch.exception()  # all who waited may be gone: the error counts as seen


def _read_token(response: RawResponse) -> _Token:
    try:
        answer = json.loads(response.content)
    except (ValueError, RecursionError):
        answer = None
    found = cast("dict[str, Any]", answer) if isinstance(answer, dict) else {}
    where = response.url.display
    if response.status != 200:
        reason = str(found.get("error_description") or found.get("error") or "")[:300]
        retriable = response.status == 429 or response.status >= 500
        kind = RetriableError if retriable else FatalError
        raise kind(
            f"{where} gave no token: {response.status} {reason or response.reason}".strip(),
            code=CODE,
            details={"status": response.status},
        )
    value = found.get("access_token")
    if not isinstance(value, str) or not value:
        raise FatalError(f"{where} answered without `access_token`", code=CODE)
    try:
        lifetime = float(found.get("expires_in") or _LIFETIME)
    except (TypeError, ValueError):
        lifetime = _LIFETIME
    return _Token(value, monotonic() + max(lifetime - _MARGIN, lifetime / 2))
