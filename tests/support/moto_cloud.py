"""A cloud for Pulumi programs that exists: every resource is made on moto through the SDK."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

from tests.support.moto import Moto

Json = dict[str, Any]
Made = tuple[str, Json]


def whole(value: Any) -> Any:
    """Numbers as the SDK wants them: they arrive as floats."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: whole(member) for key, member in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    return value


def pascal(value: Any) -> Any:
    """Keys as most services write them: `batchSize` as `BatchSize`."""
    if isinstance(value, dict):
        return {
            key[:1].upper() + key[1:]: member if key == "tags" else pascal(member)
            for key, member in value.items()
        }
    return [pascal(item) for item in value] if isinstance(value, list) else value


def picked(inputs: Json, *names: str) -> Json:
    """Some of the inputs, as far as they are given, in the service's spelling."""
    return {key: value for key, value in pascal(inputs).items() if key in names}


def tag_list(inputs: Json) -> list[Json]:
    return [{"Key": key, "Value": value} for key, value in inputs.get("tags", {}).items()]


def a_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("entry.py", "def handler(event, context): return event")
    return buffer.getvalue()


class MotoCloud:
    """Makes what a program registers.

    Attributes:
        actions: (IAM action, resource name) of every call, as the deployer needs them.
    """

    def __init__(self, moto: Moto) -> None:
        self._moto = moto
        self._clients: dict[str, Any] = {}
        self.actions: set[str] = set()

    def client(self, service: str) -> Any:
        """The SDK's client of a service; its calls are counted."""
        if service not in self._clients:
            client = self._moto.boto3(service)
            client.meta.events.register("before-call", self._count)
            self._clients[service] = client
        return self._clients[service]

    def _count(self, model: Any, **_: Any) -> None:
        service = model.service_model.signing_name
        prefix = {"monitoring": "cloudwatch"}.get(service, service)
        name = ACTIONS.get(model.name, model.name)
        if prefix == "apigateway":
            name = model.http["method"]
        self.actions.add(f"{prefix}:{name}")

    def make(self, type: str, name: str, inputs: Json) -> Made:
        """Makes a resource; see `pulumi_program.run_program`."""
        return MAKERS[type](self, whole(inputs))


# ---------------------------------------------------------------------------------- makers


def _role(cloud: MotoCloud, inputs: Json) -> Made:
    role = cloud.client("iam").create_role(
        **picked(inputs, "Description"),
        RoleName=inputs["name"],
        AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
        Tags=tag_list(inputs),
    )["Role"]
    return role["RoleName"], {**inputs, "arn": role["Arn"]}


def _role_policy(cloud: MotoCloud, inputs: Json) -> Made:
    cloud.client("iam").put_role_policy(
        RoleName=inputs["role"], PolicyName=inputs["name"], PolicyDocument=inputs["policy"]
    )
    return f"{inputs['role']}:{inputs['name']}", inputs


def _function(cloud: MotoCloud, inputs: Json) -> Made:
    function = cloud.client("lambda").create_function(
        **picked(inputs, "Description", "Role", "MemorySize", "Timeout", "Runtime", "Handler"),
        **picked(inputs, "Architectures", "Publish", "Tags"),
        FunctionName=inputs["name"],
        Environment={"Variables": inputs["environment"]["variables"]},
        Code={"ZipFile": a_zip()},
    )
    reserved = inputs["reservedConcurrentExecutions"]
    if reserved >= 0:
        cloud.client("lambda").put_function_concurrency(
            FunctionName=inputs["name"], ReservedConcurrentExecutions=reserved
        )
    arn = function["FunctionArn"].removesuffix(f":{function['Version']}")
    return inputs["name"], {**inputs, "arn": arn, "version": function["Version"]}


def _alias(cloud: MotoCloud, inputs: Json) -> Made:
    alias = cloud.client("lambda").create_alias(
        **picked(inputs, "FunctionName", "FunctionVersion", "Name", "Description")
    )
    return alias["AliasArn"], {**inputs, "arn": alias["AliasArn"]}


def _permission(cloud: MotoCloud, inputs: Json) -> Made:
    statement = f"s{abs(hash(json.dumps(inputs, sort_keys=True)))}"
    cloud.client("lambda").add_permission(
        **picked(inputs, "Action", "Principal", "Qualifier", "SourceArn", "SourceAccount"),
        FunctionName=inputs["function"],
        StatementId=statement,
    )
    return statement, inputs


def _invoke_config(cloud: MotoCloud, inputs: Json) -> Made:
    cloud.client("lambda").put_function_event_invoke_config(
        **picked(inputs, "FunctionName", "Qualifier", "MaximumRetryAttempts", "DestinationConfig")
    )
    return f"{inputs['functionName']}:{inputs['qualifier']}", inputs


def _mapping(cloud: MotoCloud, inputs: Json) -> Made:
    inputs = dict(inputs)
    if "destinationConfig" in inputs:
        arn = inputs["destinationConfig"]["onFailure"]["destinationArn"]
        inputs["destinationConfig"] = {"onFailure": {"destination": arn}}
    mapping = cloud.client("lambda").create_event_source_mapping(
        **picked(inputs, "EventSourceArn", "FunctionName", "BatchSize", "FunctionResponseTypes"),
        **picked(inputs, "MaximumBatchingWindowInSeconds", "ScalingConfig", "FilterCriteria"),
        **picked(inputs, "StartingPosition", "BisectBatchOnFunctionError", "Tags"),
        **picked(inputs, "MaximumRetryAttempts", "DestinationConfig"),
    )
    return mapping["UUID"], {**inputs, "uuid": mapping["UUID"]}


def _table(cloud: MotoCloud, inputs: Json) -> Made:
    client = cloud.client("dynamodb")
    indexes = [
        {
            "IndexName": index["name"],
            "KeySchema": pascal(index["keySchemas"]),
            "Projection": picked(index, "ProjectionType", "NonKeyAttributes"),
        }
        for index in inputs.get("globalSecondaryIndexes", ())
    ]
    stream = (
        {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": inputs["streamViewType"]}}
        if inputs.get("streamEnabled")
        else {}
    )
    table = client.create_table(
        TableName=inputs["name"],
        BillingMode=inputs["billingMode"],
        KeySchema=[{"AttributeName": inputs["hashKey"], "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": each["name"], "AttributeType": each["type"]}
            for each in inputs["attributes"]
        ],
        DeletionProtectionEnabled=inputs["deletionProtectionEnabled"],
        Tags=tag_list(inputs),
        **({"GlobalSecondaryIndexes": indexes} if indexes else {}),
        **stream,
    )["TableDescription"]
    if "ttl" in inputs:
        client.update_time_to_live(
            TableName=inputs["name"], TimeToLiveSpecification=pascal(inputs["ttl"])
        )
    client.update_continuous_backups(
        TableName=inputs["name"],
        PointInTimeRecoverySpecification={
            "PointInTimeRecoveryEnabled": inputs["pointInTimeRecovery"]["enabled"]
        },
    )
    outputs = {**inputs, "arn": table["TableArn"]}
    if stream:
        outputs["streamArn"] = table["LatestStreamArn"]
    return inputs["name"], outputs


def _bucket(cloud: MotoCloud, inputs: Json) -> Made:
    client = cloud.client("s3")
    name = inputs["bucket"]
    client.create_bucket(
        Bucket=name,
        CreateBucketConfiguration={"LocationConstraint": client.meta.region_name},
    )
    client.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tag_list(inputs)})
    return name, {**inputs, "arn": f"arn:aws:s3:::{name}"}


def _encryption(cloud: MotoCloud, inputs: Json) -> Made:
    rules = [
        {
            "ApplyServerSideEncryptionByDefault": {
                "SSEAlgorithm": rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"]
            }
        }
        for rule in inputs["rules"]
    ]
    cloud.client("s3").put_bucket_encryption(
        Bucket=inputs["bucket"], ServerSideEncryptionConfiguration={"Rules": rules}
    )
    return inputs["bucket"], inputs


def _public_access(cloud: MotoCloud, inputs: Json) -> Made:
    flags = picked(
        inputs,
        *("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"),
    )
    cloud.client("s3").put_public_access_block(
        Bucket=inputs["bucket"], PublicAccessBlockConfiguration=flags
    )
    return inputs["bucket"], inputs


def _bucket_policy(cloud: MotoCloud, inputs: Json) -> Made:
    cloud.client("s3").put_bucket_policy(Bucket=inputs["bucket"], Policy=inputs["policy"])
    return inputs["bucket"], inputs


def _lifecycle(cloud: MotoCloud, inputs: Json) -> Made:
    rules = [{**pascal(rule), "ID": rule["id"]} for rule in inputs["rules"]]
    for rule in rules:
        del rule["Id"]
    cloud.client("s3").put_bucket_lifecycle_configuration(
        Bucket=inputs["bucket"], LifecycleConfiguration={"Rules": rules}
    )
    return inputs["bucket"], inputs


def _notification(cloud: MotoCloud, inputs: Json) -> Made:
    configurations: list[Json] = []
    for each in inputs["lambdaFunctions"]:
        rules = [
            {"Name": kind.lower(), "Value": value}
            for kind in ("Prefix", "Suffix")
            if (value := each.get(f"filter{kind}"))
        ]
        configurations.append(
            {
                "Id": each["id"],
                "LambdaFunctionArn": each["lambdaFunctionArn"],
                "Events": each["events"],
                **({"Filter": {"Key": {"FilterRules": rules}}} if rules else {}),
            }
        )
    cloud.client("s3").put_bucket_notification_configuration(
        Bucket=inputs["bucket"],
        NotificationConfiguration={"LambdaFunctionConfigurations": configurations},
    )
    return inputs["bucket"], inputs


def _queue(cloud: MotoCloud, inputs: Json) -> Made:
    client = cloud.client("sqs")
    attributes = {
        theirs: str(inputs[ours]).lower() if isinstance(inputs[ours], bool) else str(inputs[ours])
        for ours, theirs in QUEUE_ATTRIBUTES.items()
        if ours in inputs
    }
    url = client.create_queue(QueueName=inputs["name"], Attributes=attributes, tags=inputs["tags"])[
        "QueueUrl"
    ]
    arn = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    return url, {**inputs, "arn": arn["QueueArn"], "url": url}


def _queue_policy(cloud: MotoCloud, inputs: Json) -> Made:
    cloud.client("sqs").set_queue_attributes(
        QueueUrl=inputs["queueUrl"], Attributes={"Policy": inputs["policy"]}
    )
    return inputs["queueUrl"], inputs


def _bus(cloud: MotoCloud, inputs: Json) -> Made:
    bus = cloud.client("events").create_event_bus(Name=inputs["name"], Tags=tag_list(inputs))
    return inputs["name"], {**inputs, "arn": bus["EventBusArn"]}


def _rule(cloud: MotoCloud, inputs: Json) -> Made:
    rule = cloud.client("events").put_rule(
        **picked(inputs, "Name", "EventBusName", "EventPattern", "Description"),
        Tags=tag_list(inputs),
    )
    return inputs["name"], {**inputs, "arn": rule["RuleArn"]}


def _target(cloud: MotoCloud, inputs: Json) -> Made:
    failed = cloud.client("events").put_targets(
        Rule=inputs["rule"],
        EventBusName=inputs["eventBusName"],
        Targets=[
            {
                "Id": inputs["targetId"],
                **picked(inputs, "Arn", "RetryPolicy", "DeadLetterConfig", "InputTransformer"),
            }
        ],
    )
    assert not failed["FailedEntryCount"], failed
    return f"{inputs['rule']}-{inputs['targetId']}", inputs


def _schedule_group(cloud: MotoCloud, inputs: Json) -> Made:
    group = cloud.client("scheduler").create_schedule_group(
        Name=inputs["name"], Tags=tag_list(inputs)
    )
    return inputs["name"], {**inputs, "arn": group["ScheduleGroupArn"]}


def _schedule(cloud: MotoCloud, inputs: Json) -> Made:
    schedule = cloud.client("scheduler").create_schedule(
        **picked(inputs, "Name", "GroupName", "Description", "ScheduleExpression"),
        **picked(inputs, "ScheduleExpressionTimezone", "FlexibleTimeWindow", "Target"),
    )
    return f"{inputs['groupName']}/{inputs['name']}", {**inputs, "arn": schedule["ScheduleArn"]}


def _api(cloud: MotoCloud, inputs: Json) -> Made:
    client = cloud.client("apigatewayv2")
    api = client.create_api(**picked(inputs, "Name", "ProtocolType", "Tags"))
    region = client.meta.region_name
    return api["ApiId"], {
        **inputs,
        "apiEndpoint": api["ApiEndpoint"],
        "executionArn": f"arn:aws:execute-api:{region}:123456789012:{api['ApiId']}",
    }


def _integration(cloud: MotoCloud, inputs: Json) -> Made:
    integration = cloud.client("apigatewayv2").create_integration(
        **picked(inputs, "ApiId", "IntegrationType", "IntegrationUri", "IntegrationMethod"),
        **picked(inputs, "PayloadFormatVersion"),
        TimeoutInMillis=inputs["timeoutMilliseconds"],
    )
    return integration["IntegrationId"], inputs


def _route(cloud: MotoCloud, inputs: Json) -> Made:
    route = cloud.client("apigatewayv2").create_route(
        **picked(inputs, "ApiId", "RouteKey", "Target")
    )
    return route["RouteId"], inputs


def _stage(cloud: MotoCloud, inputs: Json) -> Made:
    cloud.client("apigatewayv2").create_stage(
        **picked(inputs, "ApiId", "AutoDeploy", "AccessLogSettings", "Tags"),
        StageName=inputs["name"],
        DefaultRouteSettings=pascal(inputs["defaultRouteSettings"]),
        RouteSettings={
            each["routeKey"]: picked(each, "ThrottlingRateLimit", "ThrottlingBurstLimit")
            for each in inputs["routeSettings"]
        },
    )
    return inputs["name"], inputs


def _log_group(cloud: MotoCloud, inputs: Json) -> Made:
    client = cloud.client("logs")
    client.create_log_group(logGroupName=inputs["name"], tags=inputs["tags"])
    client.put_retention_policy(
        logGroupName=inputs["name"], retentionInDays=inputs["retentionInDays"]
    )
    group = client.describe_log_groups(logGroupNamePrefix=inputs["name"])["logGroups"][0]
    return inputs["name"], {**inputs, "arn": group["arn"].removesuffix(":*")}


def _metric_filter(cloud: MotoCloud, inputs: Json) -> Made:
    given = inputs["metricTransformation"]
    cloud.client("logs").put_metric_filter(
        logGroupName=inputs["logGroupName"],
        filterName=inputs["name"],
        filterPattern=inputs["pattern"],
        metricTransformations=[
            {
                "metricName": given["name"],
                "metricNamespace": given["namespace"],
                "metricValue": given["value"],
                "defaultValue": float(given["defaultValue"]),
            }
        ],
    )
    return inputs["name"], inputs


def _alarm(cloud: MotoCloud, inputs: Json) -> Made:
    given = pascal(inputs)
    given["Dimensions"] = [
        {"Name": name, "Value": value} for name, value in inputs.get("dimensions", {}).items()
    ]
    given["AlarmName"] = given.pop("Name")
    given["OKActions"] = given.pop("OkActions")
    given["Tags"] = tag_list(inputs)
    cloud.client("cloudwatch").put_metric_alarm(**given)
    return inputs["name"], inputs


def _dashboard(cloud: MotoCloud, inputs: Json) -> Made:
    cloud.client("cloudwatch").put_dashboard(**picked(inputs, "DashboardName", "DashboardBody"))
    return inputs["dashboardName"], inputs


def _topic(cloud: MotoCloud, inputs: Json) -> Made:
    arn = cloud.client("sns").create_topic(Name=inputs["name"], Tags=tag_list(inputs))["TopicArn"]
    return arn, {**inputs, "arn": arn}


def _topic_policy(cloud: MotoCloud, inputs: Json) -> Made:
    cloud.client("sns").set_topic_attributes(
        TopicArn=inputs["arn"], AttributeName="Policy", AttributeValue=inputs["policy"]
    )
    return inputs["arn"], inputs


def _subscription(cloud: MotoCloud, inputs: Json) -> Made:
    arn = cloud.client("sns").subscribe(
        TopicArn=inputs["topic"],
        Protocol=inputs["protocol"],
        Endpoint=inputs["endpoint"],
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    return arn, {**inputs, "arn": arn}


def _secret(cloud: MotoCloud, inputs: Json) -> Made:
    arn = cloud.client("secretsmanager").create_secret(Name=inputs["name"], Tags=tag_list(inputs))[
        "ARN"
    ]
    return arn, {**inputs, "arn": arn}


def _secret_version(cloud: MotoCloud, inputs: Json) -> Made:
    version = cloud.client("secretsmanager").put_secret_value(
        **picked(inputs, "SecretId", "SecretString")
    )
    return version["VersionId"], inputs


MAKERS: dict[str, Callable[[MotoCloud, Json], Made]] = {
    "aws:apigatewayv2/api:Api": _api,
    "aws:apigatewayv2/integration:Integration": _integration,
    "aws:apigatewayv2/route:Route": _route,
    "aws:apigatewayv2/stage:Stage": _stage,
    "aws:cloudwatch/dashboard:Dashboard": _dashboard,
    "aws:cloudwatch/eventBus:EventBus": _bus,
    "aws:cloudwatch/eventRule:EventRule": _rule,
    "aws:cloudwatch/eventTarget:EventTarget": _target,
    "aws:cloudwatch/logGroup:LogGroup": _log_group,
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": _metric_filter,
    "aws:cloudwatch/metricAlarm:MetricAlarm": _alarm,
    "aws:dynamodb/table:Table": _table,
    "aws:iam/role:Role": _role,
    "aws:iam/rolePolicy:RolePolicy": _role_policy,
    "aws:lambda/alias:Alias": _alias,
    "aws:lambda/eventSourceMapping:EventSourceMapping": _mapping,
    "aws:lambda/function:Function": _function,
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": _invoke_config,
    "aws:lambda/permission:Permission": _permission,
    "aws:s3/bucket:Bucket": _bucket,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _lifecycle,
    "aws:s3/bucketNotification:BucketNotification": _notification,
    "aws:s3/bucketPolicy:BucketPolicy": _bucket_policy,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _public_access,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        _encryption
    ),
    "aws:scheduler/schedule:Schedule": _schedule,
    "aws:scheduler/scheduleGroup:ScheduleGroup": _schedule_group,
    "aws:secretsmanager/secret:Secret": _secret,
    "aws:secretsmanager/secretVersion:SecretVersion": _secret_version,
    "aws:sns/topic:Topic": _topic,
    "aws:sns/topicPolicy:TopicPolicy": _topic_policy,
    "aws:sns/topicSubscription:TopicSubscription": _subscription,
    "aws:sqs/queue:Queue": _queue,
    "aws:sqs/queuePolicy:QueuePolicy": _queue_policy,
}

QUEUE_ATTRIBUTES = {
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "fifoQueue": "FifoQueue",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "redrivePolicy": "RedrivePolicy",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
}

ACTIONS = {
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
}
"""Operations whose IAM action has another name."""
