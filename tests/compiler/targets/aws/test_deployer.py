"""What whoever deploys must be allowed to do."""

from __future__ import annotations

import json
import re

import pytest
from nodegx.compiler.targets.aws import deployer
from nodegx.compiler.targets.aws.deployer import Features, deployer_policy
from nodegx.compiler.targets.aws.names import Names, Place

from tests.support.manifests import drawn, planned

PLACE = Place(Names("shop", "prod"), "123456789012", "eu-central-1")
WEBHOOK = ("trigger.webhook", {"path": "/a"})
NEEDS = {
    "Events": ("trigger.event", {"event": "a"}),
    "HttpApi": WEBHOOK,
    "Mappings": ("trigger.queue", {"queue": "q"}),
    "Queues": ("trigger.manual", {}),
    "Schedules": ("trigger.schedule", {"every": "1h"}),
}


def statements(*drawings: dict[str, object], **features: bool) -> dict[str, dict[str, object]]:
    plan, _ = planned(*drawings)
    policy = deployer_policy(plan, PLACE, Features(**features))
    assert policy["Version"] == "2012-10-17"
    return {each["Sid"]: each for each in policy["Statement"]}


@pytest.mark.parametrize("sid", sorted(NEEDS))
def test_only_services_that_the_plan_uses(sid: str) -> None:
    assert sid in statements(drawn("/Flow", NEEDS[sid]))
    without = ("trigger.webhook", {"path": "/a"}) if sid != "HttpApi" else ("trigger.manual", {})
    assert sid not in statements(drawn("/Flow", without))


def test_features_of_a_stack() -> None:
    plain = statements(drawn("/Flow", WEBHOOK))
    given = statements(drawn("/Flow", WEBHOOK), domain=True, budget=True, warm=True)
    assert given.keys() - plain.keys() == {
        "Budget",
        "Certificate",
        "Domain",
        "Records",
        "WarmInstances",
    }


def test_every_resource_is_the_stacks_own_or_explained() -> None:
    found = statements(
        *(drawn(f"/{sid}", trigger) for sid, trigger in NEEDS.items()),
        domain=True,
        budget=True,
        warm=True,
    )
    made_up_by_aws = {
        *("HttpApi", "Mappings", "MappingTags", "Domain", "Certificate", "Records"),
        "WarmInstances",
    }
    for sid, statement in found.items():
        for resource in statement["Resource"]:  # type: ignore[union-attr]
            if sid == "Everywhere":
                assert resource == "*"
            elif sid not in made_up_by_aws:
                assert re.search(r"[:/]shop-prod(?![a-z0-9])", resource), (sid, resource)
            else:
                assert resource.startswith("arn:aws:")
                assert resource != "*"
    assert set(found["Everywhere"]["Action"]) == deployer.EXCEPTIONS.keys()  # type: ignore[call-overload]


def test_roles_are_handed_to_the_services_that_need_them_alone() -> None:
    condition = statements(drawn("/Flow", WEBHOOK))["HandOverRoles"]["Condition"]
    assert condition == {
        "StringEquals": {"iam:PassedToService": ["lambda.amazonaws.com", "scheduler.amazonaws.com"]}
    }


def test_no_action_is_a_wildcard_and_none_stands_twice() -> None:
    plan, _ = planned(*(drawn(f"/{sid}", trigger) for sid, trigger in NEEDS.items()))
    policy = deployer_policy(plan, PLACE)
    for statement in policy["Statement"]:
        actions = statement["Action"]
        assert not any("*" in action for action in actions)
        assert len(set(actions)) == len(actions)
    everywhere = set(policy["Statement"][-1]["Action"])
    elsewhere = {a for each in policy["Statement"][:-1] for a in each["Action"]}
    assert not everywhere & elsewhere


def test_it_does_not_grow_with_the_number_of_workflows() -> None:
    one, _ = planned(drawn("/A", ("trigger.manual", {})))
    many, _ = planned(*(drawn(f"/A{n}", ("trigger.manual", {})) for n in range(20)))
    assert deployer_policy(one, PLACE) == deployer_policy(many, PLACE)
    assert len(json.dumps(deployer_policy(one, PLACE), separators=(",", ":"))) < 6_144
