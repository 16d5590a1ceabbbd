"""What a killed deployment had begun, found on moto. Functions and what hangs on them are found in
the emulated cloud, end to end."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from nodegx.providers.aws.adoption import adopt, adoptable, begun
from nodegx.providers.aws.cloud import Cloud

pytestmark = pytest.mark.slow

OURS = {"nodegx:project": "shop", "nodegx:stack": "dev"}
LISTED = [{"Key": name, "Value": value} for name, value in OURS.items()]
KEY = {"AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}]}
KEY |= {"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST"}
TRUST = '{"Version": "2012-10-17", "Statement": []}'
URN = "urn:pulumi:dev::shop::a::b"

Make = Callable[[Cloud, str], str]
"""Makes something of a name; gives the id the engine would know it by."""


def table(cloud: Cloud, name: str) -> str:
    cloud.client("dynamodb").create_table(TableName=name, Tags=LISTED, **KEY)
    return name


def role(cloud: Cloud, name: str) -> str:
    cloud.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Tags=LISTED)
    return name


def log_group(cloud: Cloud, name: str) -> str:
    cloud.client("logs").create_log_group(logGroupName=f"{name}-longer")
    cloud.client("logs").create_log_group(logGroupName=name, tags=OURS)
    return name


def bus(cloud: Cloud, name: str) -> str:
    cloud.client("events").create_event_bus(Name=name, Tags=LISTED)
    return name


def schedule_group(cloud: Cloud, name: str) -> str:
    cloud.client("scheduler").create_schedule_group(Name=name, Tags=LISTED)
    return name


def secret(cloud: Cloud, name: str) -> str:
    return cloud.client("secretsmanager").create_secret(Name=name, Tags=LISTED)["ARN"]


def api(cloud: Cloud, name: str) -> str:
    client = cloud.client("apigatewayv2")
    return client.create_api(Name=name, ProtocolType="HTTP", Tags=OURS)["ApiId"]


def bucket(cloud: Cloud, name: str) -> str:
    client = cloud.client("s3")
    where = {"LocationConstraint": cloud.region}
    client.create_bucket(Bucket=name, CreateBucketConfiguration=where)
    client.put_bucket_tagging(Bucket=name, Tagging={"TagSet": LISTED})
    return name


TAGGED: Mapping[str, Make] = {
    "aws:dynamodb/table:Table": table,
    "aws:iam/role:Role": role,
    "aws:cloudwatch/logGroup:LogGroup": log_group,
    "aws:cloudwatch/eventBus:EventBus": bus,
    "aws:scheduler/scheduleGroup:ScheduleGroup": schedule_group,
    "aws:secretsmanager/secret:Secret": secret,
    "aws:apigatewayv2/api:Api": api,
    "aws:s3/bucket:Bucket": bucket,
}


def resource(type: str, **inputs: Any) -> dict[str, Any]:
    return {"urn": URN, "type": type, "inputs": inputs}


@pytest.fixture
def cloud(aws: None) -> Cloud:
    return Cloud()


@pytest.mark.parametrize("type", TAGGED)
def test_what_bears_our_tags(cloud: Cloud, type: str) -> None:
    name = f"shop-{os.urandom(6).hex()}"
    wanted = resource(type, name=name, bucket=name, tags={**OURS, "team": "a"})
    assert adoptable(cloud, [wanted]) == {}
    id = TAGGED[type](cloud, name)
    assert adoptable(cloud, [wanted]) == {URN: id}
    for tags in ({**OURS, "nodegx:stack": "prod"}, {}):
        foreign = resource(type, name=name, bucket=name, tags=tags)
        assert adoptable(cloud, [foreign]) == {}


def test_what_has_no_tags_of_its_own(cloud: Cloud) -> None:
    name = f"shop-{os.urandom(6).hex()}"
    client, id = cloud.client("apigatewayv2"), api(cloud, name)
    route = resource("aws:apigatewayv2/route:Route", apiId=id, routeKey="GET /a")
    stage = resource("aws:apigatewayv2/stage:Stage", apiId=id, name="live")
    assert adoptable(cloud, [route]) == adoptable(cloud, [stage]) == {}
    made = client.create_route(ApiId=id, RouteKey="GET /a")["RouteId"]
    client.create_stage(ApiId=id, StageName="live")
    assert adoptable(cloud, [route]) == {URN: made}
    assert adoptable(cloud, [stage]) == {URN: "live"}


def test_what_may_just_be_made_again(cloud: Cloud) -> None:
    assert adoptable(cloud, [resource("aws:sqs/queue:Queue", name="a", tags=OURS)]) == {}
    assert adoptable(cloud, [resource("aws:lambda/function:Function")]) == {}


def test_it_becomes_part_of_the_state() -> None:
    making = {"type": "creating", "resource": resource("a", name="x")}
    other = {"type": "creating", "resource": {**resource("b"), "urn": "other"}}
    update = {"type": "updating", "resource": {**resource("c"), "urn": "third"}}
    state: dict[str, Any] = {"pending_operations": [making, other, update]}
    assert [each["urn"] for each in begun(state)] == [URN, "other"]
    adopt(state, {URN: "i-1"})
    assert state["pending_operations"] == [other, update]
    assert state["resources"] == [
        {**resource("a", name="x"), "id": "i-1", "outputs": {"name": "x"}}
    ]
    assert begun({}) == []
