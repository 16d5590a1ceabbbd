"""A project that has one of everything, made on moto: what AWS's APIs take and then tell."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from nodegx.compiler.targets.aws import iam
from nodegx.compiler.targets.aws.deployer import deployer_policy
from nodegx.compiler.targets.aws.emit import Emitted
from nodegx.compiler.targets.aws.names import Names, Place
from nodegx.compiler.targets.aws.plan import Plan
from nodegx.runtime.history.dynamodb import DynamoHistory
from nodegx.runtime.history.record import ExecutionRecord, Status
from nodegx.runtime.history.store import Query

from tests.support.moto import Moto
from tests.support.moto_cloud import MotoCloud
from tests.support.programs import Programs, deploy
from tests.support.pulumi_program import ACCOUNT, REGION, Deployed

pytestmark = pytest.mark.slow

PLACE = Place(Names("shop", "moto"), ACCOUNT, REGION)
SECRET = "s3cret"
Aws = Callable[[str], Any]


@pytest.fixture(scope="module")
def moto() -> Moto:
    return Moto()


@pytest.fixture(scope="module")
def aws(moto: Moto) -> Aws:
    """The SDK's clients, each made once."""
    return cache(moto.boto3)


@pytest.fixture(scope="module")
def cloud(moto: Moto) -> MotoCloud:
    return MotoCloud(moto)


@pytest.fixture(scope="module")
def emitted(programs: Programs) -> Emitted:
    return programs.everything()


@pytest.fixture(scope="module")
def plan(emitted: Emitted) -> Plan:
    return emitted.plan


@pytest.fixture(scope="module", autouse=True)
def deployed(emitted: Emitted, cloud: MotoCloud) -> Deployed:
    """The project on moto, where nothing fires: code would need containers."""
    config = {
        "secret.KEY": SECRET,
        "env": '{"STAGE": "moto"}',
        "alarmEmail": "ops@example.com",
    }
    return deploy(emitted, "moto", config, make=cloud.make)


def test_roles_allow_what_the_plan_says(aws: Aws, plan: Plan) -> None:
    client = aws("iam")
    streams = aws("dynamodb").describe_table(TableName="shop-moto-orders")["Table"]
    secret = aws("secretsmanager").describe_secret(SecretId="shop-moto/KEY")["ARN"]
    for function in plan.functions:
        role = PLACE.names.function(function.slug)
        assert client.list_role_policies(RoleName=role)["PolicyNames"] == ["workflow"]
        assert not client.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        found = client.get_role_policy(RoleName=role, PolicyName="workflow")["PolicyDocument"]
        assert found == iam.function_policy(
            function,
            PLACE,
            secrets={"KEY": secret},
            streams={"orders": streams["LatestStreamArn"]},
        )


def test_arns_that_are_built_from_names_are_those_of_aws(aws: Aws, plan: Plan) -> None:
    functions = aws("lambda")
    for function in plan.functions:
        name = PLACE.names.function(function.slug)
        alias = functions.get_alias(FunctionName=name, Name="live")
        assert alias["AliasArn"] == PLACE.alias(function.slug)
    tables = aws("dynamodb")
    history = tables.describe_table(TableName="shop-moto-history")["Table"]
    assert history["TableArn"] == PLACE.history
    bus = aws("events").describe_event_bus(Name="shop-moto")
    assert bus["Arn"] == PLACE.bus
    queues = aws("sqs")
    url = queues.get_queue_url(QueueName="shop-moto-jobs")["QueueUrl"]
    found = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert found["QueueArn"] == PLACE.queue("jobs")
    assert json.loads(found["RedrivePolicy"])["deadLetterTargetArn"] == PLACE.dead_letters(
        "consumer"
    )
    group = aws("scheduler").get_schedule_group(Name="shop-moto")
    assert group["Arn"] == PLACE.schedule_group
    rule = aws("events").describe_rule(Name="shop-moto-listener-trigger0", EventBusName="shop-moto")
    assert rule["Arn"] == PLACE.rule("listener", "trigger0")
    logs = aws("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/shop-moto-web")
    assert logs["logGroups"][0]["arn"] == PLACE.log_group("/aws/lambda/shop-moto-web")
    role = aws("iam").get_role(RoleName="shop-moto-web")["Role"]
    assert role["Arn"] == PLACE.role("shop-moto-web")


def test_functions_are_published_and_reserved(aws: Aws) -> None:
    client = aws("lambda")
    alias = client.get_alias(FunctionName="shop-moto-web", Name="live")
    assert alias["FunctionVersion"] == "1"
    found = client.get_function(FunctionName="shop-moto-web")
    assert found["Concurrency"] == {"ReservedConcurrentExecutions": 5}
    configuration = found["Configuration"]
    assert configuration["Architectures"] == ["arm64"]
    assert (configuration["Runtime"], configuration["Handler"]) == ("python3.13", "entry.handler")
    assert found["Tags"]["nodegx:workflow"] == "web"


def test_only_given_sources_start_a_function(aws: Aws, deployed: Deployed) -> None:
    client = aws("lambda")
    api = deployed.one("aws:apigatewayv2/api:Api").id
    where = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/$default"
    expected = {
        "web": {
            ("apigateway.amazonaws.com", f"{where}/GET/orders/*"),
            ("apigateway.amazonaws.com", f"{where}/HEAD/orders/*"),
            ("apigateway.amazonaws.com", f"{where}/POST/orders/*"),
            ("apigateway.amazonaws.com", f"{where}/POST/slow"),
        },
        "listener": {("events.amazonaws.com", PLACE.rule("listener", "trigger0"))},
        "ingest": {("s3.amazonaws.com", PLACE.bucket("uploads"))},
        "tidy": {("s3.amazonaws.com", PLACE.bucket("uploads"))},
    }
    for slug, sources in expected.items():
        name = PLACE.names.function(slug)
        policy = json.loads(client.get_policy(FunctionName=name, Qualifier="live")["Policy"])
        assert {
            (each["Principal"]["Service"], each["Condition"]["ArnLike"]["AWS:SourceArn"])
            for each in policy["Statement"]
        } == sources
        for statement in policy["Statement"]:
            account = statement["Condition"]["StringEquals"]["AWS:SourceAccount"]
            assert account == ACCOUNT
            assert statement["Resource"] == PLACE.alias(slug)
    for slug in ("manual", "nightly", "consumer", "audit"):
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            client.get_policy(FunctionName=PLACE.names.function(slug), Qualifier="live")


def test_routes(aws: Aws, deployed: Deployed) -> None:
    client = aws("apigatewayv2")
    api = deployed.one("aws:apigatewayv2/api:Api").id
    integrations = {
        f"integrations/{each['IntegrationId']}": each["IntegrationUri"]
        for each in client.get_integrations(ApiId=api)["Items"]
    }
    routes = {
        each["RouteKey"]: integrations[each["Target"]]
        for each in client.get_routes(ApiId=api)["Items"]
    }
    assert routes == dict.fromkeys(
        ("GET /orders/{id}", "HEAD /orders/{id}", "POST /orders/{id}", "POST /slow"),
        PLACE.alias("web"),
    )
    (stage,) = client.get_stages(ApiId=api)["Items"]
    assert (stage["StageName"], stage["AutoDeploy"]) == ("$default", True)


def test_schedules(aws: Aws) -> None:
    client = aws("scheduler")
    listed = client.list_schedules(GroupName="shop-moto")["Schedules"]
    assert {each["Name"] for each in listed} == {"nightly-trigger0", "nightly-trigger1"}
    found = client.get_schedule(GroupName="shop-moto", Name="nightly-trigger0")
    assert found["ScheduleExpression"] == "cron(30 2 * * ? *)"
    assert found["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert found["Target"]["Arn"] == PLACE.alias("nightly")
    assert found["Target"]["RoleArn"] == PLACE.role("shop-moto-scheduler")
    policies = aws("iam").list_role_policies(RoleName="shop-moto-scheduler")
    assert set(policies["PolicyNames"]) == {"nightly-trigger0", "nightly-trigger1"}


def test_targets_of_rules(aws: Aws) -> None:
    client = aws("events")
    (target,) = client.list_targets_by_rule(
        Rule="shop-moto-listener-trigger0", EventBusName="shop-moto"
    )["Targets"]
    assert target["Arn"] == PLACE.alias("listener")
    assert target["DeadLetterConfig"]["Arn"] == PLACE.dead_letters("listener")
    assert "<aws.events.event.json>" in target["InputTransformer"]["InputTemplate"]


def test_mappings(aws: Aws) -> None:
    found = aws("lambda").list_event_source_mappings()["EventSourceMappings"]
    mine = {each["EventSourceArn"]: each for each in found if "shop-moto" in each["FunctionArn"]}
    stream = next(arn for arn in mine if "dynamodb" in arn)
    assert set(mine) == {PLACE.queue("jobs"), PLACE.queue("strict.fifo"), stream}
    assert stream.startswith(f"{PLACE.table('orders')}/stream/")
    assert mine[PLACE.queue("jobs")]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_notifications(aws: Aws) -> None:
    found = aws("s3").get_bucket_notification_configuration(Bucket=PLACE.bucket_name("uploads"))[
        "LambdaFunctionConfigurations"
    ]
    assert {each["Id"]: each["LambdaFunctionArn"] for each in found} == {
        "ingest.trigger0": PLACE.alias("ingest"),
        "tidy.trigger0": PLACE.alias("tidy"),
    }


def test_secrets_have_their_values(aws: Aws) -> None:
    found = aws("secretsmanager").get_secret_value(SecretId="shop-moto/KEY")
    assert found["SecretString"] == SECRET
    variables = aws("lambda").get_function(FunctionName="shop-moto-web")["Configuration"]
    given = variables["Environment"]["Variables"]
    assert json.loads(given["NODEGX_SECRETS"]) == {"KEY": found["ARN"]}
    assert SECRET not in json.dumps(given)


def test_logs_alarms_and_subscriptions(aws: Aws, plan: Plan) -> None:
    groups = aws("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/shop-moto-")
    assert {group["retentionInDays"] for group in groups["logGroups"]} == {30}
    assert len(groups["logGroups"]) == len(plan.functions)
    alarms = aws("cloudwatch").describe_alarms(AlarmNamePrefix="shop-moto-")
    assert len(alarms["MetricAlarms"]) > 3 * len(plan.functions)
    topic = aws("sns").get_topic_attributes(TopicArn=PLACE.topic)["Attributes"]
    (statement,) = json.loads(topic["Policy"])["Statement"]
    assert statement["Resource"] == PLACE.topic


def test_the_history_store_works_on_the_table(aws: Aws, moto: Moto) -> None:
    definition = aws("dynamodb")
    described = definition.describe_time_to_live(TableName="shop-moto-history")
    assert described["TimeToLiveDescription"]["AttributeName"] == "expires"
    store = DynamoHistory(
        "shop-moto-history",
        dynamodb=moto.client("dynamodb"),
        s3=moto.client("s3"),
        bucket=PLACE.data_bucket_name,
    )
    record = ExecutionRecord(
        id="01J0000000000000000000TEST",
        workflow="/Web",
        trigger="trigger.webhook",
        status=Status.SUCCESS,
        started=1_790_000_000.0,
        finished=1_790_000_001.0,
        input="x" * 400,
    )
    store.write([], [record])
    kept = store.get(record.id)
    assert kept is not None
    assert kept.input == record.input
    listed = store.list(Query(workflow="/Web"))
    assert [each.id for each in listed.records] == [record.id]


def test_the_deployers_policy_allows_every_call_that_was_made(cloud: MotoCloud, plan: Plan) -> None:
    policy = deployer_policy(plan, PLACE)
    allowed = {action for each in policy["Statement"] for action in each["Action"]}
    assert cloud.actions
    assert cloud.actions <= allowed, sorted(cloud.actions - allowed)


def test_everything_can_be_found_by_its_tags(aws: Aws, deployed: Deployed) -> None:
    def tagged(arn: str) -> Any:
        return aws("lambda").list_tags(Resource=arn)["Tags"]

    assert tagged(PLACE.function("web")) == {
        "nodegx:project": "shop",
        "nodegx:stack": "moto",
        "nodegx:workflow": "web",
    }
    table = aws("dynamodb").list_tags_of_resource(ResourceArn=PLACE.history)["Tags"]
    assert {"Key": "nodegx:stack", "Value": "moto"} in table
