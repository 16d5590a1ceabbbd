"""The thin client against moto's server, and against a server that fails on purpose."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from nodegx.runtime.aws import client as client_module
from nodegx.runtime.aws.client import AwsClient, AwsError
from nodegx.runtime.aws.credentials import CredentialChain

from tests.support.certificates import server_context

KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}


class Scripted(ThreadingHTTPServer):
    """Answers with the scripted (status, headers, body) triples in turn, the last one for ever."""

    def __init__(self, answers: list[tuple[int, dict[str, str], bytes]]) -> None:
        super().__init__(("127.0.0.1", 0), ScriptedHandler)
        self.answers = answers
        self.seen: list[dict[str, str]] = []
        self.connections = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class ScriptedHandler(BaseHTTPRequestHandler):
    server: Scripted
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.seen.append(dict(self.headers.items()))
        answers = self.server.answers
        status, headers, body = answers.pop(0) if len(answers) > 1 else answers[0]
        if status == 0:  # drops the connection
            self.close_connection = True
            return
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(client_module, "BASE_DELAY", 0.001)
    servers: list[Scripted] = []

    def start(*answers: tuple[int, dict[str, str], bytes]) -> Scripted:
        servers.append(Scripted(list(answers)))
        return servers[-1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def client(service: str, url: str) -> AwsClient:
    return AwsClient(
        service, region="eu-central-1", endpoint=url, credentials=CredentialChain(KEYS), timeout=5
    )


class Together(ThreadingHTTPServer):
    """Answers no request before it has two."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _TogetherHandler)
        self.both = threading.Barrier(2, timeout=10)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _TogetherHandler(BaseHTTPRequestHandler):
    server: Together  # type: ignore[assignment]
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.both.wait()
        self.send_response_only(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None: ...


def test_calls_can_be_under_way_at_the_same_time() -> None:
    server = Together()
    dynamodb = client("dynamodb", f"http://127.0.0.1:{server.server_port}")
    for _ in range(2):
        first, second = dynamodb.begin("Echo", {"n": 1}), dynamodb.begin("Echo", {"n": 2})
        assert (second(), first()) == ({"n": 2}, {"n": 1})
    server.shutdown()
    server.server_close()


def test_a_call_that_was_begun_is_made_again_where_need_be(scripted: Any) -> None:
    server = scripted(
        (200, {}, b"{}"),
        (0, {}, b""),  # the idle connection turns out closed
        (503, {}, b"{}"),
        (400, {}, json.dumps({"__type": "x#ThrottlingException"}).encode()),
        (200, {}, b'{"done":true}'),
    )
    dynamodb = client("dynamodb", server.url)
    dynamodb.call("Echo", {})
    assert dynamodb.begin("Echo", {})() == {"done": True}
    assert len(server.seen) == 5


def test_a_call_that_was_begun_fails_as_others_do(scripted: Any) -> None:
    dynamodb = client("dynamodb", scripted((400, {}, b'{"__type":"x#Refused"}')).url)
    with pytest.raises(AwsError) as refused:
        dynamodb.begin("Echo", {})()
    assert refused.value.code == "Refused"
    nobody = client("dynamodb", "http://127.0.0.1:1")
    call = nobody.begin("Echo", {})
    with pytest.raises(AwsError) as away:
        call()
    assert away.value.untouched


def test_dynamodb_on_moto(moto_url: str) -> None:
    dynamodb = client("dynamodb", moto_url)
    dynamodb.call(
        "CreateTable",
        {
            "TableName": "thin",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
        },
    )
    dynamodb.call("PutItem", {"TableName": "thin", "Item": {"id": {"S": "ä"}, "n": {"N": "1"}}})
    found = dynamodb.call("GetItem", {"TableName": "thin", "Key": {"id": {"S": "ä"}}})
    assert found["Item"]["n"] == {"N": "1"}
    with pytest.raises(AwsError) as refused:
        dynamodb.call(
            "PutItem",
            {
                "TableName": "thin",
                "Item": {"id": {"S": "ä"}},
                "ConditionExpression": "attribute_not_exists(id)",
            },
        )
    assert refused.value.code == "ConditionalCheckFailedException"
    assert not refused.value.retriable


def test_s3_paths_and_xml_errors_on_moto(moto_url: str) -> None:
    s3 = client("s3", moto_url)
    place = b"<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>"
    s3.request("PUT", "/thin-bucket", body=place)
    s3.request("PUT", "/thin-bucket/a%20b/c", body=b"hello")
    assert s3.request("GET", "/thin-bucket/a%20b/c").body == b"hello"
    with pytest.raises(AwsError) as missing:
        s3.request("GET", "/thin-bucket/none")
    assert missing.value.code == "NoSuchKey"


def test_throttling_is_retried_on_one_connection(scripted: Any) -> None:
    throttled = json.dumps({"__type": "x#ThrottlingException", "message": "slow down"}).encode()
    server = scripted((400, {}, throttled), (503, {}, b""), (200, {}, b'{"ok": 1}'))
    assert client("dynamodb", server.url).call("GetItem", {}) == {"ok": 1}
    assert len(server.seen) == 3
    assert server.connections == 1


def test_a_refusal_is_not_retried(scripted: Any) -> None:
    server = scripted(
        (400, {"x-amzn-errortype": "ValidationException:http://x"}, b'{"message":"m"}')
    )
    with pytest.raises(AwsError, match="dynamodb: m") as error:
        client("dynamodb", server.url).call("GetItem", {})
    assert error.value.code == "ValidationException"
    assert len(server.seen) == 1


def test_gives_up_after_the_last_attempt(scripted: Any) -> None:
    server = scripted((500, {}, b""))
    with pytest.raises(AwsError) as error:
        client("sqs", server.url).call("SendMessage", {})
    assert error.value.retriable
    assert len(server.seen) == client_module.ATTEMPTS


def test_an_idle_connection_that_was_closed_is_replaced(scripted: Any) -> None:
    server = scripted((200, {}, b"{}"), (0, {}, b""), (200, {}, b"{}"))
    dynamodb = client("dynamodb", server.url)
    dynamodb.call("GetItem", {})
    dynamodb.call("GetItem", {})
    assert len(server.seen) == 3


def test_a_wrong_clock_is_corrected_once(scripted: Any) -> None:
    body = b'{"__type": "InvalidSignatureException", "message": "Signature expired"}'
    ahead = formatdate(4_000_000_000, usegmt=True)
    server = scripted((403, {"Date": ahead}, body), (200, {}, b"{}"))
    client("dynamodb", server.url).call("GetItem", {})
    assert server.seen[0]["X-Amz-Date"] < "20900000" < server.seen[1]["X-Amz-Date"]


def test_nothing_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "BASE_DELAY", 0.001)
    with pytest.raises(AwsError) as error:
        client("dynamodb", "http://127.0.0.1:1").call("GetItem", {})
    assert error.value.code == "ConnectionError"


def test_over_tls_only_trusted_certificates_count(
    scripted: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, certificate = server_context(tmp_path)
    server = scripted((200, {}, b'{"ok":true}'))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    url = server.url.replace("http://", "https://")
    with pytest.raises(AwsError, match="certificate verify failed"):
        client("dynamodb", url).call("GetItem", {})
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    dynamodb = client("dynamodb", url)
    assert dynamodb.call("GetItem", {}) == {"ok": True}
    assert dynamodb.call("GetItem", {"a": "b" * 100_000}) == {"ok": True}


def test_what_must_not_happen_twice_is_not_sent_twice(scripted: Any) -> None:
    server = scripted((200, {}, b"{}"), (0, {}, b""), (200, {}, b"{}"))
    functions = client("lambda", server.url)
    functions.request("POST", "/", repeatable=False)
    with pytest.raises(AwsError, match="lambda: "):
        functions.request("POST", "/", repeatable=False)
    assert len(server.seen) == 2
    functions.close()
    functions.request("POST", "/", repeatable=False)
    assert len(server.seen) == 3


def test_endpoints_come_from_the_standard_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (
        AwsClient("sqs", region="cn-north-1").endpoint == "https://sqs.cn-north-1.amazonaws.com.cn"
    )
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566/")
    assert AwsClient("events").endpoint == "http://127.0.0.1:4566"
    monkeypatch.setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", "http://127.0.0.1:1")
    assert AwsClient("events").endpoint == "http://127.0.0.1:1"
