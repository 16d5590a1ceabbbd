"""Stacks, their settings, and what a deployment would change, on moto. The engine is faked, as it needs the `pulumi` command: see
`tests/support/fake_engine.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.by_hand import write_stack
from tests.support.projects import manual
from tests.support.shop import Shop, data

pytestmark = pytest.mark.slow

Invoke = Callable[..., Any]


def test_preview(shop: Shop, nodegx: Invoke) -> None:
    result = nodegx("preview", "--requests", "100000")
    assert result.exit_code == 0, result.output
    assert "+ One" in result.output
    assert "memory 256 MiB, timeout" in result.output
    assert "2 created" in result.output
    assert "100,000  200 ms assumed" in result.output
    assert "prices of 2026-11" in result.output
    nodegx("deploy", "--yes")
    shop.write(manual("Two", value=2, memory=512))
    found = data(nodegx("preview", "--requests", "1000", "--json"))
    two = next(each for each in found["workflows"] if each["slug"] == "two")
    assert two["change"] == "changed"
    assert two["details"] == ["~ memory 256 MiB → 512 MiB", "~ code"]
    assert found["cost"]["workflows"][0]["runs"] == 1000
    assert found["cost"]["total"] > 0
    quick = data(nodegx("preview", "--no-resources", "--json"))
    assert quick["resources"] is None


def test_prices_of_ones_own(shop: Shop, nodegx: Invoke) -> None:
    (shop.root / "prices.json").write_text("[]")
    result = nodegx("preview", "--no-resources", "--prices", "prices.json")
    assert result.exit_code == 5
    assert "cannot be read" in result.output


def test_stacks(shop: Shop, nodegx: Invoke) -> None:
    write_stack(shop.root, "prod", production=True)
    assert nodegx("versions").exit_code == 2
    assert "no stack is selected" in nodegx("versions").output
    assert "prod" in nodegx("stacks", "select", "prod").output
    listed = data(nodegx("stacks", "list", "--json"))
    assert [(each["name"], each["selected"]) for each in listed] == [("dev", False), ("prod", True)]
    assert listed[1]["production"]
    missing = nodegx("deploy", "--stack", "staging", "--yes")
    assert missing.exit_code == 4
    assert "nodegx stacks init staging" in missing.output
    assert nodegx("stacks", "init", "a b").exit_code == 2


def test_a_new_stack(shop: Shop, nodegx: Invoke) -> None:
    result = nodegx("stacks", "init", "staging", "--region", "eu-west-1", "--production")
    assert result.exit_code == 0, result.output
    text = (shop.root / "stacks" / "aws" / "Pulumi.staging.yaml").read_text()
    assert "production: true" in text
    assert shop.engine is not None
    assert shop.engine.values == {"aws:region": "eu-west-1"}
    assert "selected" in result.output


def test_the_policy_of_whoever_deploys(shop: Shop, nodegx: Invoke) -> None:
    write_stack(shop.root, budget=50, functions={"one": {"provisioned": {"min": 1}}})
    found = data(nodegx("stacks", "policy", "--account", "111122223333"))
    statements = {each["Sid"]: each for each in found["Statement"]}
    assert "lambda:UpdateAlias" in statements["Functions"]["Action"]
    assert all(":111122223333:" in each for each in statements["Functions"]["Resource"])
    assert {"Budget", "WarmInstances"} <= statements.keys()
    assert "Domain" not in statements


def test_settings(shop: Shop, nodegx: Invoke) -> None:
    assert nodegx("stacks", "config", "set", "alarmEmail", "ops@example.com").exit_code == 0
    assert (
        nodegx("stacks", "config", "set", "secret.KEY", "--secret", input="s3cret\n").exit_code == 0
    )
    assert nodegx("stacks", "config", "get", "alarmEmail").output == "ops@example.com\n"
    listed = nodegx("stacks", "config", "get").output
    assert "[secret]" in listed
    assert "s3cret" not in listed
    assert "s3cret" in nodegx("stacks", "config", "get", "--show-secrets").output
    unknown = nodegx("stacks", "config", "get", "alarmMail")
    assert unknown.exit_code == 4
    assert "did you mean alarmEmail" in unknown.output
    nodegx("stacks", "config", "rm", "alarmEmail")
    assert nodegx("stacks", "config", "get", "alarmEmail").exit_code == 4
    assert nodegx("stacks", "config", "set", "empty", input="").exit_code == 2
