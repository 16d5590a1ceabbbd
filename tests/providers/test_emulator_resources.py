"""The emulator's provider over its protocol: resources that no example deploys, and its strictness."""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from nodegx.providers.aws.emulator import ministack, plugin
from nodegx.providers.aws.emulator.archives import ARCHIVE, ASSET
from nodegx.providers.aws.emulator.cloud import Cloud
from nodegx.providers.aws.emulator.properties import SIGNATURE, UNKNOWN, decode, encode, shaped
from nodegx.providers.aws.emulator.provider import EmulatorProvider
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from tests.support.moto import moto_server

REGION = "eu-central-1"
Properties = dict[str, Any]


class Engine:
    """Asks the provider as Pulumi's engine does."""

    def __init__(self, port: int) -> None:
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self._stub: Any = provider_pb2_grpc.ResourceProviderStub(self._channel)

    def check(self, type: str, name: str, inputs: Properties) -> tuple[Properties, list[str]]:
        request = provider_pb2.CheckRequest(urn=urn(type, name), news=encode(inputs))
        answer = self._stub.Check(request)
        return decode(answer.inputs), [failure.property for failure in answer.failures]

    def create(self, type: str, name: str, inputs: Properties) -> Made:
        checked, failures = self.check(type, name, inputs)
        assert failures == []
        request = provider_pb2.CreateRequest(urn=urn(type, name), properties=encode(checked))
        answer = self._stub.Create(request)
        return Made(self, urn(type, name), answer.id, checked, decode(answer.properties))

    def invoke(self, token: str) -> Properties:
        answer = self._stub.Invoke(provider_pb2.InvokeRequest(tok=token))
        return decode(getattr(answer, "return"))


class Made:
    """A resource that was made."""

    def __init__(self, engine: Engine, urn: str, id: str, inputs: Properties, state: Properties):
        self._stub = engine._stub
        self._urn = urn
        self.id = id
        self.inputs = inputs
        self.state = state

    def read(self) -> Properties | None:
        """Its inputs as they really are; None if it is gone."""
        answer = self._stub.Read(
            provider_pb2.ReadRequest(
                urn=self._urn,
                id=self.id,
                properties=encode(self.state),
                inputs=encode(self.inputs),
            )
        )
        return decode(answer.inputs) if answer.id else None

    def diff(self, inputs: Properties) -> tuple[set[str], set[str]]:
        """What changes, and which of it makes a new resource."""
        answer = self._stub.Diff(
            provider_pb2.DiffRequest(
                urn=self._urn,
                id=self.id,
                olds=encode(self.state),
                old_inputs=encode(self.inputs),
                news=encode(inputs),
            )
        )
        return set(answer.diffs), set(answer.replaces)

    def update(self, **changes: Any) -> None:
        inputs = {**self.inputs, **changes}
        answer = self._stub.Update(
            provider_pb2.UpdateRequest(
                urn=self._urn,
                id=self.id,
                olds=encode(self.state),
                old_inputs=encode(self.inputs),
                news=encode(inputs),
            )
        )
        self.inputs, self.state = inputs, decode(answer.properties)

    def delete(self) -> None:
        request = provider_pb2.DeleteRequest(
            urn=self._urn, id=self.id, properties=encode(self.state)
        )
        self._stub.Delete(request)


def urn(type: str, name: str) -> str:
    return f"urn:pulumi:test::shop::nodegx:aws:Function${type}::{name}"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    server = ministack.start(tmp_path_factory.mktemp("cloud"), region=REGION)
    # What ministack has not, moto keeps.
    variables = {
        **server.variables(),
        "AWS_ENDPOINT_URL_APPLICATION_AUTOSCALING": moto_server().url,
    }
    yield Cloud(REGION, variables)
    server.stop()


@pytest.fixture(scope="module")
def engine(cloud: Cloud) -> Iterator[Engine]:
    server, port = plugin.start(EmulatorProvider(lambda _: cloud, REGION))
    yield Engine(port)
    server.stop(None)


@pytest.fixture
def zip_file(tmp_path: Path) -> Path:
    path = tmp_path / "code.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("entry.py", "def handler(event, context):\n    return 1\n")
    return path


def archive(path: Path) -> Properties:
    return {SIGNATURE: ARCHIVE, "path": str(path)}


def digest(path: Path) -> str:
    return base64.b64encode(hashlib.sha256(path.read_bytes()).digest()).decode()


def through(made: Made, **changes: Any) -> None:
    """Reads, changes and deletes something: nothing drifts, every change arrives, nothing stays."""
    assert made.read() == made.inputs
    assert made.diff(made.inputs) == (set(), set())
    if changes:
        assert made.diff({**made.inputs, **changes}) == (set(changes), set())
        made.update(**changes)
        assert made.read() == made.inputs
    made.delete()
    assert made.read() is None
    made.delete()  # what is gone may be deleted


@pytest.mark.e2e
def test_domains_with_certificates(engine: Engine, cloud: Cloud) -> None:
    zone = cloud.client("route53").create_hosted_zone(Name="example.com", CallerReference="1")
    zone_id = zone["HostedZone"]["Id"].rpartition("/")[2]
    certificate = engine.create(
        "aws:acm/certificate:Certificate",
        "domain",
        {"domainName": "api.example.com", "validationMethod": "DNS", "tags": {"a": "b"}},
    )
    [proof] = certificate.state["domainValidationOptions"]
    record = engine.create(
        "aws:route53/record:Record",
        "proof",
        {
            "zoneId": zone_id,
            "name": proof["resourceRecordName"],
            "type": proof["resourceRecordType"],
            "records": [proof["resourceRecordValue"]],
            "ttl": 300,
            "allowOverwrite": True,
        },
    )
    proven = engine.create(
        "aws:acm/certificateValidation:CertificateValidation",
        "proven",
        {"certificateArn": certificate.id, "validationRecordFqdns": [record.state["fqdn"]]},
    )
    domain = engine.create(
        "aws:apigatewayv2/domainName:DomainName",
        "domain",
        {
            "domainName": "api.example.com",
            "domainNameConfiguration": {
                "certificateArn": proven.state["certificateArn"],
                "endpointType": "REGIONAL",
                "securityPolicy": "TLS_1_2",
            },
        },
    )
    assert domain.state["domainNameConfiguration"]["endpointType"] == "REGIONAL"
    api = engine.create("aws:apigatewayv2/api:Api", "api", {"protocolType": "HTTP"})
    assert api.inputs["name"].startswith("api-")
    stage = engine.create(
        "aws:apigatewayv2/stage:Stage",
        "stage",
        {"apiId": api.id, "name": "$default", "autoDeploy": True},
    )
    mapping = engine.create(
        "aws:apigatewayv2/apiMapping:ApiMapping",
        "domain",
        {"apiId": api.id, "domainName": domain.id, "stage": stage.id},
    )
    for made in (mapping, stage, api, domain):
        through(made)
    through(record, ttl=60)
    through(certificate)


@pytest.mark.e2e
def test_budgets(engine: Engine) -> None:
    notification = {
        "comparisonOperator": "GREATER_THAN",
        "notificationType": "ACTUAL",
        "threshold": 80,
        "thresholdType": "PERCENTAGE",
        "subscriberSnsTopicArns": ["arn:aws:sns:eu-central-1:000000000000:alarms"],
    }
    budget = engine.create(
        "aws:budgets/budget:Budget",
        "budget",
        {
            "name": "shop",
            "budgetType": "COST",
            "timeUnit": "MONTHLY",
            "limitAmount": "50.00",
            "limitUnit": "USD",
            "notifications": [notification],
        },
    )
    through(budget, limitAmount="60.00")


@pytest.mark.e2e
def test_functions_with_layers_that_are_kept_warm(
    engine: Engine, cloud: Cloud, zip_file: Path
) -> None:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    role = engine.create(
        "aws:iam/role:Role", "role", {"name": "warm", "assumeRolePolicy": json.dumps(trust)}
    )
    layer = engine.create(
        "aws:lambda/layerVersion:LayerVersion",
        "layer",
        {
            "layerName": "packages",
            "code": archive(zip_file),
            "sourceCodeHash": digest(zip_file),
            "compatibleRuntimes": ["python3.13"],
        },
    )
    function = engine.create(
        "aws:lambda/function:Function",
        "warm",
        {
            "name": "warm",
            "role": role.state["arn"],
            "runtime": "python3.13",
            "handler": "entry.handler",
            "code": archive(zip_file),
            "sourceCodeHash": digest(zip_file),
            "layers": [layer.state["arn"]],
            "publish": True,
        },
    )
    assert function.state["version"] == "1"
    alias = engine.create(
        "aws:lambda/alias:Alias",
        "warm",
        {"name": "live", "functionName": "warm", "functionVersion": "1"},
    )
    warm = engine.create(
        "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig",
        "warm",
        {"functionName": "warm", "qualifier": "live", "provisionedConcurrentExecutions": 2},
    )
    through(warm, provisionedConcurrentExecutions=3)
    place = {
        "serviceNamespace": "lambda",
        "scalableDimension": "lambda:function:ProvisionedConcurrency",
        "resourceId": "function:warm:live",
    }
    target = engine.create(
        "aws:appautoscaling/target:Target", "warm", {**place, "minCapacity": 1, "maxCapacity": 5}
    )
    metric = {"predefinedMetricType": "LambdaProvisionedConcurrencyUtilization"}
    policy = engine.create(
        "aws:appautoscaling/policy:Policy",
        "warm",
        {
            **place,
            "name": "warm",
            "policyType": "TargetTrackingScaling",
            "targetTrackingScalingPolicyConfiguration": {
                "targetValue": 0.7,
                "predefinedMetricSpecification": metric,
            },
        },
    )
    through(policy)
    through(target, maxCapacity=9)
    function.update(memorySize=512)
    assert function.state["version"] == "2"
    cloud.client("lambda").update_function_configuration(FunctionName="warm", Timeout=77)
    found = function.read()
    assert found is not None
    assert found["timeout"] == 77
    function.update(timeout=3)
    through(alias, functionVersion="3")
    through(function)
    through(layer)
    through(role, description="keeps warm")


@pytest.mark.e2e
def test_objects_and_their_bucket(engine: Engine, tmp_path: Path) -> None:
    bucket = engine.create(
        "aws:s3/bucket:Bucket", "data", {"bucket": "shop-data", "forceDestroy": True}
    )
    source = tmp_path / "source.txt"
    source.write_text("one")
    uploaded = engine.create(
        "aws:s3/bucketObjectv2:BucketObjectv2",
        "source",
        {
            "bucket": bucket.id,
            "key": "bundles/source.txt",
            "source": {SIGNATURE: ASSET, "path": str(source)},
            "sourceHash": digest(source),
        },
    )
    assert uploaded.state["etag"] == hashlib.md5(b"one").hexdigest()
    through(bucket, tags={"a": "b"})  # with what is in it


@pytest.mark.e2e
def test_a_function_that_is_told_a_wrong_hash_is_refused(engine: Engine, zip_file: Path) -> None:
    inputs = {
        "name": "wrong",
        "role": "arn:aws:iam::000000000000:role/none",
        "runtime": "python3.13",
        "handler": "entry.handler",
        "code": archive(zip_file),
        "sourceCodeHash": "bm90IGl0",
    }
    with pytest.raises(grpc.RpcError, match="sourceCodeHash is bm90IGl0"):
        engine.create("aws:lambda/function:Function", "wrong", inputs)


@pytest.mark.e2e
def test_who_and_where(engine: Engine) -> None:
    caller = engine.invoke("aws:index/getCallerIdentity:getCallerIdentity")
    assert caller["accountId"] == ministack.ACCOUNT
    assert engine.invoke("aws:index/getRegion:getRegion")["region"] == REGION
    with pytest.raises(grpc.RpcError, match="no function aws:ec2/getAmi:getAmi"):
        engine.invoke("aws:ec2/getAmi:getAmi")


# --------------------------------------------------------------------------- strictness


@pytest.fixture(scope="module")
def strict() -> Iterator[Engine]:
    """A provider whose cloud is never asked."""
    nowhere = Cloud(REGION, {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
    server, port = plugin.start(EmulatorProvider(lambda _: nowhere, REGION))
    yield Engine(port)
    server.stop(None)


def test_types_that_are_not_carried_out_are_refused(strict: Engine) -> None:
    with pytest.raises(grpc.RpcError, match="no resource aws:ec2/instance:Instance"):
        strict.check("aws:ec2/instance:Instance", "vm", {})


def test_what_is_missing_and_what_is_not_carried_out_are_told(strict: Engine) -> None:
    wrong = {"policy": "{}", "colour": "red"}
    assert strict.check("aws:sqs/queuePolicy:QueuePolicy", "q", wrong)[1] == ["queueUrl", "colour"]
    function = {"role": "r", "code": archive(Path("x")), "s3Key": "y"}
    assert strict.check("aws:lambda/function:Function", "f", function)[1] == ["code"]


def test_unknown_values_are_no_failures(strict: Engine) -> None:
    inputs = {"queueUrl": UNKNOWN, "policy": UNKNOWN}
    assert strict.check("aws:sqs/queuePolicy:QueuePolicy", "q", inputs) == (inputs, [])


def test_names_are_made_up_once(strict: Engine) -> None:
    [first, second] = [strict.check("aws:sqs/queue:Queue", name, {})[0]["name"] for name in "ab"]
    assert first.startswith("a-")
    assert first != second
    assert strict.check("aws:sqs/queue:Queue", "a", {})[0]["name"] == first


@pytest.mark.parametrize("url", ["https://sqs.eu-central-1.amazonaws.com", "http://10.0.0.1:4566"])
def test_a_real_account_is_never_touched(url: str) -> None:
    with pytest.raises(ValueError, match="must be on this machine"):
        Cloud(REGION, {"AWS_ENDPOINT_URL": url})
    mixed = {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "AWS_ENDPOINT_URL_SQS": url}
    with pytest.raises(ValueError, match="must be on this machine"):
        Cloud(REGION, mixed)
    with pytest.raises(ValueError, match="must lead to the emulator"):
        Cloud(REGION, {})


@pytest.mark.parametrize(
    ("observed", "given", "told"),
    [
        ('{"b":1,"a":2}', '{"a": 2, "b": 1}', '{"a": 2, "b": 1}'),
        ('{"a":3}', '{"a": 2}', '{"a":3}'),
        ({"a": 1, "extra": 2}, {"a": 1}, {"a": 1}),
        ({"a": 2}, {"a": 1, "b": None}, {"a": 2}),
        (["b", "a"], ["a", "b"], ["a", "b"]),
        (["b"], ["a", "b"], ["b"]),
        ([{"k": "b", "x": 1}, {"k": "a"}], [{"k": "a"}, {"k": "b"}], [{"k": "a"}, {"k": "b"}]),
        ([{"k": "b"}, {"k": "c"}], [{"k": "a"}, {"k": "b"}], [{"k": "b"}, {"k": "c"}]),
    ],
)
def test_what_means_the_same_is_no_drift(observed: Any, given: Any, told: Any) -> None:
    assert shaped(observed, given) == told
