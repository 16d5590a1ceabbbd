"""Runs Pulumi programs without an engine, against clouds that tests provide."""

from __future__ import annotations

import asyncio
import contextvars
import importlib
import runpy
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import pulumi
from pulumi.runtime import mocks as pulumi_mocks
from pulumi.runtime import rpc, set_all_config, set_mocks
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs
from pulumi.runtime.settings import ROOT
from pulumi.runtime.stack import run_in_stack

with warnings.catch_warnings():  # of the SDK's own deprecated parts, which it imports all the same
    warnings.simplefilter("ignore", DeprecationWarning)
    for _module, _part in (("s3", "Bucket"), ("lambda_", "Function")):
        getattr(importlib.import_module(f"pulumi_aws.{_module}"), _part)  # they load lazily

ACCOUNT, REGION = "123456789012", "eu-central-1"

Make = Callable[[str, str, dict[str, Any]], tuple[str, dict[str, Any]]]


@dataclass
class Made:
    """A resource that a program registered: its type such as `aws:sqs/queue:Queue`, its name in the
    program, its inputs (camelCase, numbers as floats, secrets unwrapped) and its options."""

    type: str
    name: str
    inputs: dict[str, Any]
    parent: str
    protect: bool
    ignore_changes: list[str]
    custom: bool
    id: str = ""
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    order: int = 0

    @property
    def kind(self) -> str:
        """The last part of the type: `Queue`."""
        return self.type.rpartition(":")[2]


@dataclass
class Deployed:
    """What a program has made, in that order, and what it exports."""

    resources: list[Made]
    outputs: dict[str, Any]

    def of(self, kind: str) -> list[Made]:
        """The resources of a kind, such as `aws:sqs/queue:Queue`."""
        return [made for made in self.resources if made.type == kind]

    def one(self, kind: str, name: str | None = None) -> Made:
        """The only resource of a kind (and name)."""
        found = [made for made in self.of(kind) if name in (None, made.name)]
        assert len(found) == 1, (kind, name, [made.name for made in found])
        return found[0]

    @property
    def custom(self) -> list[Made]:
        """Everything that exists in the cloud, components left out."""
        return [made for made in self.resources if made.custom]


def plain(type: str, name: str, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A cloud that takes everything: ids and ARNs are made up from names."""
    named = str(inputs.get("name") or inputs.get("bucket") or name)
    service = type.partition("/")[0].partition(":")[2]
    arn = f"arn:aws:{service}:{REGION}:{ACCOUNT}:{_RESOURCES.get(type, '')}{named}"
    found = {**inputs, "arn": arn}
    if type == "aws:lambda/function:Function":
        found["version"] = "1"
    if type == "aws:lambda/alias:Alias":
        found["arn"] = f"{_function_arn(inputs['functionName'])}:{named}"
    if type == "aws:cloudwatch/eventRule:EventRule":
        bus = inputs["eventBusName"]
        found["arn"] = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{bus}/{named}"
    if type == "aws:apigatewayv2/api:Api":
        found["executionArn"] = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:api1234567"
        found["apiEndpoint"] = f"https://api1234567.execute-api.{REGION}.amazonaws.com"
        return "api1234567", found
    if type == "aws:secretsmanager/secret:Secret":
        found["arn"] = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{named}-AbCdEf"
    if type == "aws:dynamodb/table:Table" and inputs.get("streamEnabled"):
        found["streamArn"] = f"{arn}/stream/2026-01-01T00:00:00.000"
    if type == "aws:acm/certificate:Certificate":
        found["domainValidationOptions"] = [
            {
                "domainName": inputs["domainName"],
                "resourceRecordName": f"_x.{inputs['domainName']}",
                "resourceRecordType": "CNAME",
                "resourceRecordValue": "_y.acm-validations.aws",
            }
        ]
    if type == "aws:apigatewayv2/domainName:DomainName":
        found["domainNameConfiguration"] = {
            **inputs["domainNameConfiguration"],
            "targetDomainName": "d-x.execute-api.amazonaws.com",
            "hostedZoneId": "Z1",
        }
    if type == "aws:sqs/queue:Queue":
        return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{named}", found
    return named, found


_RESOURCES = {
    "aws:lambda/function:Function": "function:",
    "aws:iam/role:Role": "role/",
    "aws:dynamodb/table:Table": "table/",
    "aws:cloudwatch/eventBus:EventBus": "event-bus/",
    "aws:cloudwatch/logGroup:LogGroup": "log-group:",
}


def _function_arn(name: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


def run_program(
    main: Path,
    *,
    project: str,
    stack: str = "dev",
    config: Mapping[str, str] | None = None,
    make: Make = plain,
) -> Deployed:
    """Runs a program's `__main__.py`, unchanged, and returns what it has registered.

    Args:
        main: the program.
        project: name of the Pulumi project.
        stack: name of the stack.
        config: the stack's configuration, without the project's name; objects as JSON.
        make: makes a resource: type, name and inputs to id and outputs.

    Raises:
        RunError: what the program raises.
    """

    def program() -> None:
        runpy.run_path(str(main), run_name="__main__")

    return run(program, project=project, stack=stack, config=config, make=make)


def run(
    program: Callable[[], None],
    *,
    project: str = "shop",
    stack: str = "dev",
    config: Mapping[str, str] | None = None,
    make: Make = plain,
) -> Deployed:
    """Runs a program; see `run_program`."""
    deployed = Deployed([], {})
    cloud = _Cloud(make, deployed)

    def start() -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            set_mocks(cloud, project=project, stack=stack, preview=False)
            ROOT.set(None)  # the stack that mocks come with; the program has its own
            set_all_config({f"{project}:{name}": value for name, value in (config or {}).items()})
            with _recorded(cloud):
                loop.run_until_complete(run_in_stack(program))
        finally:
            set_all_config({})
            asyncio.set_event_loop(None)
            loop.close()

    contextvars.copy_context().run(start)  # the SDK keeps its state in context variables
    return deployed


class _Cloud(pulumi.runtime.Mocks):
    def __init__(self, make: Make, deployed: Deployed) -> None:
        self.make = make
        self.deployed = deployed
        self.current = threading.local()  # the SDK registers resources from several threads

    def call(self, args: MockCallArgs) -> dict[str, Any]:
        return {
            "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": ACCOUNT},
            "aws:index/getRegion:getRegion": {"region": REGION, "name": REGION},
            "aws:index/getPartition:getPartition": {"partition": "aws"},
        }[args.token]

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        inputs = _unwrapped(args.inputs)
        options = self.current.options
        made = Made(
            args.typ,
            args.name,
            inputs,
            options.parent,
            options.protect,
            list(options.ignoreChanges),
            bool(args.custom),
            order=len(self.deployed.resources),
        )
        self.deployed.resources.append(made)
        if not args.custom:
            return "", {}
        made.id, made.outputs = self.make(args.typ, args.name, inputs)
        return made.id, made.outputs


@contextmanager
def _recorded(cloud: _Cloud) -> Iterator[None]:
    """Keeps the options of resources and the outputs of the stack, which mocks are not told."""
    register, outputs = MockMonitor.RegisterResource, MockMonitor.RegisterResourceOutputs

    def registered(self: MockMonitor, request: Any) -> Any:
        cloud.current.options = request
        return register(self, request)

    def finished(self: MockMonitor, request: Any) -> Any:
        if "::pulumi:pulumi:Stack::" in request.urn:
            cloud.deployed.outputs = _unwrapped(rpc.deserialize_properties(request.outputs))
        return outputs(self, request)

    with (
        mock.patch.object(pulumi_mocks.MockMonitor, "RegisterResource", registered),
        mock.patch.object(pulumi_mocks.MockMonitor, "RegisterResourceOutputs", finished),
    ):
        yield


def _unwrapped(value: Any) -> Any:
    """Plain data from what arrives at a monitor: secrets are wrapped there."""
    if isinstance(value, dict):
        if rpc.is_rpc_secret(value):
            return _unwrapped(rpc.unwrap_rpc_secret(value))
        return {key: _unwrapped(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_unwrapped(item) for item in value]
    return value
