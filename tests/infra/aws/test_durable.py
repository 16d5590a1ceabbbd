"""What is made for executions that outlive an invocation."""

from __future__ import annotations

import json
from functools import partial

import pulumi
import pytest

from tests.support.manifests import drawn
from tests.support.programs import SPEC, Deploy, Programs, deploy
from tests.support.pulumi_program import ACCOUNT, REGION, Deployed

pytestmark = pytest.mark.slow

WHERE = f"{REGION}:{ACCOUNT}"
ALIAS = f"arn:aws:lambda:{WHERE}:function:shop-dev-{{}}:live"
MANUAL = ("trigger.manual", {})
HOOK = ("trigger.webhook", {"path": "/early"})

FLOWS = (
    drawn("/Asking", MANUAL, nodes=[("logic.wait", {"webhook": {"method": "POST"}})]),
    drawn("/Pausing", MANUAL, nodes=[("logic.wait", {"duration": "2d"})]),
    drawn("/Early", HOOK, nodes=[("cloud.response", {}), ("data.set", {"value": 1})]),
    drawn("/Plain", MANUAL),
)


@pytest.fixture(scope="module")
def durable(programs: Programs) -> Deploy:
    """Deploys a project that is not done with its executions at once."""
    return partial(deploy, programs.project("durable", *FLOWS, **SPEC))


@pytest.fixture(scope="module")
def made(durable: Deploy) -> Deployed:
    return durable()


def test_what_was_forgotten_is_looked_for_every_minute(made: Deployed) -> None:
    schedules = {each.inputs["name"]: each for each in made.of("aws:scheduler/schedule:Schedule")}
    assert set(schedules) == {".sweep.asking", ".sweep.pausing", ".sweep.early"}
    sweep = schedules[".sweep.pausing"].inputs
    assert sweep["groupName"] == "shop-dev"
    assert sweep["scheduleExpression"] == "rate(1 minute)"
    assert sweep["target"]["arn"] == ALIAS.format("pausing")
    assert json.loads(sweep["target"]["input"]) == {"nodegx": {"sweep": {}}}


def test_the_interval_can_be_set(durable: Deploy) -> None:
    made = durable(config={"sweepMinutes": "15"})
    sweeps = {
        each.inputs["scheduleExpression"] for each in made.of("aws:scheduler/schedule:Schedule")
    }
    assert sweeps == {"rate(15 minutes)"}
    with pytest.raises(pulumi.RunError, match="sweepMinutes must be at least 1"):
        durable(config={"sweepMinutes": "0"})


def test_the_role_of_the_schedules_starts_any_version(made: Deployed) -> None:
    policies = {
        each.inputs["name"]: json.loads(each.inputs["policy"])["Statement"][0]
        for each in made.of("aws:iam/rolePolicy:RolePolicy")
        if each.inputs["name"].startswith(".sweep.")
    }
    assert set(policies) == {".sweep.asking", ".sweep.pausing", ".sweep.early"}
    versions = f"arn:aws:lambda:{WHERE}:function:shop-dev-pausing:*"
    assert policies[".sweep.pausing"]["Resource"] == [versions]


def test_resume_urls_have_a_route_of_their_own(made: Deployed) -> None:
    routes = {each.inputs["routeKey"] for each in made.of("aws:apigatewayv2/route:Route")}
    assert routes == {"ANY /_nodegx/asking/_nodegx/resume/{rest+}", "POST /early"}
    name = "asking-resume ANY /_nodegx/asking/_nodegx/resume/{rest+}"
    permission = made.one("aws:lambda/permission:Permission", name).inputs
    source = f"arn:aws:execute-api:{WHERE}:api1234567/$default/*/_nodegx/asking/_nodegx/resume/*"
    assert permission["sourceArn"] == source
    assert permission["function"] == "shop-dev-asking"


def variables(made: Deployed, slug: str) -> dict[str, str]:
    function = made.one("aws:lambda/function:Function", slug)
    found: dict[str, str] = function.inputs["environment"]["variables"]
    return found


def test_functions_know_their_resume_urls(made: Deployed, durable: Deploy) -> None:
    url = variables(made, "asking")["NODEGX_URL"]
    assert url.startswith("https://")
    assert url.endswith("/_nodegx/asking")
    assert "NODEGX_URL" not in variables(made, "pausing")
    own = durable(config={"domain": '{"name": "api.example.com", "certificate": "arn:c"}'})
    assert variables(own, "asking")["NODEGX_URL"] == "https://api.example.com/_nodegx/asking"


def test_what_is_over_at_once_has_nothing_of_this(made: Deployed) -> None:
    assert not {name for name in variables(made, "plain") if "RUNS" in name or "WAKES" in name}
    assert variables(made, "early")["NODEGX_RUNS_TABLE"] == "shop-dev-history"


def test_the_access_log_has_no_tokens(made: Deployed) -> None:
    stage = made.one("aws:apigatewayv2/stage:Stage")
    assert "$context.path" not in stage.inputs["accessLogSettings"]["format"]
