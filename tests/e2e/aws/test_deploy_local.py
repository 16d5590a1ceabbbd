"""`nodegx deploy --local`: a project in an emulated cloud, with the commands of users and nothing else
but the engine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from nodegx.providers.aws import local

from tests.support.emulated_aws import ROOT, eventually
from tests.support.engine import pulumi_command
from tests.support.loopback import Answer, loopback

PROGRAM = Path(sys.executable).with_name("nodegx")


def nodegx(root: Path, *arguments: str, expect: int = 0) -> Any:
    # Whatever leads to a real account must not matter.
    env = {**os.environ, "AWS_PROFILE": "production", "NODEGX_SECRET_SHOP_TOKEN": "letmein"}
    command = [str(PROGRAM), *arguments, "--json"]
    done = subprocess.run(
        command, cwd=root, env=env, capture_output=True, text=True, check=False, timeout=200
    )
    assert done.returncode == expect, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return json.loads(done.stdout) if done.stdout.strip() else done.stderr


@pytest.mark.e2e
@pytest.mark.timeout(2400)
def test_a_cloud_of_ones_own(tmp_path: Path) -> None:
    pulumi_command()
    root = tmp_path / "intake"
    shutil.copytree(
        ROOT / "examples" / "intake", root, ignore=shutil.ignore_patterns("build", ".*")
    )
    with loopback() as shop:
        shop.at("/deliveries", Answer(201, {}))
        project = root / "nodegx.json"
        spec = json.loads(project.read_text("utf-8"))
        project.write_text(json.dumps({**spec, "vars": {"shopUrl": shop.url}}), "utf-8")

        refused = nodegx(root, "history", "list", "--stack", "local", expect=4)
        assert "does not run" in refused["error"]["message"]
        try:
            made = nodegx(root, "deploy", "--target", "aws", "--local")
            assert made["stack"] == "local"
            assert nodegx(root, "deploy", "--local")["resources"] == []
            server = local.running(root)
            assert server is not None
            send(server.url, (root / "samples" / "delivery.json").read_text("utf-8"))
            eventually(lambda: shop.seen)
            assert shop.seen[0].headers["authorization"] == "Bearer letmein"
            listed = eventually(
                lambda: [
                    each
                    for each in nodegx(root, "history", "list", "--stack", "local")["executions"]
                    if each["status"] == "success"
                ]
            )
            assert [each["workflow"] for each in listed] == ["/#__cloud__/TakeDelivery"]
        finally:
            if local.running(root) is not None:
                nodegx(root, "destroy", "--local")
    assert local.running(root) is None
    assert not local.directory(root).exists()
    assert sorted(path.name for path in (root / "stacks" / "aws").iterdir()) == [
        "Pulumi.dev.yaml",
        "Pulumi.prod.yaml",
    ]


def send(url: str, message: str) -> None:
    """Puts a message into the queue, as any program could."""
    from nodegx.runtime.aws.client import AwsClient
    from nodegx.runtime.aws.credentials import CredentialChain

    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    queues = AwsClient("sqs", region=local.REGION, endpoint=url, credentials=CredentialChain(keys))
    body = json.dumps(json.loads(message)["body"])
    queue = f"{url}/000000000000/intake-local-deliveries"
    queues.call("SendMessage", {"QueueUrl": queue, "MessageBody": body})
