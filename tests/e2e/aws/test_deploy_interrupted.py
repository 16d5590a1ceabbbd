"""Deployments to the emulated cloud that are cut off, and go on with the next one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.emulated_aws import STACK, Deployment, combined_project, deployment
from tests.support.granted import inventory
from tests.support.interruptible import interruptible


@pytest.mark.e2e
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "killed"])
def test_the_next_deployment_goes_on(tmp_path: Path, how: signal.Signals) -> None:
    root = combined_project(tmp_path / "shop", "process-order", "intake", vars={})
    with deployment(root, tmp_path) as shop:
        before = inventory(shop.cloud)
        cut_off(shop, how)
        done = shop.deploy()
        assert {each["operation"] for each in done["resources"]} <= {"create", "update"}
        assert len(shop.cloud.client("lambda").list_functions()["Functions"]) == 5
        assert shop.request("POST", "/orders", {"id": ""})[0] == 422
        assert shop.deploy()["resources"] == []
        shop.nodegx("destroy", "--stack", STACK, "--yes")
        assert inventory(shop.cloud) == before


def cut_off(shop: Deployment, how: signal.Signals) -> None:
    """Starts a deployment and stops it once there are some functions."""
    program = Path(sys.executable).with_name("nodegx")
    process = subprocess.Popen(
        interruptible(program, "deploy", "--stack", STACK, "--yes", "--json"),
        cwd=shop.root,
        env={**shop.env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 300
    while not shop.cloud.client("lambda").list_functions()["Functions"]:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    if how is signal.SIGKILL:
        for child in children(process.pid):
            os.killpg(child, signal.SIGKILL)  # the worker leads a group, with the engine in it
    process.send_signal(how)
    out, err = process.communicate(timeout=120)
    assert process.returncode != 0, (out, err)
    if how is signal.SIGINT:
        assert process.returncode == 130, (out, err)
    print(json.dumps({"left": len(shop.cloud.client("lambda").list_functions()["Functions"])}))


def children(pid: int) -> list[int]:
    """Processes that a process has started."""
    listed = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(each) for each in listed.stdout.split()]
