"""Lambda: functions, their code and their configuration."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Set
from typing import Any

from nodegx.providers.aws.emulator.archives import archive_bytes
from nodegx.providers.aws.emulator.properties import Properties
from nodegx.providers.aws.emulator.resource import Resource, gone_tags, pascal

from .function_names import invoke_arn

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
            "invokeArn": invoke_arn(self.cloud, arn),
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


TYPES = (Function, LayerVersion)
