"""What is made for each kind of trigger."""

from __future__ import annotations

import json
from typing import Any

import pytest
from nodegx.runtime.history.dynamodb_table import table_definition

from tests.support.programs import Deploy
from tests.support.pulumi_program import ACCOUNT, REGION, Deployed, Made

pytestmark = pytest.mark.slow

WHERE = f"{REGION}:{ACCOUNT}"
ALIAS = f"arn:aws:lambda:{WHERE}:function:shop-dev-{{}}:live"
DEAD = f"arn:aws:sqs:{WHERE}:shop-dev-{{}}-dlq"


@pytest.fixture(scope="module")
def made(everything: Deploy) -> Deployed:
    return everything(config={"secret.KEY": "s3cret", "env": '{"STAGE": "dev"}'})


def variables(made: Deployed, slug: str) -> dict[str, str]:
    function = made.one("aws:lambda/function:Function", slug)
    found: dict[str, str] = function.inputs["environment"]["variables"]
    return found


def mapping(made: Deployed, name: str) -> dict[str, Any]:
    return made.one("aws:lambda/eventSourceMapping:EventSourceMapping", name).inputs


def permission(made: Deployed, name: str) -> Made:
    return made.one("aws:lambda/permission:Permission", name)


def test_environment(made: Deployed) -> None:
    found = variables(made, "web")
    assert found.pop("NODEGX_REVISION")
    assert {name: value for name, value in found.items() if name != "NODEGX_SECRETS"} == {
        "NODEGX_PROJECT": "shop",
        "NODEGX_STACK": "dev",
        "NODEGX_HISTORY_TABLE": "shop-dev-history",
        "NODEGX_DATA_BUCKET": f"shop-dev-data-{ACCOUNT}",
        "NODEGX_RETENTION_DAYS": "30",
        "NODEGX_EVENT_BUS": "shop-dev",
        "NODEGX_VARS": '{"base":"https://x.example"}',
        "NODEGX_FUNCTIONS": json.dumps({"/Manual": ALIAS.format("manual")}, separators=(",", ":")),
        "NODEGX_ENV": '["STAGE"]',
        "STAGE": "dev",
    }
    secret = f"arn:aws:secretsmanager:{WHERE}:secret:shop-dev/KEY-AbCdEf"
    assert json.loads(found["NODEGX_SECRETS"]) == {"KEY": secret}
    assert "NODEGX_EVENT_BUS" not in variables(made, "manual")
    assert "NODEGX_VARS" not in variables(made, "manual")


def test_routes(made: Deployed) -> None:
    routes = {each.inputs["routeKey"] for each in made.of("aws:apigatewayv2/route:Route")}
    assert routes == {
        "GET /orders/{id}",
        "HEAD /orders/{id}",
        "POST /orders/{id}",
        "POST /slow",
    }
    found = permission(made, "web-trigger0 POST /orders/{id}").inputs
    assert found["sourceArn"] == f"arn:aws:execute-api:{WHERE}:api1234567/$default/POST/orders/*"
    integration = made.one("aws:apigatewayv2/integration:Integration", "web-trigger0").inputs
    assert integration["payloadFormatVersion"] == "2.0"
    assert integration["integrationUri"] == ALIAS.format("web")
    assert integration["timeoutMilliseconds"] == 30_000


def test_the_stage_limits_what_may_come(made: Deployed) -> None:
    stage = made.one("aws:apigatewayv2/stage:Stage")
    assert stage.inputs["autoDeploy"] is True
    assert stage.inputs["defaultRouteSettings"] == {
        "throttlingRateLimit": 500,
        "throttlingBurstLimit": 1000,
    }
    assert stage.inputs["routeSettings"] == [
        {"routeKey": "POST /slow", "throttlingRateLimit": 1, "throttlingBurstLimit": 60}
    ]
    assert all(stage.order > each.order for each in made.of("aws:apigatewayv2/route:Route"))
    line = json.loads(stage.inputs["accessLogSettings"]["format"])
    assert not {"query", "headers"} & line.keys()
    api = made.one("aws:apigatewayv2/api:Api").inputs
    assert "corsConfiguration" not in api, "the functions answer preflights"


def test_schedules(made: Deployed) -> None:
    nightly = made.one("aws:scheduler/schedule:Schedule", "nightly-trigger0").inputs
    assert nightly["groupName"] == "shop-dev"
    assert nightly["scheduleExpression"] == "cron(30 2 * * ? *)"
    assert nightly["scheduleExpressionTimezone"] == "Europe/Berlin"
    target = nightly["target"]
    assert target["arn"] == ALIAS.format("nightly")
    assert json.loads(target["input"]) == {
        "nodegx": {"trigger": "trigger0"},
        "scheduled": "<aws.scheduler.scheduled-time>",
    }
    assert target["deadLetterConfig"] == {"arn": DEAD.format("nightly")}
    assert target["retryPolicy"] == {
        "maximumEventAgeInSeconds": 300,
        "maximumRetryAttempts": 3,
    }
    hourly = made.one("aws:scheduler/schedule:Schedule", "nightly-trigger1").inputs
    assert hourly["target"]["retryPolicy"] == {
        "maximumEventAgeInSeconds": 86_400,
        "maximumRetryAttempts": 185,
    }


def test_only_this_projects_schedules_take_their_role_on(made: Deployed) -> None:
    role = made.one("aws:iam/role:Role", "scheduler").inputs
    (statement,) = json.loads(role["assumeRolePolicy"])["Statement"]
    assert statement["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert statement["Condition"] == {
        "ArnEquals": {"aws:SourceArn": f"arn:aws:scheduler:{WHERE}:schedule-group/shop-dev"},
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
    }


def test_event_rules(made: Deployed) -> None:
    rule = made.one("aws:cloudwatch/eventRule:EventRule").inputs
    assert rule["eventBusName"] == "shop-dev"
    assert json.loads(rule["eventPattern"]) == {
        "source": ["nodegx"],
        "detail-type": [{"prefix": "order."}],
        "detail": {"data": {"tier": ["gold"]}},
    }
    target = made.one("aws:cloudwatch/eventTarget:EventTarget")
    assert target.inputs["arn"] == ALIAS.format("listener")
    template = target.inputs["inputTransformer"]["inputTemplate"]
    assert json.loads(template.replace("<aws.events.event.json>", "1")) == {
        "nodegx": {"trigger": "trigger0"},
        "event": 1,
    }
    assert target.inputs["deadLetterConfig"] == {"arn": DEAD.format("listener")}
    allowed = permission(made, "listener-trigger0")
    assert allowed.inputs["principal"] == "events.amazonaws.com"
    arn = f"arn:aws:events:{WHERE}:rule/shop-dev/shop-dev-listener-trigger0"
    assert allowed.inputs["sourceArn"] == arn
    assert allowed.order < target.order
    policy = made.one("aws:sqs/queuePolicy:QueuePolicy", "listener-dead-letters").inputs
    (statement,) = json.loads(policy["policy"])["Statement"]
    assert statement["Resource"] == DEAD.format("listener")
    assert statement["Condition"]["ArnEquals"]["aws:SourceArn"] == [arn]


def test_queues(made: Deployed) -> None:
    queue = made.one("aws:sqs/queue:Queue", "consumer-trigger0").inputs
    assert queue["name"] == "shop-dev-jobs"
    assert queue["visibilityTimeoutSeconds"] == 90
    assert json.loads(queue["redrivePolicy"]) == {
        "deadLetterTargetArn": DEAD.format("consumer"),
        "maxReceiveCount": 4,
    }
    found = mapping(made, "consumer-trigger0")
    assert found["functionResponseTypes"] == ["ReportBatchItemFailures"]
    assert found["batchSize"] == 5
    assert found["functionName"] == ALIAS.format("consumer")
    assert found["scalingConfig"] == {"maximumConcurrency": 2}, "the least that Lambda takes"


def test_fifo_queues_have_dead_letters_of_their_kind(made: Deployed) -> None:
    queue = made.one("aws:sqs/queue:Queue", "consumer-trigger1").inputs
    assert queue["name"] == "shop-dev-strict.fifo"
    assert queue["fifoQueue"] is True
    letters = made.one("aws:sqs/queue:Queue", "consumer-dead-letters-fifo")
    assert letters.inputs["name"] == "shop-dev-consumer-dlq.fifo"
    assert letters.inputs["fifoQueue"] is True
    target = json.loads(queue["redrivePolicy"])["deadLetterTargetArn"]
    assert target == letters.outputs["arn"]


def test_a_workflow_with_several_queues_is_told_which_is_whose(made: Deployed) -> None:
    assert json.loads(variables(made, "consumer")["NODEGX_SOURCES"]) == {
        "trigger0": f"arn:aws:sqs:{WHERE}:shop-dev-jobs",
        "trigger1": f"arn:aws:sqs:{WHERE}:shop-dev-strict.fifo",
    }
    assert "NODEGX_SOURCES" not in variables(made, "audit")


def test_notifications_of_a_bucket_are_one_list(made: Deployed) -> None:
    found = made.one("aws:s3/bucketNotification:BucketNotification")
    assert found.inputs["bucket"] == f"shop-dev-uploads-{ACCOUNT}"
    assert found.inputs["lambdaFunctions"] == [
        {
            "id": "ingest.trigger0",
            "lambdaFunctionArn": ALIAS.format("ingest"),
            "events": ["s3:ObjectCreated:*"],
            "filterPrefix": "in/",
            "filterSuffix": ".csv",
        },
        {
            "id": "tidy.trigger0",
            "lambdaFunctionArn": ALIAS.format("tidy"),
            "events": ["s3:ObjectRemoved:*"],
        },
    ]
    for slug in ("ingest", "tidy"):
        allowed = permission(made, f"{slug}-trigger0")
        assert allowed.inputs["sourceArn"] == f"arn:aws:s3:::shop-dev-uploads-{ACCOUNT}"
        assert allowed.order < found.order


def test_buckets_are_closed(made: Deployed) -> None:
    for name in ("data", "uploads"):
        closed = made.one("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", name).inputs
        assert all(value is True for key, value in closed.items() if key != "bucket")
        policy = made.one("aws:s3/bucketPolicy:BucketPolicy", name).inputs["policy"]
        (statement,) = json.loads(policy)["Statement"]
        assert statement["Effect"] == "Deny"
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    (rules,) = made.of("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration")
    assert rules.inputs["rules"][0]["expiration"] == {"days": 32}


def test_streams(made: Deployed) -> None:
    table = made.one("aws:dynamodb/table:Table", "orders")
    assert table.inputs["streamEnabled"] is True
    assert table.inputs["streamViewType"] == "NEW_AND_OLD_IMAGES"
    found = mapping(made, "audit-trigger0")
    assert found["eventSourceArn"] == table.outputs["streamArn"]
    assert found["startingPosition"] == "TRIM_HORIZON"
    assert found["functionResponseTypes"] == ["ReportBatchItemFailures"]
    assert found["bisectBatchOnFunctionError"] is True
    assert found["destinationConfig"] == {"onFailure": {"destinationArn": DEAD.format("audit")}}
    (criteria,) = found["filterCriteria"]["filters"]
    assert json.loads(criteria["pattern"]) == {"eventName": ["INSERT"]}


def test_the_history_is_the_one_its_store_defines(made: Deployed) -> None:
    table = made.one("aws:dynamodb/table:Table", "history").inputs
    definition = table_definition("shop-dev-history")
    assert table["name"] == definition["TableName"]
    assert table["billingMode"] == definition["BillingMode"]
    assert {(each["name"], each["type"]) for each in table["attributes"]} == {
        (each["AttributeName"], each["AttributeType"])
        for each in definition["AttributeDefinitions"]
    }
    assert [
        {
            "IndexName": each["name"],
            "KeySchema": [
                {"AttributeName": key["attributeName"], "KeyType": key["keyType"]}
                for key in each["keySchemas"]
            ],
            "Projection": {
                "ProjectionType": each["projectionType"],
                **({"NonKeyAttributes": keys} if (keys := each.get("nonKeyAttributes")) else {}),
            },
        }
        for each in table["globalSecondaryIndexes"]
    ] == definition["GlobalSecondaryIndexes"]
    assert table["ttl"] == {"attributeName": "expires", "enabled": True}
    assert table["pointInTimeRecovery"] == {"enabled": True}


def test_what_lambda_gives_up_on_is_kept(made: Deployed) -> None:
    kind = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
    kept = {each.name: each.inputs for each in made.of(kind)}
    assert set(kept) == {"manual", "nightly", "listener", "ingest", "tidy"}
    assert kept["manual"]["destinationConfig"] == {
        "onFailure": {"destination": DEAD.format("manual")}
    }
    assert kept["manual"]["qualifier"] == "live"


def test_secrets(made: Deployed, everything: Deploy) -> None:
    assert made.one("aws:secretsmanager/secret:Secret").inputs["name"] == "shop-dev/KEY"
    version = made.one("aws:secretsmanager/secretVersion:SecretVersion").inputs
    assert version["secretString"] == "s3cret"
    without = everything()
    assert without.of("aws:secretsmanager/secret:Secret")
    assert not without.of("aws:secretsmanager/secretVersion:SecretVersion")


def test_alarms(made: Deployed) -> None:
    def alarm(name: str) -> dict[str, Any]:
        return made.one("aws:cloudwatch/metricAlarm:MetricAlarm", name).inputs

    errors = alarm("web-errors")
    assert errors["dimensions"] == {"FunctionName": "shop-dev-web", "Resource": "shop-dev-web:live"}
    assert errors["comparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert errors["treatMissingData"] == "notBreaching"
    slow = alarm("web-duration")
    assert (slow["extendedStatistic"], slow["threshold"]) == ("p95", 20_000)
    assert "statistic" not in slow
    depth = alarm("consumer-dead-letters-fifo")
    assert depth["namespace"] == "AWS/SQS"
    assert depth["dimensions"] == {"QueueName": "shop-dev-consumer-dlq.fifo"}
    silent = alarm("nightly-did-not-run")
    assert silent["comparisonOperator"] == "LessThanThreshold"
    assert silent["treatMissingData"] == "breaching"
    failures = alarm("web-failures")
    counted = made.one("aws:cloudwatch/logMetricFilter:LogMetricFilter", "web-failures").inputs
    assert counted["logGroupName"] == "/aws/lambda/shop-dev-web"
    transformation = counted["metricTransformation"]
    assert (failures["namespace"], failures["metricName"]) == (
        transformation["namespace"],
        transformation["name"],
    )


def test_the_dashboard_has_a_row_for_each_workflow(made: Deployed) -> None:
    found = made.one("aws:cloudwatch/dashboard:Dashboard").inputs
    widgets = json.loads(found["dashboardBody"])["widgets"]
    assert len(widgets) == 8 * 3
    assert len({(each["x"], each["y"]) for each in widgets}) == len(widgets)
    assert all(each["properties"]["region"] == REGION for each in widgets)
