"""Deployments made through the SDK alone, as far as commands after a deployment look at them: no
engine is needed, and a test takes a fraction of a second."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

from nodegx.compiler.project import load_project
from nodegx.compiler.targets.aws.environment import environment
from nodegx.compiler.targets.aws.names import ALIAS
from nodegx.providers.aws.deployment import Deployment
from nodegx.providers.aws.prepare import Prepared, prepare
from nodegx.providers.aws.stackfiles import stack_path

from tests.support.moto import REGION

STACK = "dev"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)


def new_name() -> str:
    """A project's name that no other test has: they share one server."""
    return f"shop-{uuid4().hex[:10]}"


def write_stack(root: Path, stack: str = STACK, **values: Any) -> Path:
    """Writes the file of a stack; keys of the project's own have no colon."""
    label = json.loads((root / "nodegx.json").read_text())["name"].lower()
    path = stack_path(root, stack)
    path.parent.mkdir(parents=True, exist_ok=True)
    config = {
        key if ":" in key else f"{label}:{key}": value
        for key, value in {"aws:region": REGION, **values}.items()
    }
    path.write_text(json.dumps({"config": config}))  # JSON is YAML, too
    return path


class ByHand:
    """A project whose functions, aliases, logs and bucket are there.

    Args:
        root: the project's directory, with a stack's file.
        stack: name of the stack.
    """

    def __init__(self, root: Path, stack: str = STACK) -> None:
        self.root = root
        self.deployment = Deployment.of(load_project(root), stack)
        self.prepared = self.prepare()

    def prepare(self) -> Prepared:
        """Compiles and bundles the project as it is now."""
        self.prepared = prepare(load_project(self.root))
        return self.prepared

    def client(self, service: str) -> Any:
        """The SDK's client of a service."""
        return self.deployment.cloud.client(service)

    def deploy(self) -> None:
        """Makes everything, as a first deployment would."""
        place = self.deployment.place
        self.client("s3").create_bucket(
            Bucket=place.data_bucket_name,
            CreateBucketConfiguration={"LocationConstraint": REGION},
        )
        for function in self.prepared.plan.functions:
            name = place.names.function(function.slug)
            role = self.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
            revision = self.prepared.manifests[function.slug].revision
            made = self.client("lambda").create_function(
                FunctionName=name,
                Runtime=function.runtime,
                Role=role["Role"]["Arn"],
                Handler=function.handler,
                Code={"ZipFile": self.prepared.bundles[function.slug].path.read_bytes()},
                MemorySize=function.memory,
                Timeout=function.timeout,
                Architectures=[function.architecture],
                Environment={
                    "Variables": environment(
                        function, place, vars=self.prepared.plan.vars, revision=revision
                    )
                },
                Tags={**self.deployment.tags, "nodegx:workflow": function.slug},
                Publish=True,
            )
            self.client("lambda").create_alias(
                FunctionName=name, Name=ALIAS, FunctionVersion=made["Version"]
            )
            self.client("logs").create_log_group(logGroupName=place.names.log_group(function.slug))

    def alias(self, slug: str) -> tuple[str, dict[str, float]]:
        """The version that an alias points to, and the shares of others."""
        found = self.client("lambda").get_alias(
            FunctionName=self.deployment.names.function(slug), Name=ALIAS
        )
        routing = found.get("RoutingConfig") or {}
        return found["FunctionVersion"], routing.get("AdditionalVersionWeights") or {}

    def alarm(self, slug: str, kind: str, state: str) -> str:
        """Makes an alarm of a workflow, or sets its state; returns its name."""
        name = self.deployment.names.alarm(slug, kind)
        client = self.client("cloudwatch")
        client.put_metric_alarm(
            AlarmName=name,
            MetricName="Errors",
            Namespace="AWS/Lambda",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
        )
        client.set_alarm_state(AlarmName=name, StateValue=state, StateReason="a test says so")
        return name
