"""Application auto scaling."""

from __future__ import annotations

from nodegx.providers.aws.emulator.properties import Properties
from nodegx.providers.aws.emulator.resource import Resource, camel, pascal

_SCALED = ("serviceNamespace", "resourceId", "scalableDimension")


class Target(Resource):
    type = "aws:appautoscaling/target:Target"
    required = frozenset({*_SCALED, "minCapacity", "maxCapacity"})
    optional = frozenset({"tags"})
    replaces = frozenset(_SCALED)
    computed = frozenset({"arn"})

    def create(self, inputs: Properties) -> str:
        given = pascal({name: inputs[name] for name in self.required})
        self.cloud.client("application-autoscaling").register_scalable_target(**given)
        return inputs["resourceId"]

    def read(self, id: str, state: Properties) -> Properties | None:
        answer = self.cloud.client("application-autoscaling").describe_scalable_targets(
            ServiceNamespace=state["serviceNamespace"],
            ResourceIds=[id],
            ScalableDimension=state["scalableDimension"],
        )
        for found in answer["ScalableTargets"]:
            properties = camel(found)
            return {
                **{name: properties[name] for name in self.required},
                "arn": found.get("ScalableTargetARN")
                or self.cloud.arn("application-autoscaling", f"scalable-target/{id}"),
            }
        return None

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.create(new)

    def delete(self, id: str, state: Properties) -> None:
        self.cloud.client("application-autoscaling").deregister_scalable_target(
            **pascal({name: state[name] for name in _SCALED})
        )


class Policy(Resource):
    type = "aws:appautoscaling/policy:Policy"
    required = frozenset(_SCALED)
    optional = frozenset({"name", "policyType", "targetTrackingScalingPolicyConfiguration"})
    replaces = frozenset({*_SCALED, "name"})
    computed = frozenset({"arn"})
    named = "name"

    def create(self, inputs: Properties) -> str:
        tracking = pascal(inputs["targetTrackingScalingPolicyConfiguration"])
        self.cloud.client("application-autoscaling").put_scaling_policy(
            PolicyName=inputs["name"],
            PolicyType=inputs["policyType"],
            TargetTrackingScalingPolicyConfiguration=tracking,
            **pascal({name: inputs[name] for name in _SCALED}),
        )
        return inputs["name"]

    def read(self, id: str, state: Properties) -> Properties | None:
        answer = self.cloud.client("application-autoscaling").describe_scaling_policies(
            PolicyNames=[id], **pascal({name: state[name] for name in _SCALED})
        )
        for found in answer["ScalingPolicies"]:
            properties = camel(found)
            return {
                **{name: properties[name] for name in _SCALED},
                "name": id,
                "arn": found["PolicyARN"],
                "policyType": found["PolicyType"],
                "targetTrackingScalingPolicyConfiguration": properties.get(
                    "targetTrackingScalingPolicyConfiguration"
                ),
            }
        return None

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.create(new)

    def delete(self, id: str, state: Properties) -> None:
        self.cloud.client("application-autoscaling").delete_scaling_policy(
            PolicyName=id, **pascal({name: state[name] for name in _SCALED})
        )


TYPES = (Policy, Target)
