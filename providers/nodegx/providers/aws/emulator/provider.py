"""A Pulumi provider for the package `aws` that makes resources in the emulated cloud.

It speaks the engine's protocol and takes the place of `pulumi-resource-aws`. It is strict: types
and properties that it does not carry out are errors, so that a program which works here leans on
nothing that is only written down.
"""

from __future__ import annotations

import hashlib
import os
import traceback
from collections.abc import Callable, Collection, Mapping
from functools import wraps
from typing import Any, cast

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from .cloud import Cloud
from .invokes import INVOKES
from .properties import SIGNATURE, UNKNOWN, Properties, decode, encode, has_unknown, shaped
from .resource import Resource, is_absent
from .resources import RESOURCES

VERSION = "7.51.1"
NAME_DIGITS = 7
"""Characters that the real provider adds to names it makes up."""

Changed = provider_pb2.DiffResponse


def _answers(method: Callable[..., Any]) -> Callable[..., Any]:
    """Errors become the engine's: with the resource's own words, and without our frames."""

    @wraps(method)
    def answered(self: EmulatorProvider, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(self, request)
        except NotImplementedError:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, traceback.format_exc())
        except Exception as error:
            context.abort(grpc.StatusCode.UNKNOWN, f"{type(error).__name__}: {error}")

    return answered


class EmulatorProvider(provider_pb2_grpc.ResourceProviderServicer):
    """The provider. One serves any number of deployments, one after another or side by side.

    Args:
        cloud: makes the cloud for a region.
        region: where the stack says nothing; `AWS_REGION` if None.
    """

    def __init__(self, cloud: Callable[[str], Cloud] = Cloud, region: str | None = None) -> None:
        self._make_cloud = cloud
        self._cloud: Cloud | None = None
        self._region = region or os.environ.get("AWS_REGION", "us-east-1")

    # ------------------------------------------------------------------------------ life

    @_answers
    def Handshake(self, request: Any) -> Any:
        return provider_pb2.ProviderHandshakeResponse()

    @_answers
    def Attach(self, request: Any) -> Any:
        return empty_pb2.Empty()

    @_answers
    def Cancel(self, request: Any) -> Any:
        return empty_pb2.Empty()

    @_answers
    def GetPluginInfo(self, request: Any) -> Any:
        return plugin_pb2.PluginInfo(version=VERSION)

    @_answers
    def CheckConfig(self, request: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    @_answers
    def DiffConfig(self, request: Any) -> Any:
        return Changed(changes=Changed.DIFF_NONE)

    @_answers
    def Configure(self, request: Any) -> Any:
        given = decode(request.args)
        region = given.get("region") or request.variables.get("aws:config:region") or self._region
        self._cloud = self._make_cloud(str(region))
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    # ------------------------------------------------------------------------- resources

    @_answers
    def Check(self, request: Any) -> Any:
        resource = self._resource(request.urn)
        inputs, olds = decode(request.news), decode(request.olds)
        named = resource.named
        if named is not None and inputs.get(named) is None:
            seed = bytes(request.randomSeed) or request.urn.encode()
            made = f"{_name(request.urn)}-{hashlib.sha256(seed).hexdigest()[:NAME_DIGITS]}"
            inputs[named] = olds.get(named) or made
        inputs = {**resource.defaults, **inputs}
        failures = [*_failures(resource, inputs), *resource.check(inputs)]
        return provider_pb2.CheckResponse(
            inputs=encode(inputs),
            failures=[
                provider_pb2.CheckFailure(property=name, reason=reason) for name, reason in failures
            ],
        )

    @_answers
    def Diff(self, request: Any) -> Any:
        resource = self._resource(request.urn)
        changed = _changed(decode(request.old_inputs), decode(request.news))
        replaces = sorted(changed & resource.replaces)
        kinds = provider_pb2.PropertyDiff
        return Changed(
            changes=Changed.DIFF_SOME if changed else Changed.DIFF_NONE,
            diffs=sorted(changed),
            replaces=replaces,
            # Names are taken until the old one is gone.
            deleteBeforeReplace=bool(replaces),
            hasDetailedDiff=True,
            detailedDiff={
                name: kinds(
                    kind=kinds.UPDATE_REPLACE if name in replaces else kinds.UPDATE, inputDiff=True
                )
                for name in changed
            },
        )

    @_answers
    def Create(self, request: Any) -> Any:
        resource = self._resource(request.urn)
        inputs = decode(request.properties)
        if request.preview:
            outputs = {**inputs, **dict.fromkeys(resource.computed, UNKNOWN)}
            return provider_pb2.CreateResponse(properties=encode(outputs))
        id = resource.create(inputs)
        return provider_pb2.CreateResponse(id=id, properties=self._outputs(resource, id, inputs))

    @_answers
    def Read(self, request: Any) -> Any:
        resource = self._resource(request.urn)
        state, inputs = decode(request.properties), decode(request.inputs)
        observed = _read(resource, request.id, state)
        if observed is None:
            return provider_pb2.ReadResponse()
        found = {
            # What is empty and what is missing are the same to most services.
            name: value if not value and observed.get(name) is None else observed.get(name, value)
            for name, value in inputs.items()
        }
        return provider_pb2.ReadResponse(
            id=request.id,
            properties=encode({**state, **shaped_all(observed, state)}),
            inputs=encode(shaped_all(found, inputs)),
        )

    @_answers
    def Update(self, request: Any) -> Any:
        resource = self._resource(request.urn)
        old, new = decode(request.olds), decode(request.news)
        if request.preview:
            changed = _changed(decode(request.old_inputs), new)
            unknown = dict.fromkeys(resource.recomputed(changed), UNKNOWN)
            return provider_pb2.UpdateResponse(properties=encode({**old, **new, **unknown}))
        resource.update(request.id, old, new)
        computed = {name: old[name] for name in resource.computed if name in old}
        outputs = self._outputs(resource, request.id, {**computed, **new})
        return provider_pb2.UpdateResponse(properties=outputs)

    @_answers
    def Delete(self, request: Any) -> Any:
        resource = self._resource(request.urn)
        state = decode(request.properties)
        try:
            resource.delete(request.id, state)
        except Exception as error:
            # Services have many words for what is gone already.
            if not is_absent(error) and _read(resource, request.id, state) is not None:
                raise
        return empty_pb2.Empty()

    @_answers
    def Invoke(self, request: Any) -> Any:
        invoke = INVOKES.get(request.tok)
        if invoke is None:
            raise ValueError(f"the emulated cloud has no function {request.tok}")
        answer = invoke(self._configured(), decode(request.args))
        response = provider_pb2.InvokeResponse()
        getattr(response, "return").CopyFrom(encode(answer))
        return response

    # ---------------------------------------------------------------------------- inside

    def _configured(self) -> Cloud:
        if self._cloud is None:
            self._cloud = self._make_cloud(self._region)
        return self._cloud

    def _resource(self, urn: str) -> Resource:
        token = urn.split("::")[2].rpartition("$")[2]
        kind = RESOURCES.get(token)
        if kind is None:
            raise ValueError(f"the emulated cloud has no resource {token}")
        return kind(self._configured())

    def _outputs(self, resource: Resource, id: str, inputs: Properties) -> Any:
        observed = _read(resource, id, inputs)
        if observed is None:
            raise RuntimeError(f"{resource.type} {id} was made but cannot be found")
        missing = resource.computed - observed.keys()
        if missing:
            raise RuntimeError(f"{resource.type} has not told {', '.join(sorted(missing))}")
        return encode({**inputs, **shaped_all(observed, inputs)})


def shaped_all(observed: Mapping[str, Any], given: Mapping[str, Any]) -> Properties:
    """Observed properties in the words of those that were given; see `shaped`."""
    return {name: shaped(value, given.get(name)) for name, value in observed.items()}


def _read(resource: Resource, id: str, state: Properties) -> Properties | None:
    try:
        return resource.read(id, state)
    except Exception as error:
        if is_absent(error):
            return None
        raise


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def _failures(resource: Resource, inputs: Properties) -> list[tuple[str, str]]:
    known = resource.required | resource.optional
    missing = sorted(name for name in resource.required if inputs.get(name) is None)
    unknown = sorted(inputs.keys() - known)
    return [
        *((name, f"{resource.type} needs it") for name in missing),
        *(
            (name, f"the emulated cloud does not carry out this of {resource.type}")
            for name in unknown
        ),
    ]


def _changed(old: Properties, new: Properties) -> set[str]:
    names = (old.keys() | new.keys()) - {"__defaults"}
    return {
        name
        for name in names
        if has_unknown(new.get(name)) or _comparable(old.get(name)) != _comparable(new.get(name))
    }


def _comparable(value: Any) -> Any:
    """Archives are equal if their content is, wherever they come from."""
    if isinstance(value, dict):
        found = cast("Properties", value)
        if SIGNATURE in found and "hash" in found:
            return found["hash"]
        return {key: _comparable(item) for key, item in found.items() if item is not None}
    if isinstance(value, list):
        return [_comparable(item) for item in cast("Collection[Any]", value)]
    return value
