"""Our signatures against those of botocore, byte for byte."""

from __future__ import annotations

from datetime import UTC, datetime
from unittest.mock import patch
from urllib.parse import quote, urlencode

import botocore.auth
import botocore.compat
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given
from hypothesis import strategies as st
from nodegx.runtime.aws.sigv4 import Credentials, sign

NOW = datetime(2026, 11, 23, 9, 30, 15, tzinfo=UTC)

segments = st.text(st.characters(codec="utf-8", exclude_characters="/"), max_size=8)
paths = st.lists(segments, max_size=5).map(lambda parts: "/" + "/".join(map(quote, parts)))
queries = st.lists(st.tuples(st.text("abcXY-_.~ é&=", max_size=5), st.text(max_size=5)), max_size=4)
header_values = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
headers = st.dictionaries(
    st.sampled_from(["Content-Type", "X-Amz-Target", "x-amz-meta-a", "If-Match", "User-Agent"]),
    header_values,
)


def reference(
    method: str,
    url: str,
    given_headers: dict[str, str],
    body: bytes,
    token: str | None,
    service: str,
) -> dict[str, str]:
    """What botocore sends."""
    request = AWSRequest(method=method, url=url, headers=given_headers, data=body)
    signer = S3SigV4Auth if service == "s3" else SigV4Auth
    frozen = NOW.replace(tzinfo=None)
    with patch.object(botocore.auth, "get_current_datetime", lambda *_, **__: frozen):
        signer(
            BotocoreCredentials("AKIDEXAMPLE", "secret", token), service, "eu-central-1"
        ).add_auth(request)
    return dict(request.headers.items())


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    path=paths,
    query=queries,
    given_headers=headers,
    body=st.binary(max_size=64),
    token=st.none() | st.just("session/token+=="),
    service=st.sampled_from(["dynamodb", "sqs", "scheduler", "lambda", "s3", "events"]),
)
def test_signature_equals_botocores(
    method: str,
    path: str,
    query: list[tuple[str, str]],
    given_headers: dict[str, str],
    body: bytes,
    token: str | None,
    service: str,
) -> None:
    encoded = urlencode(query, quote_via=quote)
    url = f"https://{service}.eu-central-1.amazonaws.com{path}" + (f"?{encoded}" if encoded else "")
    ours = sign(
        method,
        url,
        given_headers,
        body,
        credentials=Credentials("AKIDEXAMPLE", "secret", token),
        region="eu-central-1",
        service=service,
        now=NOW,
    )
    theirs = reference(method, url, dict(given_headers), body, token, service)
    assert ours["Authorization"] == theirs["Authorization"]
    assert ours["X-Amz-Date"] == theirs["X-Amz-Date"]


def test_port_of_the_scheme_is_not_signed_another_one_is() -> None:
    for url in ("https://localhost:443/", "http://localhost:4566/", "http://localhost:80/"):
        ours = sign(
            "GET",
            url,
            {},
            b"",
            credentials=Credentials("AKIDEXAMPLE", "secret"),
            region="eu-central-1",
            service="dynamodb",
            now=NOW,
        )
        theirs = reference("GET", url, {}, b"", None, "dynamodb")
        assert ours["Authorization"] == theirs["Authorization"]


def test_credentials_do_not_show_their_secret() -> None:
    assert "secret" not in repr(Credentials("AKIDEXAMPLE", "secret", "token"))
