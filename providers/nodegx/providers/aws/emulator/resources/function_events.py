"""Lambda: who invokes functions, with which events, and what becomes of those that fail."""

from __future__ import annotations

import json

from nodegx.providers.aws.emulator.properties import Properties
from nodegx.providers.aws.emulator.resource import Resource, camel, pascal

from .function_names import qualified


class EventSourceMapping(Resource):
    type = "aws:lambda/eventSourceMapping:EventSourceMapping"
    required = frozenset({"functionName", "eventSourceArn"})
    optional = frozenset(
        {
            *("batchSize", "bisectBatchOnFunctionError", "destinationConfig", "enabled"),
            *("filterCriteria", "functionResponseTypes", "maximumBatchingWindowInSeconds"),
            *("maximumRecordAgeInSeconds", "maximumRetryAttempts", "parallelizationFactor"),
            *("scalingConfig", "startingPosition", "tags"),
        }
    )
    replaces = frozenset({"eventSourceArn", "startingPosition"})
    computed = frozenset({"arn", "functionArn", "state", "uuid"})
    defaults = {"enabled": True}  # noqa: RUF012

    def create(self, inputs: Properties) -> str:
        given = self._given(inputs)
        for name in ("eventSourceArn", "startingPosition"):
            if inputs.get(name) is not None:
                given[f"{name[0].upper()}{name[1:]}"] = inputs[name]
        answer = self.cloud.client("lambda").create_event_source_mapping(
            Tags=inputs.get("tags") or {}, **given
        )
        return answer["UUID"]

    def read(self, id: str, state: Properties) -> Properties | None:
        found = self.cloud.client("lambda").get_event_source_mapping(UUID=id)
        if found.get("State") == "Deleting":
            return None
        properties = camel(
            {
                key: value
                for key, value in found.items()
                if key not in {"ResponseMetadata", "UUID", "State", "FunctionArn"}
            }
        )
        failure: Properties = found.get("DestinationConfig", {}).get("OnFailure") or {}
        if failure.get("Destination"):
            destination = {"destinationArn": failure["Destination"]}
            properties["destinationConfig"] = {"onFailure": destination}
        return {
            **{name: properties.get(name) for name in self.optional - {"tags", "enabled"}},
            "eventSourceArn": found["EventSourceArn"],
            "functionName": found["FunctionArn"],
            "functionArn": found["FunctionArn"],
            "enabled": found.get("State") in ("Enabled", "Enabling", "Creating", "Updating"),
            "state": found.get("State", ""),
            "uuid": id,
            "arn": found.get("EventSourceMappingArn")
            or self.cloud.arn("lambda", f"event-source-mapping:{id}"),
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.cloud.client("lambda").update_event_source_mapping(UUID=id, **self._given(new))

    def delete(self, id: str, state: Properties) -> None:
        self.cloud.client("lambda").delete_event_source_mapping(UUID=id)

    def _given(self, inputs: Properties) -> Properties:
        skipped = {"eventSourceArn", "startingPosition", "tags", "destinationConfig"}
        given = pascal({name: value for name, value in inputs.items() if name not in skipped})
        config: Properties = inputs.get("destinationConfig") or {}
        failure: Properties | None = config.get("onFailure")
        if failure:
            destination = {"Destination": failure["destinationArn"]}
            given["DestinationConfig"] = {"OnFailure": destination}
        return given


class FunctionEventInvokeConfig(Resource):
    type = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
    required = frozenset({"functionName"})
    optional = frozenset(
        {"qualifier", "destinationConfig", "maximumEventAgeInSeconds", "maximumRetryAttempts"}
    )
    replaces = frozenset({"functionName", "qualifier"})

    def create(self, inputs: Properties) -> str:
        self._put(inputs)
        return ":".join(filter(None, (inputs["functionName"], inputs.get("qualifier"))))

    def read(self, id: str, state: Properties) -> Properties | None:
        client = self.cloud.client("lambda")
        found = client.get_function_event_invoke_config(**qualified(state))
        failure = found.get("DestinationConfig", {}).get("OnFailure")
        return {
            "functionName": state["functionName"],
            "qualifier": state.get("qualifier"),
            "maximumEventAgeInSeconds": found.get("MaximumEventAgeInSeconds"),
            "maximumRetryAttempts": found.get("MaximumRetryAttempts"),
            "destinationConfig": {"onFailure": {"destination": failure["Destination"]}}
            if failure
            else None,
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self._put(new)

    def delete(self, id: str, state: Properties) -> None:
        client = self.cloud.client("lambda")
        client.delete_function_event_invoke_config(**qualified(state))

    def _put(self, inputs: Properties) -> None:
        placed = {"functionName", "qualifier"}
        given = pascal({name: value for name, value in inputs.items() if name not in placed})
        client = self.cloud.client("lambda")
        client.put_function_event_invoke_config(**qualified(inputs), **given)


class Permission(Resource):
    type = "aws:lambda/permission:Permission"
    required = frozenset({"action", "function", "principal"})
    optional = frozenset({"qualifier", "sourceAccount", "sourceArn", "statementId"})
    replaces = required | optional
    named = "statementId"

    def create(self, inputs: Properties) -> str:
        # Statement ids have a narrower alphabet than names of resources.
        statement = "".join(c if c.isalnum() or c in "-_" else "-" for c in inputs["statementId"])
        given = {
            "Qualifier": inputs.get("qualifier"),
            "SourceArn": inputs.get("sourceArn"),
            "SourceAccount": inputs.get("sourceAccount"),
        }
        self.cloud.client("lambda").add_permission(
            FunctionName=inputs["function"],
            StatementId=statement,
            Action=inputs["action"],
            Principal=inputs["principal"],
            **{name: value for name, value in given.items() if value is not None},
        )
        return statement

    def read(self, id: str, state: Properties) -> Properties | None:
        client = self.cloud.client("lambda")
        at = {"Qualifier": state["qualifier"]} if state.get("qualifier") else {}
        policy = json.loads(client.get_policy(FunctionName=state["function"], **at)["Policy"])
        found = next((each for each in policy["Statement"] if each["Sid"] == id), None)
        if found is None:
            return None
        conditions: Properties = {}
        for tests in found.get("Condition", {}).values():
            conditions.update({name.lower(): value for name, value in tests.items()})
        principal = found["Principal"]
        return {
            "action": found["Action"],
            "function": state["function"],
            "qualifier": state.get("qualifier"),
            "principal": principal if isinstance(principal, str) else principal["Service"],
            "sourceArn": conditions.get("aws:sourcearn"),
            "sourceAccount": conditions.get("aws:sourceaccount"),
        }

    def delete(self, id: str, state: Properties) -> None:
        at = {"Qualifier": state["qualifier"]} if state.get("qualifier") else {}
        self.cloud.client("lambda").remove_permission(
            FunctionName=state["function"], StatementId=id, **at
        )


TYPES = (EventSourceMapping, FunctionEventInvokeConfig, Permission)
