"""What holds for every project and every stack: the examples, and one that has everything."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from nodegx.compiler.targets.aws import iam
from nodegx.compiler.targets.aws.emit import Emitted
from nodegx.compiler.targets.aws.names import Names, Place

from tests.support.programs import Programs, deploy
from tests.support.pulumi_program import ACCOUNT, REGION, Deployed

pytestmark = pytest.mark.slow

EXAMPLES = ("process-order", "nightly-report", "event-fanout")
STATEFUL = {
    "aws:dynamodb/table:Table",
    "aws:s3/bucket:Bucket",
    "aws:sqs/queue:Queue",
    "aws:secretsmanager/secret:Secret",
}
WITHOUT_TAGS = {
    "aws:apigatewayv2/integration:Integration",
    "aws:apigatewayv2/route:Route",
    "aws:cloudwatch/dashboard:Dashboard",
    "aws:cloudwatch/eventTarget:EventTarget",
    "aws:cloudwatch/logMetricFilter:LogMetricFilter",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:lambda/alias:Alias",
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
    "aws:lambda/permission:Permission",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    "aws:s3/bucketNotification:BucketNotification",
    "aws:s3/bucketPolicy:BucketPolicy",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:scheduler/schedule:Schedule",
    "aws:secretsmanager/secretVersion:SecretVersion",
    "aws:sns/topicPolicy:TopicPolicy",
    "aws:sns/topicSubscription:TopicSubscription",
    "aws:sqs/queuePolicy:QueuePolicy",
}
"""Kinds of resources that AWS knows no tags for."""


@pytest.fixture(scope="module", params=[*EXAMPLES, "everything"])
def emitted(request: pytest.FixtureRequest, programs: Programs) -> Emitted:
    if request.param in EXAMPLES:
        return programs.example(request.param)
    return programs.everything()


@pytest.fixture(scope="module")
def dev(emitted: Emitted) -> Deployed:
    return deploy(emitted, "dev", {"secret.KEY": "s3cret"})


@pytest.fixture(scope="module")
def prod(emitted: Emitted) -> Deployed:
    return deploy(emitted, "prod", {"production": "true"})


def test_names_stand_once(dev: Deployed) -> None:
    counted = Counter((made.type, made.name) for made in dev.resources)
    assert not [key for key, count in counted.items() if count > 1]
    physical = Counter(
        (made.type, made.inputs["name"], made.inputs.get("functionName") or made.inputs.get("role"))
        for made in dev.custom
        if "name" in made.inputs and made.kind != "LogMetricFilter"
    )
    assert not [key for key, count in physical.items() if count > 1]


def test_everything_is_part_of_a_component(dev: Deployed) -> None:
    roots = [made for made in dev.resources if "pulumi:pulumi:Stack::" in made.parent]
    assert {made.type for made in roots} == {"nodegx:aws:Project", "nodegx:aws:Workflow"}
    assert all(made.parent for made in dev.resources)


def test_everything_is_tagged(dev: Deployed, emitted: Emitted) -> None:
    for made in dev.custom:
        if made.type in WITHOUT_TAGS:
            assert "tags" not in made.inputs, made.type
        else:
            assert made.inputs["tags"]["nodegx:project"] == emitted.plan.project, made.type
            assert made.inputs["tags"]["nodegx:stack"] == "dev"
    for made in dev.of("aws:lambda/function:Function"):
        assert made.inputs["tags"]["nodegx:workflow"] == made.name


def test_names_begin_with_project_and_stack(dev: Deployed, emitted: Emitted) -> None:
    prefix = f"{emitted.plan.project}-dev"
    own = {"RolePolicy", "Alias", "Stage", "LogMetricFilter", "Schedule"}
    for made in dev.custom:
        name = made.inputs.get("name") or made.inputs.get("bucket")
        if isinstance(name, str) and made.kind not in own:
            assert prefix in name, (made.type, name)
            assert len(name.rpartition("/")[2]) <= 64


def test_whoever_starts_a_function_acts_for_one_source_in_this_account(dev: Deployed) -> None:
    permissions = dev.of("aws:lambda/permission:Permission")
    for made in permissions:
        assert made.inputs["sourceAccount"] == ACCOUNT
        assert made.inputs["sourceArn"].startswith("arn:aws:")
        assert made.inputs["qualifier"] == "live"
        assert made.inputs["principal"].endswith(".amazonaws.com")
    sources = [(made.inputs["function"], made.inputs["sourceArn"]) for made in permissions]
    assert len(set(sources)) == len(sources)


def test_policies_of_queues_and_topics_name_their_account(dev: Deployed) -> None:
    kinds = ("aws:sqs/queuePolicy:QueuePolicy", "aws:sns/topicPolicy:TopicPolicy")
    for made in (each for kind in kinds for each in dev.of(kind)):
        for statement in json.loads(made.inputs["policy"])["Statement"]:
            assert statement["Condition"]["StringEquals"]["aws:SourceAccount"] == ACCOUNT


def test_every_trigger_targets_the_alias(dev: Deployed) -> None:
    targets = [
        *(
            made.inputs["integrationUri"]
            for made in dev.of("aws:apigatewayv2/integration:Integration")
        ),
        *(made.inputs["arn"] for made in dev.of("aws:cloudwatch/eventTarget:EventTarget")),
        *(made.inputs["target"]["arn"] for made in dev.of("aws:scheduler/schedule:Schedule")),
        *(
            made.inputs["functionName"]
            for made in dev.of("aws:lambda/eventSourceMapping:EventSourceMapping")
        ),
        *(
            each["lambdaFunctionArn"]
            for made in dev.of("aws:s3/bucketNotification:BucketNotification")
            for each in made.inputs["lambdaFunctions"]
        ),
    ]
    assert targets
    assert all(target.endswith(":live") for target in targets)


def test_aliases_leave_the_weights_to_the_deployer(dev: Deployed) -> None:
    for made in dev.of("aws:lambda/alias:Alias"):
        assert made.inputs["name"] == "live"
        assert made.inputs["functionVersion"] == "1"
        assert "routingConfig" not in made.inputs
        assert made.ignore_changes == ["routingConfig"]


def test_functions_may_do_what_their_plan_says(dev: Deployed, emitted: Emitted) -> None:
    place = Place(Names(emitted.plan.project, "dev"), ACCOUNT, REGION)
    policies = {made.name: made for made in dev.of("aws:iam/rolePolicy:RolePolicy")}
    for function in emitted.plan.functions:
        exact = {
            "secrets": {
                name: f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:"
                f"{place.names.secret(name)}-AbCdEf"
                for name in function.secrets
            },
            "streams": {
                table: f"{place.table(table)}/stream/2026-01-01T00:00:00.000"
                for table in emitted.plan.tables
            },
        }
        expected = iam.function_policy(function, place, **exact)
        assert json.loads(policies[function.slug].inputs["policy"]) == expected


def test_functions_have_code_logs_and_a_role_each(dev: Deployed, emitted: Emitted) -> None:
    for function in emitted.plan.functions:
        made = dev.one("aws:lambda/function:Function", function.slug)
        assert made.inputs["publish"] is True
        assert made.inputs["timeout"] == function.timeout
        assert made.inputs["memorySize"] == function.memory
        assert made.inputs["sourceCodeHash"]
        group = dev.one("aws:cloudwatch/logGroup:LogGroup", function.slug)
        assert group.inputs["name"] == f"/aws/lambda/{made.inputs['name']}"
        assert group.order < made.order
        assert dev.one("aws:iam/role:Role", function.slug).outputs["arn"] == made.inputs["role"]
        assert dev.one("aws:iam/rolePolicy:RolePolicy", function.slug).order < made.order
        variables = made.inputs["environment"]["variables"]
        assert variables["NODEGX_REVISION"]
        assert variables["NODEGX_STACK"] == "dev"
        assert sum(len(k) + len(v) for k, v in variables.items()) < 4096


def test_production_keeps_what_holds_data(dev: Deployed, prod: Deployed) -> None:
    for made in dev.custom:
        assert not made.protect
    kept = [made for made in prod.custom if made.type in STATEFUL]
    assert {made.type for made in kept} >= {"aws:dynamodb/table:Table", "aws:s3/bucket:Bucket"}
    for made in prod.custom:
        assert made.protect == (made.type in STATEFUL), (made.type, made.name)


def protections(deployed: Deployed) -> set[object]:
    return {
        *(
            made.inputs["deletionProtectionEnabled"]
            for made in deployed.of("aws:dynamodb/table:Table")
        ),
        *(not made.inputs["forceDestroy"] for made in deployed.of("aws:s3/bucket:Bucket")),
        *(
            made.inputs["recoveryWindowInDays"] > 0
            for made in deployed.of("aws:secretsmanager/secret:Secret")
        ),
    }


def test_production_keeps_it_on_the_side_of_aws_too(dev: Deployed, prod: Deployed) -> None:
    assert protections(dev) == {False}
    assert protections(prod) == {True}


def test_alarms_are_announced(dev: Deployed, emitted: Emitted) -> None:
    topic = dev.one("aws:sns/topic:Topic").outputs["arn"]
    found = dev.of("aws:cloudwatch/metricAlarm:MetricAlarm")
    assert all(made.inputs["alarmActions"] == [topic] for made in found)
    for function in emitted.plan.functions:
        mine = {made.name for made in found}
        assert {f"{function.slug}-{kind}" for kind in ("errors", "throttles", "duration")} <= mine


def test_what_tools_are_told(dev: Deployed, emitted: Emitted) -> None:
    prefix = f"{emitted.plan.project}-dev"
    slugs = [function.slug for function in emitted.plan.functions]
    assert dev.outputs["functions"] == {slug: f"{prefix}-{slug}" for slug in slugs}
    assert dev.outputs["versions"] == dict.fromkeys(slugs, "1")
    assert dev.outputs["historyTable"] == f"{prefix}-history"
    assert dev.outputs["dataBucket"] == f"{prefix}-data-{ACCOUNT}"
    assert ("url" in dev.outputs) == bool(dev.of("aws:apigatewayv2/api:Api"))


def test_no_secret_is_in_plain_sight(dev: Deployed) -> None:
    found = [made for made in dev.custom if "s3cret" in json.dumps(made.inputs, default=str)]
    assert {made.type for made in found} <= {"aws:secretsmanager/secretVersion:SecretVersion"}
