"""Credential sources, with the endpoints played by a loopback server (nothing real runs here)."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from nodegx.runtime.aws.credentials import CredentialChain
from nodegx.runtime.aws.remote_credentials import from_container
from nodegx.runtime.aws.sigv4 import Credentials
from nodegx.runtime.errors import FatalError, RetriableError


class Endpoint(BaseHTTPRequestHandler):
    seen: list[tuple[str, str, dict[str, str], bytes]]
    answer: Any

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.seen.append((self.command, self.path, dict(self.headers.items()), body))
        data = json.dumps(self.answer).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_POST = do_GET

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture
def endpoint() -> Iterator[tuple[str, type[Endpoint]]]:
    handler = type("Handler", (Endpoint,), {"seen": [], "answer": None})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    server.server_close()


def test_environment() -> None:
    env = {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "S", "AWS_SESSION_TOKEN": "T"}
    assert CredentialChain(env).get() == Credentials("A", "S", "T")


def test_container_with_a_token_file(endpoint: Any, tmp_path: Path) -> None:
    url, handler = endpoint
    handler.answer = {
        "AccessKeyId": "A",
        "SecretAccessKey": "S",
        "Token": "T",
        "Expiration": "2099-01-01T00:00:00Z",
    }
    (tmp_path / "token").write_text("bearer-of-the-pod\n")
    chain = CredentialChain(
        {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{url}/v1/credentials?role=x",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "token"),
        }
    )
    assert chain.get()[:3] == ("A", "S", "T")
    assert chain.get()[:3] == ("A", "S", "T")
    [(method, path, headers, _)] = handler.seen
    assert (method, path) == ("GET", "/v1/credentials?role=x")
    assert headers["Authorization"] == "bearer-of-the-pod"


def test_web_identity(endpoint: Any, tmp_path: Path) -> None:
    url, handler = endpoint
    found = {"AccessKeyId": "A", "SecretAccessKey": "S", "SessionToken": "T", "Expiration": 4e9}
    result = {"AssumeRoleWithWebIdentityResult": {"Credentials": found}}
    handler.answer = {"AssumeRoleWithWebIdentityResponse": result}
    (tmp_path / "jwt").write_text("header.payload.signature")
    chain = CredentialChain(
        {
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "jwt"),
            "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/pod",
            "AWS_ENDPOINT_URL_STS": url,
        }
    )
    assert chain.get() == Credentials("A", "S", "T", 4e9)
    form = parse_qs(handler.seen[0][3].decode())
    assert form["RoleArn"] == ["arn:aws:iam::123456789012:role/pod"]
    assert form["WebIdentityToken"] == ["header.payload.signature"]


def test_refreshes_before_the_end_and_lives_through_an_outage() -> None:
    outage = False
    made: list[Credentials] = []

    def source(_: object) -> Credentials:
        if outage:
            raise RetriableError("down", code="aws.credentials")
        made.append(Credentials(f"A{len(made)}", "S", "T", time.time() + 200))
        return made[-1]

    chain = CredentialChain({}, (source,))
    assert chain.get().access_key == "A0"
    assert chain.get().access_key == "A1"
    outage = True
    assert chain.get().access_key == "A1"
    made[-1] = made[-1]._replace(expires=time.time() - 1)
    chain.forget()
    with pytest.raises(RetriableError):
        chain.get()


def test_no_source_applies() -> None:
    with pytest.raises(FatalError, match="No AWS credentials"):
        CredentialChain({}).get()


@pytest.mark.parametrize(
    "url", ["http://example.com/", "http://10.0.0.1/", "http://127.0.0.1.evil/"]
)
def test_credentials_are_not_fetched_in_the_clear_from_strangers(url: str) -> None:
    with pytest.raises(FatalError, match="plain HTTP"):
        from_container({"AWS_CONTAINER_CREDENTIALS_FULL_URI": url})
