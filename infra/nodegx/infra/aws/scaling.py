"""Instances of functions that are kept warm."""

from __future__ import annotations

import pulumi
from nodegx.compiler.targets.aws.plan import Function
from pulumi_aws import appautoscaling, lambda_

from .context import Component
from .function import WorkflowFunction
from .settings import Provisioned

DIMENSION = "lambda:function:ProvisionedConcurrency"


class WarmInstances(Component):
    """Provisioned concurrency of a function's alias, scaled by how much of it is in use.

    Args:
        function: the function.
        plan: the plan of it.
        provisioned: how many instances.
    """

    def __init__(
        self,
        function: WorkflowFunction,
        plan: Function,
        provisioned: Provisioned,
        *,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        slug = plan.slug
        context = function.context
        super().__init__("WarmInstances", slug, context, opts)
        scales = provisioned.max is not None and provisioned.max > provisioned.min
        warm = lambda_.ProvisionedConcurrencyConfig(
            slug,
            function_name=function.function.name,
            qualifier=function.alias.name,
            provisioned_concurrent_executions=provisioned.min,
            opts=self.child(ignore_changes=["provisionedConcurrentExecutions"] if scales else ()),
        )
        if scales:
            target = appautoscaling.Target(
                slug,
                service_namespace="lambda",
                scalable_dimension=DIMENSION,
                resource_id=pulumi.Output.concat(
                    "function:", function.function.name, ":", function.alias.name
                ),
                min_capacity=provisioned.min,
                max_capacity=provisioned.max or provisioned.min,
                tags=context.tags(slug),
                opts=self.child(depends_on=[warm]),
            )
            appautoscaling.Policy(
                slug,
                name=context.place.names.function(slug),
                policy_type="TargetTrackingScaling",
                service_namespace=target.service_namespace,
                scalable_dimension=target.scalable_dimension,
                resource_id=target.resource_id,
                target_tracking_scaling_policy_configuration={
                    "target_value": provisioned.target,
                    "predefined_metric_specification": {
                        "predefined_metric_type": "LambdaProvisionedConcurrencyUtilization"
                    },
                },
                opts=self.child(),
            )
        self.register_outputs({})
