"""A function that tells repeats, as it is deployed: in Lambda's own runtime client, its zip unpacked,
nothing else to import, keys in moto's DynamoDB."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from nodegx.compiler.project import load_project
from nodegx.providers.aws.prepare import prepare
from nodegx.runtime.history.dynamodb_table import table_definition

from tests.support.lambda_events import http_event
from tests.support.loopback import Answer, Loopback, loopback
from tests.support.moto import moto_server
from tests.support.projects import chain, node, write_project
from tests.support.runtime_api import TimedOut, function

pytestmark = pytest.mark.e2e

KEY = {"idempotency-key": '"8e03978e-40d5-43e8-bc93-6894a57f9324"'}
PAY = chain(
    "/Pay",
    node("order", "trigger.webhook", method="POST", path="/orders", idempotency={}),
    node("charge", "http.request", method="POST", url="{{ vars.site }}/charge", json={}),
    node(
        "block",  # what a function's time limit finds busy, it stops without a word
        "code.python",
        inputs={"number": "{{ charge.body.number }}"},
        code="import time\nasync def wait():\n    time.sleep(60 * (number == 1))\nawait wait()",
    ),
    node("answer", "cloud.response", status=201, body="{{ charge.body }}"),
)


@pytest.fixture
def site() -> Iterator[Loopback]:
    with loopback() as server:
        yield server


def test_an_order_is_paid_once_and_again_if_the_function_was_stopped(
    site: Loopback, tmp_path: Path
) -> None:
    vars = {"site": site.url}
    root = write_project(tmp_path / "project", PAY, vars=vars)
    folder = tmp_path / "function"
    with zipfile.ZipFile(prepare(load_project(root)).bundles["pay"].path) as archive:
        archive.extractall(folder)
    cloud = moto_server()
    table = f"fn-{os.urandom(6).hex()}"
    cloud.client("dynamodb").call("CreateTable", table_definition(table))
    environment = {
        **cloud.environment,
        "NODEGX_KEYS_TABLE": table,
        "NODEGX_VARS": json.dumps(vars),
    }
    site.at("/charge", *(Answer(200, {"number": number}) for number in (1, 2, 3)))
    order = http_event(body={"id": 1}, headers=KEY)
    with function(folder, environment) as stopped, pytest.raises(TimedOut):
        stopped.invoke(order, timeout=3.0)
    with function(folder, environment) as started:
        answers = [started.invoke(order) for _ in range(2)]
        other = started.invoke(http_event(body={"id": 2}, headers=KEY))
    assert [(each["statusCode"], json.loads(each["body"])) for each in answers] == [
        (201, {"number": 2})
    ] * 2
    assert answers[1]["headers"]["idempotency-replayed"] == "true"
    assert other["statusCode"] == 422
    assert len(site.seen) == 2
