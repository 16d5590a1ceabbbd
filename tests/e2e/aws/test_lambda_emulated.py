"""process-order in the emulated cloud, deployed call by call, as a person would without Pulumi."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from nodegx.compiler.project import load_project
from nodegx.providers.aws.emulator.ministack import ACCOUNT, Ministack
from nodegx.providers.aws.prepare import prepare
from nodegx.runtime.aws.client import AwsClient
from nodegx.runtime.aws.credentials import CredentialChain
from nodegx.runtime.history.dynamodb import DynamoHistory
from nodegx.runtime.history.dynamodb_table import table_definition
from nodegx.runtime.history.record import Status
from nodegx.runtime.history.store import Query

from tests.support.ministack import emulated_cloud, sdk
from tests.support.moto import KEYS
from tests.support.projects import copy_example

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def cloud() -> Iterator[Ministack]:
    with emulated_cloud() as server:
        yield server


def request(cloud: Ministack, api: str, body: Any) -> tuple[int, Any]:
    """A request to an HTTP API of the emulator."""
    connection = HTTPConnection("127.0.0.1", cloud.port, timeout=60)
    headers = {"Host": f"{api}.execute-api.localhost", "Content-Type": "application/json"}
    connection.request("POST", "/orders", json.dumps(body), headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, json.loads(content)


def test_process_order_behind_an_http_api(cloud: Ministack, tmp_path: Path) -> None:
    project = load_project(copy_example("process-order", tmp_path / "project"))
    bundle = prepare(project).bundles["process_order"]
    credentials = CredentialChain(KEYS)
    table = AwsClient("dynamodb", region=cloud.region, endpoint=cloud.url, credentials=credentials)
    table.call("CreateTable", table_definition("history"))

    function = sdk(cloud, "lambda").create_function(
        FunctionName="process-order",
        Runtime=f"python{sys.version_info.major}.{sys.version_info.minor}",
        Role=f"arn:aws:iam::{ACCOUNT}:role/process-order",
        Handler="entry.handler",
        Timeout=36,
        Code={"ZipFile": bundle.path.read_bytes()},
        Environment={
            "Variables": {
                "NODEGX_HISTORY_TABLE": "history",
                "NODEGX_REVISION": "r1",
                "AWS_ENDPOINT_URL": cloud.url,
            }
        },
    )
    gateway = sdk(cloud, "apigatewayv2")
    api = gateway.create_api(Name="shop", ProtocolType="HTTP")["ApiId"]
    integration = gateway.create_integration(
        ApiId=api,
        IntegrationType="AWS_PROXY",
        IntegrationUri=function["FunctionArn"],
        PayloadFormatVersion="2.0",
    )["IntegrationId"]
    gateway.create_route(ApiId=api, RouteKey="POST /orders", Target=f"integrations/{integration}")
    gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)

    status, answer = request(cloud, api, {"id": "A-1", "total": 12.5, "card": "4242424242424242"})
    assert (status, answer) == (200, {"order": "A-1", "total": 12.5, "terms": "net 30"})
    status, answer = request(cloud, api, {"id": "A-2"})
    assert status == 422
    assert len(answer["problems"]) == 2

    history = DynamoHistory("history", dynamodb=table)
    found = history.list(Query(workflow="/#__cloud__/ProcessOrder")).records
    assert [(record.status, record.revision) for record in found] == [(Status.SUCCESS, "r1")] * 2
    (hour,) = history.metrics()
    assert (hour.count, hour.success) == (2, 2)
    history.close()

    cloud.reset()
    assert sdk(cloud, "lambda").list_functions()["Functions"] == []
