"""What a deployment that was killed had begun to make: found in the cloud again by its name.

The engine knows what was begun, and not what came of it. What is there, and bears the tags of the
deployment, is taken over; to make it again would fail, for names are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from .cloud import Cloud, error_code

Data = Mapping[str, Any]
"""JSON data: of resources in the state, of their inputs, of answers."""
OWN_TAGS = "nodegx:"
CREATING = "creating"


class Found(NamedTuple):
    """Something in the cloud: the id by which the engine knows it, and its tags. None for what has
    no tags: what it is part of has some."""

    id: str
    tags: Mapping[str, str] | None


Finder = Callable[[Cloud, Data], Found | None]


def begun(deployment: Data) -> list[Data]:
    """The resources that a stack's state, as it is exported, says were being made."""
    pending: Iterable[Data] = deployment.get("pending_operations") or ()
    return [each["resource"] for each in pending if each.get("type") == CREATING]


def adoptable(cloud: Cloud, resources: Iterable[Data]) -> dict[str, str]:
    """Ids of the resources that are there and ours, by URN. What cannot be made twice is looked
    for; everything else is just made again.

    Args:
        cloud: where they would be.
        resources: as `begun` gives them.
    """
    from botocore.exceptions import ClientError, ParamValidationError

    found: dict[str, str] = {}
    for resource in resources:
        find = _FINDERS.get(str(resource["type"]))
        inputs: Data = resource.get("inputs") or {}
        if find is None:
            continue
        try:
            there = find(cloud, inputs)
        except (ClientError, ParamValidationError, KeyError) as error:
            if error_code(error) in ("AccessDenied", "AccessDeniedException"):
                raise
            continue  # it is not there, or nothing is known of it yet
        if there is not None and _is_ours(inputs, there):
            found[str(resource["urn"])] = there.id
    return found


def adopt(deployment: dict[str, Any], found: Mapping[str, str]) -> None:
    """Makes resources that were being made part of a stack's state, which a refresh completes.

    Args:
        deployment: the state, as it is exported; it is changed.
        found: ids by URN.
    """
    for resource in begun(deployment):
        id = found.get(str(resource["urn"]))
        if id is not None:
            inputs: Data = resource.get("inputs") or {}
            known: Data = {**resource, "id": id, "outputs": inputs}
            deployment.setdefault("resources", []).append(known)
    deployment["pending_operations"] = [
        each
        for each in deployment["pending_operations"]
        if each["resource"]["urn"] not in found or each["type"] != CREATING
    ]


def _is_ours(inputs: Data, there: Found) -> bool:
    if there.tags is None:
        return True
    given: Mapping[str, str] = inputs.get("tags") or {}
    own = {name: value for name, value in given.items() if name.startswith(OWN_TAGS)}
    return bool(own) and all(there.tags.get(name) == value for name, value in own.items())


def _tags(listed: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in listed}


# --------------------------------------------------------------------------------------- finders


def _function(cloud: Cloud, inputs: Data) -> Found:
    there = cloud.client("lambda").get_function(FunctionName=inputs["name"])
    return Found(inputs["name"], there.get("Tags") or {})


def _alias(cloud: Cloud, inputs: Data) -> Found:
    there = cloud.client("lambda").get_alias(
        FunctionName=inputs["functionName"], Name=inputs["name"]
    )
    return Found(there["AliasArn"], None)


def _mapping(cloud: Cloud, inputs: Data) -> Found | None:
    listed = cloud.client("lambda").list_event_source_mappings(
        FunctionName=inputs["functionName"], EventSourceArn=inputs["eventSourceArn"]
    )["EventSourceMappings"]
    return Found(listed[0]["UUID"], None) if listed else None


def _role(cloud: Cloud, inputs: Data) -> Found:
    there = cloud.client("iam").get_role(RoleName=inputs["name"])["Role"]
    return Found(inputs["name"], _tags(there.get("Tags") or ()))


def _table(cloud: Cloud, inputs: Data) -> Found:
    client = cloud.client("dynamodb")
    arn = client.describe_table(TableName=inputs["name"])["Table"]["TableArn"]
    return Found(inputs["name"], _tags(client.list_tags_of_resource(ResourceArn=arn)["Tags"]))


def _log_group(cloud: Cloud, inputs: Data) -> Found | None:
    client = cloud.client("logs")
    name = inputs["name"]
    for each in client.describe_log_groups(logGroupNamePrefix=name)["logGroups"]:
        if each["logGroupName"] == name:
            arn = str(each["arn"]).removesuffix(":*")
            return Found(name, client.list_tags_for_resource(resourceArn=arn)["tags"])
    return None


def _bucket(cloud: Cloud, inputs: Data) -> Found:
    there = cloud.client("s3").get_bucket_tagging(Bucket=inputs["bucket"])
    return Found(inputs["bucket"], _tags(there["TagSet"]))


def _bus(cloud: Cloud, inputs: Data) -> Found:
    client = cloud.client("events")
    arn = client.describe_event_bus(Name=inputs["name"])["Arn"]
    return Found(inputs["name"], _tags(client.list_tags_for_resource(ResourceARN=arn)["Tags"]))


def _schedule_group(cloud: Cloud, inputs: Data) -> Found:
    client = cloud.client("scheduler")
    arn = client.get_schedule_group(Name=inputs["name"])["Arn"]
    return Found(inputs["name"], _tags(client.list_tags_for_resource(ResourceArn=arn)["Tags"]))


def _schedule(cloud: Cloud, inputs: Data) -> Found:
    group = inputs["groupName"]
    cloud.client("scheduler").get_schedule(GroupName=group, Name=inputs["name"])
    return Found(f"{group}/{inputs['name']}", None)


def _secret(cloud: Cloud, inputs: Data) -> Found:
    there = cloud.client("secretsmanager").describe_secret(SecretId=inputs["name"])
    return Found(there["ARN"], _tags(there.get("Tags") or ()))


def _api(cloud: Cloud, inputs: Data) -> Found | None:
    for each in cloud.client("apigatewayv2").get_apis()["Items"]:
        if each["Name"] == inputs["name"]:
            return Found(each["ApiId"], each.get("Tags") or {})
    return None


def _route(cloud: Cloud, inputs: Data) -> Found | None:
    for each in cloud.client("apigatewayv2").get_routes(ApiId=inputs["apiId"])["Items"]:
        if each["RouteKey"] == inputs["routeKey"]:
            return Found(each["RouteId"], None)
    return None


def _stage(cloud: Cloud, inputs: Data) -> Found:
    cloud.client("apigatewayv2").get_stage(ApiId=inputs["apiId"], StageName=inputs["name"])
    return Found(inputs["name"], None)


def _budget(cloud: Cloud, inputs: Data) -> Found:
    cloud.client("budgets").describe_budget(AccountId=cloud.account, BudgetName=inputs["name"])
    return Found(f"{cloud.account}:{inputs['name']}", None)


_FINDERS: Mapping[str, Finder] = {
    "aws:apigatewayv2/api:Api": _api,
    "aws:apigatewayv2/route:Route": _route,
    "aws:apigatewayv2/stage:Stage": _stage,
    "aws:budgets/budget:Budget": _budget,
    "aws:cloudwatch/eventBus:EventBus": _bus,
    "aws:cloudwatch/logGroup:LogGroup": _log_group,
    "aws:dynamodb/table:Table": _table,
    "aws:iam/role:Role": _role,
    "aws:lambda/alias:Alias": _alias,
    "aws:lambda/eventSourceMapping:EventSourceMapping": _mapping,
    "aws:lambda/function:Function": _function,
    "aws:s3/bucket:Bucket": _bucket,
    "aws:scheduler/schedule:Schedule": _schedule,
    "aws:scheduler/scheduleGroup:ScheduleGroup": _schedule_group,
    "aws:secretsmanager/secret:Secret": _secret,
}
"""Types of which there cannot be two, or should not be, as nobody would know of the first."""
