"""A workflow's function: its role, its versions and the alias that takes the traffic."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from nodegx.compiler.targets.aws import iam
from nodegx.compiler.targets.aws.names import ALIAS
from nodegx.compiler.targets.aws.plan import Function
from pulumi_aws import iam as roles
from pulumi_aws import lambda_, s3

from .bundle import DIRECT_LIMIT, Bundle, sha256_base64
from .context import Component, Context


class WorkflowFunction(Component):
    """A function with a role of its own, published as a version that the alias `live` points to.

    The deployer may give part of the alias's traffic to another version; programs leave that be.

    Args:
        context: the deployment.
        function: the plan of it.
        environment: its variables.
        secrets: ARNs of secrets by name.
        streams: ARNs of streams by table.
        dead_letters: ARN of the queue for what it was given up on, if there is one.
        data_bucket: bucket for bundles that are too large to be handed over directly.
        depends_on: what has to be there before.
    """

    def __init__(
        self,
        context: Context,
        function: Function,
        *,
        environment: Mapping[str, pulumi.Input[str]],
        secrets: Mapping[str, pulumi.Output[str]],
        streams: Mapping[str, pulumi.Input[str]],
        dead_letters: pulumi.Input[str] | None,
        data_bucket: pulumi.Input[str],
        depends_on: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        slug = function.slug
        super().__init__("Function", slug, context, opts)
        self.role = roles.Role(
            slug,
            name=context.place.names.function(slug),
            description=f"What {function.workflow} may do",
            assume_role_policy=json.dumps(iam.trust("lambda.amazonaws.com")),
            tags=context.tags(slug),
            opts=self.child(),
        )
        allowed = roles.RolePolicy(
            slug,
            name="workflow",
            role=self.role.name,
            policy=pulumi.Output.json_dumps(
                iam.function_policy(function, context.place, secrets=secrets, streams=streams)
            ),
            opts=self.child(),
        )
        bundle = Bundle.find(context.home, slug)
        self.function = lambda_.Function(
            slug,
            name=context.place.names.function(slug),
            description=function.description[:256] or function.workflow,
            role=self.role.arn,
            memory_size=function.memory,
            timeout=function.timeout,
            architectures=[function.architecture],
            # Without a reservation, Lambda's own "-1".
            reserved_concurrent_executions=-1
            if function.concurrency is None
            else function.concurrency,
            environment={"variables": {"NODEGX_REVISION": bundle.revision, **environment}},
            publish=True,
            tags=context.tags(slug),
            opts=self.child(depends_on=[allowed, *depends_on]),
            **self._code(function, bundle, data_bucket),
        )
        held = ["functionVersion"] if context.settings.hold_alias else []
        self.alias = lambda_.Alias(
            slug,
            name=ALIAS,
            function_name=self.function.name,
            function_version=self.function.version,
            description="Takes the traffic of all triggers",
            opts=self.child(ignore_changes=["routingConfig", *held]),
        )
        if function.is_async and dead_letters is not None:
            lambda_.FunctionEventInvokeConfig(
                slug,
                function_name=self.function.name,
                qualifier=self.alias.name,
                maximum_retry_attempts=2,
                destination_config={"on_failure": {"destination": dead_letters}},
                opts=self.child(),
            )
        self.register_outputs({"alias": self.alias.arn, "version": self.function.version})

    def permit(self, name: str, *, service: str, source: pulumi.Input[str]) -> lambda_.Permission:
        """Lets a service start the function, for one source in this account alone."""
        return lambda_.Permission(
            name,
            action="lambda:InvokeFunction",
            function=self.function.name,
            qualifier=self.alias.name,
            principal=service,
            source_arn=source,
            source_account=self.context.place.account,
            opts=self.child(),
        )

    def _code(
        self, function: Function, bundle: Bundle, data_bucket: pulumi.Input[str]
    ) -> dict[str, Any]:
        if bundle.archive is None:
            command = {"commands": [function.handler]}
            return {"package_type": "Image", "image_uri": bundle.image, "image_config": command}
        layers: list[pulumi.Output[str]] = []
        if bundle.layer is not None:
            layer = lambda_.LayerVersion(
                function.slug,
                layer_name=self.context.place.names.function(function.slug),
                code=pulumi.FileArchive(str(bundle.layer)),
                source_code_hash=sha256_base64(bundle.layer),
                compatible_architectures=[function.architecture],
                compatible_runtimes=[function.runtime],
                opts=self.child(),
            )
            layers.append(layer.arn)
        digest = sha256_base64(bundle.archive)
        found: dict[str, Any] = {
            "runtime": function.runtime,
            "handler": function.handler,
            "layers": layers or None,
            "source_code_hash": digest,
        }
        if bundle.archive.stat().st_size <= DIRECT_LIMIT:
            return {**found, "code": pulumi.FileArchive(str(bundle.archive))}
        uploaded = s3.BucketObjectv2(
            function.slug,
            bucket=data_bucket,
            key=f"bundles/{function.slug}.zip",
            source=pulumi.FileAsset(str(bundle.archive)),
            source_hash=digest,
            tags=self.context.tags(function.slug),
            opts=self.child(),
        )
        return {**found, "s3_bucket": uploaded.bucket, "s3_key": uploaded.key}
