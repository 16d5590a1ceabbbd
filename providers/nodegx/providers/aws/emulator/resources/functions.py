"""Lambda."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Set
from typing import Any

from nodegx.providers.aws.emulator.archives import archive_bytes
from nodegx.providers.aws.emulator.properties import Properties
from nodegx.providers.aws.emulator.resource import Resource, camel, gone_tags, is_absent, pascal

_CODE = {"code", "s3Bucket", "s3Key", "s3ObjectVersion", "imageUri", "sourceCodeHash"}
_CONFIGURATION = {
    *("description", "environment", "handler", "layers", "memorySize", "role", "runtime"),
    *("timeout", "imageConfig", "loggingConfig", "tracingConfig", "ephemeralStorage"),
    "deadLetterConfig",
}
_NOT_RESERVED = -1


class Function(Resource):
    type = "aws:lambda/function:Function"
    required = frozenset({"role"})
    optional = frozenset(
        {"name", "packageType", "architectures", "publish", "reservedConcurrentExecutions", "tags"}
        | _CODE
        | (_CONFIGURATION - {"role"})
    )
    replaces = frozenset({"name", "packageType"})
    computed = frozenset({"arn", "invokeArn", "lastModified", "qualifiedArn", "version"})
    named = "name"
    defaults = {  # noqa: RUF012
        "memorySize": 128,
        "packageType": "Zip",
        "publish": False,
        "reservedConcurrentExecutions": _NOT_RESERVED,
        "timeout": 3,
    }

    def create(self, inputs: Properties) -> str:
        self.cloud.client("lambda").create_function(
            FunctionName=inputs["name"],
            Code=_code(inputs),
            PackageType=inputs["packageType"],
            Publish=bool(inputs.get("publish")),
            Tags=inputs.get("tags") or {},
            **_configuration(inputs),
            **({"Architectures": inputs["architectures"]} if inputs.get("architectures") else {}),
        )
        self._settle(inputs["name"])
        self._reserve(inputs["name"], inputs["reservedConcurrentExecutions"])
        return inputs["name"]

    def read(self, id: str, state: Properties) -> Properties | None:
        client = self.cloud.client("lambda")
        answer = client.get_function(FunctionName=id)
        found = answer["Configuration"]
        arn = found["FunctionArn"]
        version = self._version(id) if state.get("publish") else "$LATEST"
        variables = found.get("Environment", {}).get("Variables")
        return {
            "name": id,
            "arn": arn,
            "invokeArn": self._invoke_arn(arn),
            "qualifiedArn": f"{arn}:{version}",
            "version": version,
            "lastModified": found["LastModified"],
            "architectures": found.get("Architectures"),
            "description": found.get("Description") or None,
            "environment": {"variables": variables} if variables else None,
            "handler": found.get("Handler") or None,
            "layers": [layer["Arn"] for layer in found.get("Layers") or ()] or None,
            "memorySize": found["MemorySize"],
            "packageType": found.get("PackageType", "Zip"),
            "reservedConcurrentExecutions": answer.get("Concurrency", {}).get(
                "ReservedConcurrentExecutions", _NOT_RESERVED
            ),
            "role": found["Role"],
            "runtime": found.get("Runtime"),
            "sourceCodeHash": found.get("CodeSha256"),
            "tags": answer.get("Tags") or None,
            "timeout": found["Timeout"],
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        client = self.cloud.client("lambda")
        live = self.read(id, old) or {}
        # AWS publishes no version where nothing is different from the last one.
        configured = _differs(new, live, _CONFIGURATION)
        if configured:
            client.update_function_configuration(FunctionName=id, **_configuration(new))
            self._settle(id)
        coded = (
            _differs(new, live, {"sourceCodeHash"})
            if new.get("sourceCodeHash")
            else _differs(new, old, _CODE)
        )
        if coded:
            client.update_function_code(FunctionName=id, **_code(new))
            self._settle(id)
        if (configured or coded) and new.get("publish"):
            client.publish_version(FunctionName=id)
        if old.get("reservedConcurrentExecutions") != new["reservedConcurrentExecutions"]:
            self._reserve(id, new["reservedConcurrentExecutions"])
        gone = gone_tags(old, new)
        if gone:
            client.untag_resource(Resource=old["arn"], TagKeys=gone)
        if new.get("tags"):
            client.tag_resource(Resource=old["arn"], Tags=new["tags"])

    def delete(self, id: str, state: Properties) -> None:
        self.cloud.client("lambda").delete_function(FunctionName=id)

    def recomputed(self, changed: Set[str]) -> Set[str]:
        found = {"lastModified"}
        return found | {"qualifiedArn", "version"} if changed & (_CODE | _CONFIGURATION) else found

    def check(self, inputs: Properties) -> list[tuple[str, str]]:
        sources = [name for name in ("code", "s3Key", "imageUri") if inputs.get(name)]
        if len(sources) != 1:
            return [("code", "exactly one of code, s3Key and imageUri must be given")]
        if inputs["packageType"] == "Zip" and not (inputs.get("handler") and inputs.get("runtime")):
            return [("handler", "zips need a handler and a runtime")]
        return []

    def _version(self, name: str) -> str:
        pages = self.cloud.client("lambda").get_paginator("list_versions_by_function")
        versions = [
            int(found["Version"])
            for page in pages.paginate(FunctionName=name)
            for found in page["Versions"]
            if found["Version"] != "$LATEST"
        ]
        return str(max(versions)) if versions else "$LATEST"

    def _settle(self, name: str) -> None:
        """Waits until a change is through: further ones are refused until then."""
        waiter = self.cloud.client("lambda").get_waiter("function_updated_v2")
        waiter.wait(FunctionName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})

    def _reserve(self, name: str, count: int) -> None:
        client = self.cloud.client("lambda")
        if count == _NOT_RESERVED:
            client.delete_function_concurrency(FunctionName=name)
        else:
            client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=count)

    def _invoke_arn(self, arn: str) -> str:
        region = self.cloud.region
        return f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations"


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
            "invokeArn": (
                f"arn:aws:apigateway:{self.cloud.region}:lambda:path/2015-03-31/functions/"
                f"{id}/invocations"
            ),
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
        found = client.get_function_event_invoke_config(**_qualified(state))
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
        client.delete_function_event_invoke_config(**_qualified(state))

    def _put(self, inputs: Properties) -> None:
        placed = {"functionName", "qualifier"}
        given = pascal({name: value for name, value in inputs.items() if name not in placed})
        client = self.cloud.client("lambda")
        client.put_function_event_invoke_config(**_qualified(inputs), **given)


class LayerVersion(Resource):
    type = "aws:lambda/layerVersion:LayerVersion"
    required = frozenset({"layerName", "code"})
    optional = frozenset(
        {"compatibleArchitectures", "compatibleRuntimes", "description", "sourceCodeHash"}
    )
    replaces = required | optional
    computed = frozenset({"arn", "layerArn", "version"})

    def create(self, inputs: Properties) -> str:
        lists = ("compatibleArchitectures", "compatibleRuntimes", "description")
        given = pascal({name: inputs[name] for name in lists if inputs.get(name)})
        return self.cloud.client("lambda").publish_layer_version(
            LayerName=inputs["layerName"],
            Content={"ZipFile": archive_bytes(inputs["code"])},
            **given,
        )["LayerVersionArn"]

    def read(self, id: str, state: Properties) -> Properties | None:
        layer, _, version = id.rpartition(":")
        found = self.cloud.client("lambda").get_layer_version(
            LayerName=layer, VersionNumber=int(version)
        )
        return {
            "arn": id,
            "layerArn": layer,
            "version": version,
            "layerName": layer.rpartition(":")[2],
            "sourceCodeHash": found["Content"].get("CodeSha256") or state.get("sourceCodeHash"),
        }

    def delete(self, id: str, state: Properties) -> None:
        layer, _, version = id.rpartition(":")
        self.cloud.client("lambda").delete_layer_version(
            LayerName=layer.rpartition(":")[2], VersionNumber=int(version)
        )


class ProvisionedConcurrencyConfig(Resource):
    type = "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig"
    required = frozenset({"functionName", "qualifier", "provisionedConcurrentExecutions"})
    replaces = frozenset({"functionName", "qualifier"})

    def create(self, inputs: Properties) -> str:
        self._put(inputs)
        return f"{inputs['functionName']},{inputs['qualifier']}"

    def read(self, id: str, state: Properties) -> Properties | None:
        found = self.cloud.client("lambda").get_provisioned_concurrency_config(**_qualified(state))
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
            client.delete_provisioned_concurrency_config(**_qualified(state))
        except client.exceptions.ClientError as error:
            if not is_absent(error):
                raise

    def _put(self, inputs: Properties) -> None:
        self.cloud.client("lambda").put_provisioned_concurrency_config(
            ProvisionedConcurrentExecutions=inputs["provisionedConcurrentExecutions"],
            **_qualified(inputs),
        )


def _qualified(properties: Properties) -> Properties:
    found = {"FunctionName": properties["functionName"]}
    if properties.get("qualifier"):
        found["Qualifier"] = properties["qualifier"]
    return found


def _differs(wanted: Properties, found: Properties, names: Set[str]) -> bool:
    """Whether any of these properties is another; what is empty counts as missing."""
    return any((wanted.get(name) or None) != (found.get(name) or None) for name in names)


def _code(inputs: Properties) -> Properties:
    if inputs.get("imageUri"):
        return {"ImageUri": inputs["imageUri"]}
    if inputs.get("s3Key"):
        given = {
            "S3Bucket": inputs["s3Bucket"],
            "S3Key": inputs["s3Key"],
            "S3ObjectVersion": inputs.get("s3ObjectVersion"),
        }
        return {name: value for name, value in given.items() if value is not None}
    content = archive_bytes(inputs["code"])
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    if inputs.get("sourceCodeHash") not in (None, digest):
        raise ValueError(f"sourceCodeHash is {inputs['sourceCodeHash']}, the code's is {digest}")
    return {"ZipFile": content}


def _configuration(properties: Properties) -> dict[str, Any]:
    given = {name: properties[name] for name in _CONFIGURATION if properties.get(name) is not None}
    environment: Properties = given.pop("environment", None) or {}
    image = given.pop("imageConfig", None)
    found: dict[str, Any] = pascal(given)
    found["Environment"] = {"Variables": environment.get("variables") or {}}
    found.setdefault("Layers", [])
    if image:
        names = {"commands": "Command", "entryPoints": "EntryPoint"}
        found["ImageConfig"] = {names.get(key, key): value for key, value in image.items()}
    return found


TYPES = (
    Alias,
    EventSourceMapping,
    Function,
    FunctionEventInvokeConfig,
    LayerVersion,
    Permission,
    ProvisionedConcurrencyConfig,
)
