"""Lambda: which versions of functions answer, and how many instances of them are kept warm."""

from __future__ import annotations

from nodegx.providers.aws.emulator.properties import Properties
from nodegx.providers.aws.emulator.resource import Resource, is_absent

from .function_names import invoke_arn, qualified


class Alias(Resource):
    type = "aws:lambda/alias:Alias"
    required = frozenset({"functionName", "functionVersion"})
    optional = frozenset({"name", "description", "routingConfig"})
    replaces = frozenset({"functionName", "name"})
    computed = frozenset({"arn", "invokeArn"})
    named = "name"

    def create(self, inputs: Properties) -> str:
        client = self.cloud.client("lambda")
        answer = client.create_alias(Name=inputs["name"], **self._given(inputs))
        return answer["AliasArn"]

    def read(self, id: str, state: Properties) -> Properties | None:
        function, name = id.split(":")[-2:]
        found = self.cloud.client("lambda").get_alias(FunctionName=function, Name=name)
        routing: Properties = found.get("RoutingConfig") or {}
        weights = routing.get("AdditionalVersionWeights")
        return {
            "arn": id,
            "name": name,
            "description": found.get("Description") or None,
            "functionName": state.get("functionName", function),
            "functionVersion": found["FunctionVersion"],
            "invokeArn": invoke_arn(self.cloud, id),
            "routingConfig": {"additionalVersionWeights": weights} if weights else None,
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        function, name = id.split(":")[-2:]
        given = self._given(new)
        given["FunctionName"] = function
        self.cloud.client("lambda").update_alias(Name=name, **given)

    def delete(self, id: str, state: Properties) -> None:
        function, name = id.split(":")[-2:]
        self.cloud.client("lambda").delete_alias(FunctionName=function, Name=name)

    def _given(self, inputs: Properties) -> Properties:
        given: Properties = {
            "FunctionName": inputs["functionName"],
            "FunctionVersion": inputs["functionVersion"],
            "Description": inputs.get("description") or "",
        }
        if inputs.get("routingConfig"):
            weights: dict[str, float] = (
                inputs["routingConfig"].get("additionalVersionWeights") or {}
            )
            given["RoutingConfig"] = {"AdditionalVersionWeights": weights}
        return given


class ProvisionedConcurrencyConfig(Resource):
    type = "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig"
    required = frozenset({"functionName", "qualifier", "provisionedConcurrentExecutions"})
    replaces = frozenset({"functionName", "qualifier"})

    def create(self, inputs: Properties) -> str:
        self._put(inputs)
        return f"{inputs['functionName']},{inputs['qualifier']}"

    def read(self, id: str, state: Properties) -> Properties | None:
        found = self.cloud.client("lambda").get_provisioned_concurrency_config(**qualified(state))
        return {
            "functionName": state["functionName"],
            "qualifier": state["qualifier"],
            "provisionedConcurrentExecutions": found["RequestedProvisionedConcurrentExecutions"],
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self._put(new)

    def delete(self, id: str, state: Properties) -> None:
        client = self.cloud.client("lambda")
        try:
            client.delete_provisioned_concurrency_config(**qualified(state))
        except client.exceptions.ClientError as error:
            if not is_absent(error):
                raise

    def _put(self, inputs: Properties) -> None:
        self.cloud.client("lambda").put_provisioned_concurrency_config(
            ProvisionedConcurrentExecutions=inputs["provisionedConcurrentExecutions"],
            **qualified(inputs),
        )


TYPES = (Alias, ProvisionedConcurrencyConfig)
