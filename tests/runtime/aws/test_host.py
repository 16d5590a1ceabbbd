"""What a function's runs send to other services, and read from them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import pytest
from nodegx.runtime.aws import secrets as secrets_module
from nodegx.runtime.aws.client import AwsError
from nodegx.runtime.aws.environment import Environment
from nodegx.runtime.aws.host import AwsHost
from nodegx.runtime.errors import FatalError, NodegxError

from tests.support.moto import Moto

ARN = "arn:aws:lambda:eu-central-1:123456789012:function:shop-test-charge:live"


class Service(ThreadingHTTPServer):
    """Answers with `answer` and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.answer: tuple[int, dict[str, str], Any] = (200, {}, {})
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    server: Service  # type: ignore[assignment]
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append((unquote(self.path), headers, body))
        status, more, answer = self.server.answer
        content = json.dumps(answer).encode()
        self.send_response_only(status)
        for name, value in {**more, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    server = Service()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setattr("nodegx.runtime.aws.client.BASE_DELAY", 0.001)
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def host(service: Service) -> AwsHost:
    functions = json.dumps({"/Charge": ARN})
    return AwsHost(
        Environment.read({"NODEGX_FUNCTIONS": functions, "NODEGX_EVENT_BUS": "shop-test"})
    )


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Environment.read(
        {
            "NODEGX_PROJECT": "shop",
            "NODEGX_HISTORY_TABLE": "",
            "NODEGX_ENV": '["TOWN", "MISSING"]',
            "TOWN": "Ghent",
            "NODEGX_VARS": '{"rate": 0.21}',
            "NODEGX_RETENTION_DAYS": "5",
            "NODEGX_LOG_LEVEL": "WARNING",
        }
    )
    assert (found.project, found.history_table, found.retention_days) == ("shop", None, 5)
    assert (found.env, found.vars, found.log_level) == (
        {"TOWN": "Ghent"},
        {"rate": 0.21},
        "warning",
    )
    monkeypatch.setenv("NODEGX_STACK", "prod")
    assert Environment.read().stack == "prod"
    assert AwsHost(found).history is None


# --- calls -----------------------------------------------------------------------------------------


async def test_a_call_invokes_the_alias_and_returns_the_output(
    service: Service, host: AwsHost
) -> None:
    service.answer = (200, {}, {"status": "success", "output": {"id": 7}})
    assert await host.call("/Charge", {"n": 1}, parent="01CALLER", depth=2) == {"id": 7}
    ((path, headers, body),) = service.asked
    assert path == f"/2015-03-31/functions/{ARN}/invocations"
    assert headers["x-amz-invocation-type"] == "RequestResponse"
    assert body["input"] == {"n": 1}
    call = body["nodegx"]["call"]
    assert (call["parent"], call["depth"], len(call["execution"])) == ("01CALLER", 2, 26)


async def test_a_call_that_nobody_waits_for(service: Service, host: AwsHost) -> None:
    service.answer = (202, {}, {})
    started = await host.call("/Charge", None, parent="01CALLER", depth=1, wait=False)
    ((_, headers, body),) = service.asked
    assert headers["x-amz-invocation-type"] == "Event"
    assert started == {"execution": body["nodegx"]["call"]["execution"]}


@pytest.mark.parametrize(
    ("headers", "answer", "message", "retriable"),
    [
        (
            {},
            {"status": "error", "error": {"message": "no money", "category": "fatal"}},
            "/Charge failed: no money",
            False,
        ),
        (
            {},
            {"status": "timeout", "error": {"category": "retriable"}},
            "/Charge failed: timeout",
            True,
        ),
        (
            {"X-Amz-Function-Error": "Unhandled"},
            {"errorMessage": "oops"},
            "/Charge failed: oops",
            True,
        ),
    ],
)
async def test_calls_that_fail(
    service: Service,
    host: AwsHost,
    headers: dict[str, str],
    answer: dict[str, Any],
    message: str,
    retriable: bool,
) -> None:
    service.answer = (200, headers, answer)
    with pytest.raises(NodegxError, match=message) as caught:
        await host.call("/Charge", None, parent="p", depth=1)
    assert (caught.value.code, caught.value.retriable) == ("call.failed", retriable)


async def test_only_calls_that_were_not_made_are_made_again(
    service: Service, host: AwsHost
) -> None:
    service.answer = (500, {"x-amzn-errortype": "ServiceException"}, {"Message": "?"})
    with pytest.raises(AwsError):
        await host.call("/Charge", None, parent="p", depth=1)
    assert len(service.asked) == 1
    service.asked.clear()
    service.answer = (429, {"x-amzn-errortype": "TooManyRequestsException"}, {"Message": "busy"})
    with pytest.raises(AwsError):
        await host.call("/Charge", None, parent="p", depth=1)
    assert len(service.asked) == 5


async def test_unknown_workflows_cannot_be_called(host: AwsHost) -> None:
    with pytest.raises(FatalError, match="There is no workflow /Other to call"):
        await host.call("/Other", None, parent="p", depth=1)


HUGE = [["x" * 100_000] * 1000] * 1000
"""100 kB in memory, 100 GB as text."""


async def test_what_is_huge_as_text_goes_nowhere(service: Service, host: AwsHost) -> None:
    with pytest.raises(FatalError, match="more than 10,000,000 characters") as caught:
        await host.call("/Charge", HUGE, parent="p", depth=1)
    assert caught.value.code == "call.size"
    with pytest.raises(FatalError, match="more than 10,000,000 characters") as caught:
        await host.emit("order.created", HUGE, source="p", depth=1)
    assert caught.value.code == "emit.size"
    assert service.asked == []


# --- events ----------------------------------------------------------------------------------------


async def test_events_go_to_the_bus(service: Service, host: AwsHost) -> None:
    service.answer = (200, {}, {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]})
    id = await host.emit("order.created", {"total": 5}, source="01RUN", depth=3)
    ((_, headers, body),) = service.asked
    assert headers["x-amz-target"] == "AWSEvents.PutEvents"
    (entry,) = body["Entries"]
    assert (entry["EventBusName"], entry["Source"]) == ("shop-test", "nodegx")
    assert entry["DetailType"] == "order.created"
    assert json.loads(entry["Detail"]) == {
        "name": "order.created",
        "data": {"total": 5},
        "id": id,
        "source": "01RUN",
        "depth": 3,
    }


async def test_events_that_are_refused(service: Service, host: AwsHost) -> None:
    entry = {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"}
    service.answer = (200, {}, {"FailedEntryCount": 1, "Entries": [entry]})
    with pytest.raises(NodegxError, match="slow down") as caught:
        await host.emit("a", None, source="r", depth=1)
    assert caught.value.retriable
    with pytest.raises(FatalError, match="one more"):
        await host.emit("a", None, source="r", depth=17)
    with pytest.raises(FatalError, match="no event bus"):
        await AwsHost(Environment.read({"A": "b"})).emit("a", None, source="r", depth=1)


# --- secrets ---------------------------------------------------------------------------------------


def test_secrets_are_fetched_once_and_again_after_a_while(
    moto: Moto, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = moto.boto3("secretsmanager")
    arn = manager.create_secret(Name="shop/test/key", SecretString="one")["ARN"]
    for name, value in moto.environment.items():
        monkeypatch.setenv(name, value)
    names = json.dumps({"KEY": arn, "GONE": "shop/test/gone"})
    found = AwsHost(Environment.read({"NODEGX_SECRETS": names})).secrets
    assert list(found) == ["KEY", "GONE"]
    assert found["KEY"] == "one"
    manager.put_secret_value(SecretId=arn, SecretString="two")
    assert found["KEY"] == "one"
    monkeypatch.setattr(secrets_module, "KEEP", 0.0)
    assert found["KEY"] == "two"
    with pytest.raises(KeyError):
        found["GONE"]
    assert ("KEY" in found, "OTHER" in found) == (True, False)
