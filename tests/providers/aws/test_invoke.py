"""Calls to functions. Lambda itself is faked here, as moto needs Docker to run one; the end-to-end
tests of deployments call real ones."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from nodegx.providers.aws import invoke as module
from nodegx.providers.aws.invoke import invoke
from nodegx.providers.errors import ProviderError

from tests.providers.conftest import Deploy
from tests.support.by_hand import ByHand
from tests.support.projects import manual

pytestmark = pytest.mark.slow


class FakeLambda:
    """Answers one call."""

    def __init__(self, answer: Any, error: str | None = None, log: str = "") -> None:
        self.calls: list[dict[str, Any]] = []
        self._answer = {
            "ExecutedVersion": "7",
            "Payload": io.BytesIO(json.dumps(answer).encode()),
            "LogResult": base64.b64encode(log.encode()).decode(),
            **({"FunctionError": error} if error else {}),
        }

    def invoke(self, **request: Any) -> dict[str, Any]:
        self.calls.append(request)
        return self._answer


@pytest.fixture
def shop(by_hand: Deploy) -> ByHand:
    return by_hand(manual("One"))


def answering(monkeypatch: pytest.MonkeyPatch, *args: Any) -> FakeLambda:
    fake = FakeLambda(*args)
    fake.exceptions = type("E", (), {"ResourceNotFoundException": LookupError})  # type: ignore[attr-defined]
    monkeypatch.setattr(module, "_patient", lambda deployment: fake)
    return fake


def test_a_call(shop: ByHand, monkeypatch: pytest.MonkeyPatch) -> None:
    result = {"status": "success", "output": {"a": 1}, "error": None, "execution": "01X"}
    fake = answering(monkeypatch, result, None, "one line\n")
    answer = invoke(shop.deployment, "one", {"b": 2}, trigger="start")
    assert (answer.status, answer.output, answer.execution) == ("success", {"a": 1}, "01X")
    assert (answer.version, answer.log) == ("7", "one line\n")
    (call,) = fake.calls
    assert call["FunctionName"] == shop.deployment.names.function("one")
    assert call["Qualifier"] == "live"
    payload = json.loads(call["Payload"])
    assert payload["input"] == {"b": 2}
    assert payload["nodegx"]["trigger"] == "start"
    assert len(payload["nodegx"]["call"]["execution"]) == 26


def test_a_run_that_fails(shop: ByHand, monkeypatch: pytest.MonkeyPatch) -> None:
    error = {"message": "no card", "code": "x", "category": "fatal"}
    answering(monkeypatch, {"status": "error", "output": None, "error": error, "execution": "01X"})
    answer = invoke(shop.deployment, "one", {})
    assert (answer.status, answer.error) == ("error", error)


def test_nobody_waits(shop: ByHand, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = answering(monkeypatch, None)
    answer = invoke(shop.deployment, "one", {}, wait=False, version="3")
    assert answer.status == "accepted"
    assert answer.execution == json.loads(fake.calls[0]["Payload"])["nodegx"]["call"]["execution"]
    assert fake.calls[0]["InvocationType"] == "Event"
    assert fake.calls[0]["Qualifier"] == "3"


@pytest.mark.parametrize(
    ("message", "log", "hint"),
    [
        ("2026-11-23T10:00:00Z 7f3c Task timed out after 35.00 seconds", "", "timeout"),
        ("RequestId: 7f3c Error: Runtime exited with error: signal: killed", "", "memory"),
        ("Unable to import module 'entry': No module named 'numpy'", "", "packages"),
        ("something else", "", "nodegx logs"),
    ],
)
def test_functions_that_fail_outside_the_workflow(
    shop: ByHand, monkeypatch: pytest.MonkeyPatch, message: str, log: str, hint: str
) -> None:
    answering(monkeypatch, {"errorMessage": message}, "Unhandled", log)
    with pytest.raises(ProviderError) as caught:
        invoke(shop.deployment, "one", {})
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.kind == "failure"


def test_inputs_that_are_too_large(shop: ByHand) -> None:
    with pytest.raises(ProviderError, match="Lambda takes 1,048,576"):
        invoke(shop.deployment, "one", "x" * 1_100_000, wait=False)
    with pytest.raises(ProviderError, match="Lambda takes 6,291,456"):
        invoke(shop.deployment, "one", "x" * 6_300_000)


def test_workflows_that_are_not_deployed(shop: ByHand) -> None:
    with pytest.raises(ProviderError, match="three is not deployed"):
        invoke(shop.deployment, "three", {})
