"""What a stack's own file changes."""

from __future__ import annotations

import json
from pathlib import Path

import pulumi
import pytest
from nodegx.infra.aws.logs import RETENTIONS, retention

from tests.support.manifests import drawn
from tests.support.programs import Deploy, Programs, deploy
from tests.support.pulumi_program import REGION, run_program

pytestmark = pytest.mark.slow


def test_who_is_told(small: Deploy) -> None:
    config = {"alarmEmail": "ops@example.com", "alarmWebhook": "https://x.example/alarms"}
    found = small(config=config).of("aws:sns/topicSubscription:TopicSubscription")
    assert {(made.inputs["protocol"], made.inputs["endpoint"]) for made in found} == {
        ("email", "ops@example.com"),
        ("https", "https://x.example/alarms"),
    }
    assert not small().of("aws:sns/topicSubscription:TopicSubscription")


def test_variables_of_a_stack_come_first(small: Deploy) -> None:
    made = small(config={"vars": '{"base": "https://prod.example", "n": 1}'})
    function = made.one("aws:lambda/function:Function", "web")
    assert json.loads(function.inputs["environment"]["variables"]["NODEGX_VARS"]) == {
        "base": "https://prod.example"
    }


def test_functions_of_a_stack(small: Deploy) -> None:
    config = {
        "functions": '{"web": {"memory": 1024, "concurrency": 50}, "consumer": {"shared": true}}'
    }
    made = small(config=config)
    web = made.one("aws:lambda/function:Function", "web").inputs
    assert (web["memorySize"], web["reservedConcurrentExecutions"]) == (1024, 50)
    consumer = made.one("aws:lambda/function:Function", "consumer").inputs
    assert consumer["reservedConcurrentExecutions"] == -1
    plain = small().one("aws:lambda/function:Function", "web").inputs
    assert (plain["memorySize"], plain["reservedConcurrentExecutions"]) == (256, 5)


def test_warm_instances_that_scale(small: Deploy) -> None:
    config = {"functions": '{"web": {"provisioned": {"min": 1, "max": 5, "target": 0.6}}}'}
    made = small(config=config)
    warm = made.one("aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig")
    assert warm.inputs["qualifier"] == "live"
    assert warm.inputs["provisionedConcurrentExecutions"] == 1
    assert warm.ignore_changes == ["provisionedConcurrentExecutions"]
    target = made.one("aws:appautoscaling/target:Target").inputs
    assert target["resourceId"] == "function:shop-dev-web:live"
    assert (target["minCapacity"], target["maxCapacity"]) == (1, 5)
    scaling = made.one("aws:appautoscaling/policy:Policy").inputs
    assert scaling["targetTrackingScalingPolicyConfiguration"]["targetValue"] == 0.6


def test_a_fixed_number_of_warm_instances(small: Deploy) -> None:
    made = small(config={"functions": '{"web": {"provisioned": {"min": 2}}}'})
    warm = made.one("aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig")
    assert warm.inputs["provisionedConcurrentExecutions"] == 2
    assert not warm.ignore_changes
    assert not made.of("aws:appautoscaling/target:Target")


def test_throttle_and_logs(small: Deploy) -> None:
    made = small(config={"throttle": '{"rate": 5}', "logRetentionDays": "10"})
    stage = made.one("aws:apigatewayv2/stage:Stage").inputs
    assert stage["defaultRouteSettings"] == {
        "throttlingRateLimit": 5,
        "throttlingBurstLimit": 1000,
    }
    kept = {
        group.inputs["retentionInDays"] for group in made.of("aws:cloudwatch/logGroup:LogGroup")
    }
    assert kept == {14}


def test_logging_more(small: Deploy) -> None:
    made = small(config={"logLevel": "debug"})
    function = made.one("aws:lambda/function:Function", "web")
    assert function.inputs["environment"]["variables"]["NODEGX_LOG_LEVEL"] == "debug"


def test_a_domain_with_its_zone(small: Deploy) -> None:
    made = small(config={"domain": '{"name": "api.example.com", "zone": "Z9"}'})
    certificate = made.one("aws:acm/certificate:Certificate")
    assert certificate.inputs["validationMethod"] == "DNS"
    records = {each.name: each.inputs for each in made.of("aws:route53/record:Record")}
    assert records["certificate"]["type"] == "CNAME"
    assert records["certificate"]["name"] == "_x.api.example.com"
    assert records["domain"]["aliases"][0]["zoneId"] == "Z1"
    domain = made.one("aws:apigatewayv2/domainName:DomainName").inputs
    configuration = domain["domainNameConfiguration"]
    assert configuration["certificateArn"] == certificate.outputs["arn"]
    assert made.one("aws:apigatewayv2/apiMapping:ApiMapping").inputs["stage"] == "$default"
    assert made.one("aws:apigatewayv2/api:Api").inputs["disableExecuteApiEndpoint"] is True
    assert made.outputs["url"] == "https://api.example.com"


def test_a_domain_with_a_certificate(small: Deploy) -> None:
    arn = f"arn:aws:acm:{REGION}:123456789012:certificate/1"
    made = small(config={"domain": json.dumps({"name": "api.example.com", "certificate": arn})})
    assert not made.of("aws:acm/certificate:Certificate")
    assert not made.of("aws:route53/record:Record")
    domain = made.one("aws:apigatewayv2/domainName:DomainName").inputs
    assert domain["domainNameConfiguration"]["certificateArn"] == arn


def test_a_budget(small: Deploy) -> None:
    made = small(config={"budget": "49.5"})
    budget = made.one("aws:budgets/budget:Budget").inputs
    assert (budget["limitAmount"], budget["limitUnit"]) == ("49.50", "USD")
    assert {each["notificationType"] for each in budget["notifications"]} == {
        "FORECASTED",
        "ACTUAL",
    }
    topic = made.one("aws:sns/topic:Topic").outputs["arn"]
    assert all(each["subscriberSnsTopicArns"] == [topic] for each in budget["notifications"])


def test_new_versions_may_wait_for_the_deployer(small: Deploy) -> None:
    made = small(config={"holdAlias": "true"})
    for alias in made.of("aws:lambda/alias:Alias"):
        assert alias.ignore_changes == ["routingConfig", "functionVersion"]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"functions": '{"nobody": {"memory": 512}}'}, r"functions\.nobody: there is no such"),
        ({"functions": '{"web": {"ram": 512}}'}, r"functions\.web\.ram is unknown"),
        ({"functions": '{"web": 512}'}, r"functions\.web must have keys"),
        ({"functions": '{"web": {"provisioned": {"max": 5}}}'}, r"web\.provisioned: .*'min'"),
        ({"functions": "[1]"}, "functions must have keys"),
        ({"domain": '{"zone": "Z9"}'}, "domain: .*'name'"),
        ({"domain": '{"name": "api.example.com"}'}, "a certificate, or the zone"),
        ({"throttle": '{"speed": 5}'}, "throttle.speed is unknown"),
    ],
)
def test_settings_that_cannot_be_meant_so(
    small: Deploy, config: dict[str, str], message: str
) -> None:
    with pytest.raises(pulumi.RunError, match=message):
        small(config=config)


@pytest.mark.parametrize(
    ("days", "expected"), [(1, 1), (2, 3), (8, 14), (30, 30), (366, 400), (9999, 3653)]
)
def test_logs_are_kept_as_long_as_asked_or_a_little_longer(days: int, expected: int) -> None:
    assert retention(days) == expected
    assert list(RETENTIONS) == sorted(RETENTIONS)


# --- bundles ----------------------------------------------------------------------------------


def test_a_function_without_a_bundle(programs: Programs) -> None:
    emitted = programs.project("bare", drawn("/Flow", ("trigger.manual", {})))
    bundle = emitted.directory / "bundles/flow.zip"
    content = bundle.read_bytes()
    bundle.unlink()
    try:
        with pytest.raises(pulumi.RunError, match=r"no bundles/flow\.zip"):
            deploy(emitted)
    finally:
        bundle.write_bytes(content)


def test_a_layer_beside_the_bundle(programs: Programs) -> None:
    emitted = programs.project("layered", drawn("/Flow", ("trigger.manual", {})))
    (emitted.directory / "bundles/flow.layer.zip").write_bytes(b"packages")
    made = deploy(emitted)
    layer = made.one("aws:lambda/layerVersion:LayerVersion")
    assert layer.inputs["compatibleArchitectures"] == ["arm64"]
    function = made.one("aws:lambda/function:Function").inputs
    assert function["layers"] == [layer.outputs["arn"]]


def test_a_container_image(programs: Programs) -> None:
    emitted = programs.project("image", drawn("/Flow", ("trigger.manual", {})))
    image = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/flow@sha256:00"
    (emitted.directory / "bundles/flow.image").write_text(f"{image}\n")
    function = deploy(emitted).one("aws:lambda/function:Function").inputs
    assert (function["packageType"], function["imageUri"]) == ("Image", image)
    assert function["imageConfig"] == {"commands": ["entry.handler"]}
    assert "runtime" not in function


def test_a_large_bundle_goes_through_the_bucket(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nodegx.infra.aws.function.DIRECT_LIMIT", 5)
    emitted = programs.project("large", drawn("/Flow", ("trigger.manual", {})))
    made = deploy(emitted)
    stored = made.one("aws:s3/bucketObjectv2:BucketObjectv2").inputs
    function = made.one("aws:lambda/function:Function").inputs
    assert stored["key"] == function["s3Key"] == "bundles/flow.zip"
    assert "code" not in function
    assert stored["sourceHash"] == function["sourceCodeHash"]


# --- what exists already ----------------------------------------------------------------------


def test_what_belongs_to_others_is_used_and_not_made(programs: Programs) -> None:
    queue = f"arn:aws:sqs:{REGION}:999999999999:jobs"
    stream = f"arn:aws:dynamodb:{REGION}:999999999999:table/orders/stream/2026-01-01"
    emitted = programs.project(
        "foreign",
        drawn("/A", ("trigger.queue", {"queue": queue})),
        drawn("/B", ("trigger.record", {"table": stream})),
        drawn("/C", ("trigger.file", {"bucket": "arn:aws:s3:::their-uploads"})),
    )
    made = deploy(emitted)
    assert {each.name for each in made.of("aws:dynamodb/table:Table")} == {"history"}
    assert {each.name for each in made.of("aws:s3/bucket:Bucket")} == {"data"}
    assert all("dead-letters" in each.name for each in made.of("aws:sqs/queue:Queue"))
    kind = "aws:lambda/eventSourceMapping:EventSourceMapping"
    assert {each.inputs["eventSourceArn"] for each in made.of(kind)} == {queue, stream}
    notification = made.one("aws:s3/bucketNotification:BucketNotification").inputs
    assert notification["bucket"] == "their-uploads"


def test_a_program_that_was_changed_by_hand(tmp_path: Path, programs: Programs) -> None:
    emitted = programs.example("process-order")
    program = emitted.directory / "__main__.py"
    changed = program.read_text().replace("    http=True,\n", "")
    (tmp_path / "__main__.py").write_text(changed)
    (tmp_path / "bundles").symlink_to(emitted.directory / "bundles")
    with pytest.raises(pulumi.RunError, match=r"process_order needs a Project\(…, http=True\)"):
        run_program(tmp_path / "__main__.py", project="process-order")
