"""The unmodified program through an engine of our own, over the SDK's protocol, which proves the
program on machines that have neither the pulumi command nor Go."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from nodegx.compiler.project import load_project
from nodegx.providers.aws import local
from nodegx.providers.aws.emulator import ministack
from nodegx.providers.aws.emulator.cloud import Cloud
from nodegx.providers.aws.emulator.provider import EmulatorProvider
from nodegx.providers.aws.prepare import prepare

from tests.support.emulated_aws import NAME, REGION, combined_project
from tests.support.granted import inventory
from tests.support.small_engine import SmallEngine


@pytest.mark.e2e
@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore::DeprecationWarning:pulumi_aws")
def test_preview_up_nothing_change_destroy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print("\nengine: our own, over the SDK's protocol")
    root = combined_project(tmp_path / "shop", "process-order", "intake", vars={})
    prepared = prepare(load_project(root), platform=local.here())
    server = ministack.start(tmp_path / "cloud", region=REGION)
    cloud = Cloud(REGION, server.variables())
    engine = SmallEngine(
        prepared.home / "__main__.py",
        EmulatorProvider(lambda _: cloud, REGION),
        project=NAME,
        stack="small",
    )
    try:
        before = inventory(cloud)
        previewed = engine.preview()
        assert inventory(cloud) == before
        made = engine.up()
        assert made.changes == previewed.changes == {"create": len(engine.state)}
        assert engine.up().changes == {"same": len(engine.state)}

        workflow = root / "workflows" / "process-order.json"
        workflow.write_text(workflow.read_text("utf-8").replace("net 30", "net 14"), "utf-8")
        prepare(load_project(root), platform=local.here())
        changed = engine.up()
        assert kinds(changed.changed) == {
            ("update", "aws:lambda/function:Function"),
            ("update", "aws:lambda/alias:Alias"),
        }
        found = cloud.client("lambda").invoke(
            FunctionName="shop-small-process_order:live", Payload=json.dumps(request())
        )
        answer = json.loads(found["Payload"].read())
        assert json.loads(answer["body"])["terms"] == "net 14"

        engine.destroy()
        assert inventory(cloud) == before
    finally:
        engine.close()
        server.stop()


def kinds(changed: list[tuple[str, str]]) -> set[tuple[str, str]]:
    return {(step, urn.split("::")[2].rpartition("$")[2]) for step, urn in changed}


def request() -> dict[str, Any]:
    """What the HTTP API hands to a function."""
    return {
        "version": "2.0",
        "routeKey": "POST /orders",
        "rawPath": "/orders",
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": "localhost"},
        "requestContext": {
            "http": {
                "method": "POST",
                "path": "/orders",
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "test",
            },
            "stage": "$default",
        },
        "body": json.dumps({"id": "A-17", "total": 42.5, "card": "4242"}),
        "isBase64Encoded": False,
    }
