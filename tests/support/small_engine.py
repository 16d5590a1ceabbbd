"""A small stand-in for Pulumi's engine, for machines without the command and without Go.

It serves the SDK's own protocol, runs an unmodified program against a provider, and keeps a state:
preview, up and destroy, in the order of the program. It knows nothing of aliases, transforms and
protection, which only the real engine proves.
"""

from __future__ import annotations

import runpy
import threading
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from nodegx.providers.aws.emulator import plugin
from nodegx.providers.aws.emulator.properties import UNKNOWN, decode, encode
from nodegx.providers.aws.emulator.provider import EmulatorProvider
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    language_pb2,
    provider_pb2,
    provider_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
)

Properties = dict[str, Any]


@dataclass
class Kept:
    """A resource in the state."""

    urn: str
    id: str
    inputs: Properties
    outputs: Properties


@dataclass
class Done:
    """What an operation did: how often each step was taken, on which resources, and the program's
    outputs."""

    changes: Counter[str] = field(default_factory=Counter[str])
    changed: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    outputs: Properties = field(default_factory=dict[str, Any])


class SmallEngine:
    """Runs a program.

    Args:
        program: its `__main__.py`.
        provider: makes its resources.
        project: name of the project.
        stack: name of the stack.
    """

    def __init__(
        self, program: Path, provider: EmulatorProvider, *, project: str, stack: str
    ) -> None:
        self.program = program
        self.project = project
        self.stack = stack
        self.state: dict[str, Kept] = {}
        self._plugin, port = plugin.start(provider)
        channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.provider: Any = provider_pb2_grpc.ResourceProviderStub(channel)
        configuration = provider_pb2.ConfigureRequest()
        self.provider.Configure(configuration)

    def preview(self) -> Done:
        """What `up` would do."""
        return self._run(preview=True)

    def up(self) -> Done:
        """Brings everything to where the program wants it."""
        return self._run(preview=False)

    def destroy(self) -> Done:
        """Deletes everything, the last first."""
        done = Done()
        for kept in reversed(list(self.state.values())):
            self._delete(kept, done)
        return done

    def close(self) -> None:
        self._plugin.stop(None)

    def _run(self, *, preview: bool) -> Done:
        monitor = _Monitor(self, preview)
        server = grpc.server(ThreadPoolExecutor(64))
        resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, server)
        engine_pb2_grpc.add_EngineServicer_to_server(_Log(), server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            address = f"127.0.0.1:{port}"
            request = language_pb2.RunRequest(
                project=self.project,
                stack=self.stack,
                monitor_address=address,
                args=[address],
                dryRun=preview,
                parallel=8,
                organization="organization",
            )
            runtime = LanguageServer(lambda: runpy.run_path(str(self.program), run_name="__main__"))
            result = runtime.Run(request, None)
        finally:
            server.stop(None)
        if result.error:
            raise RuntimeError(result.error)
        done = monitor.done
        for urn in [urn for urn in self.state if urn not in monitor.seen]:
            if preview:
                done.changes["delete"] += 1
            else:
                self._delete(self.state[urn], done)
        return done

    def _delete(self, kept: Kept, done: Done) -> None:
        request = provider_pb2.DeleteRequest(
            urn=kept.urn, id=kept.id, properties=encode(kept.outputs)
        )
        self.provider.Delete(request)
        del self.state[kept.urn]
        done.changes["delete"] += 1
        done.changed.append(("delete", kept.urn))


class _Log(engine_pb2_grpc.EngineServicer):
    """What a program says of itself."""

    def __init__(self) -> None:
        self._root = ""

    def Log(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def SetRootResource(self, request: Any, context: Any) -> Any:
        self._root = request.urn
        return engine_pb2.SetRootResourceResponse()

    def GetRootResource(self, request: Any, context: Any) -> Any:
        return engine_pb2.GetRootResourceResponse(urn=self._root)


class _Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """Takes what a program registers, and has it made."""

    def __init__(self, engine: SmallEngine, preview: bool) -> None:
        self._engine = engine
        self._preview = preview
        self._lock = threading.Lock()
        self.seen: set[str] = set()
        self.done = Done()

    def SupportsFeature(self, request: Any, context: Any) -> Any:
        return resource_pb2.SupportsFeatureResponse(hasSupport=False)

    def SignalAndWaitForShutdown(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:
        return self._engine.provider.Invoke(
            provider_pb2.InvokeRequest(tok=request.tok, args=request.args)
        )

    def RegisterResourceOutputs(self, request: Any, context: Any) -> Any:
        if "pulumi:pulumi:Stack" in request.urn:
            self.done.outputs = decode(request.outputs)
        return empty_pb2.Empty()

    def RegisterResource(self, request: Any, context: Any) -> Any:
        urn = self._urn(request.type, request.name, request.parent)
        if not request.custom:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        if request.type.startswith("pulumi:providers:"):
            return resource_pb2.RegisterResourceResponse(urn=urn, id="provider")
        try:
            id, outputs = self._settle(urn, decode(request.object), list(request.ignoreChanges))
        except grpc.RpcError as error:
            context.abort(grpc.StatusCode.UNKNOWN, f"{urn}: {error.details()}")
            raise
        return resource_pb2.RegisterResourceResponse(urn=urn, id=id, object=encode(outputs))

    def _urn(self, type: str, name: str, parent: str) -> str:
        above = parent.split("::")[2] if parent else ""
        if above and "pulumi:pulumi:Stack" not in above:
            type = f"{above}${type}"
        return f"urn:pulumi:{self._engine.stack}::{self._engine.project}::{type}::{name}"

    def _settle(
        self, urn: str, inputs: Properties, ignored: list[str]
    ) -> tuple[str, Mapping[str, Any]]:
        """Makes, changes or leaves alone; the resource's id and properties."""
        provider, old = self._engine.provider, self._engine.state.get(urn)
        if old is not None:
            for name in ignored:
                inputs.pop(name, None)
                if name in old.inputs:
                    inputs[name] = old.inputs[name]
        checked = provider.Check(
            provider_pb2.CheckRequest(
                urn=urn,
                news=encode(inputs),
                olds=encode(old.inputs if old else {}),
                randomSeed=urn.encode(),
            )
        )
        if checked.failures:
            told = "; ".join(f"{each.property}: {each.reason}" for each in checked.failures)
            raise RuntimeError(f"{urn}: {told}")
        news = decode(checked.inputs)
        step = "create" if old is None else self._step(old, news)
        with self._lock:
            self.seen.add(urn)
            self.done.changes[step] += 1
            if step != "same":
                self.done.changed.append((step, urn))
        if old is not None and step == "same":
            return old.id, old.outputs
        if self._preview:
            return self._foresee(urn, old if step == "update" else None, news)
        return self._make(urn, old, news, step)

    def _step(self, old: Kept, news: Properties) -> str:
        found = self._engine.provider.Diff(
            provider_pb2.DiffRequest(
                urn=old.urn,
                id=old.id,
                olds=encode(old.outputs),
                old_inputs=encode(old.inputs),
                news=encode(news),
            )
        )
        if found.replaces:
            return "replace"
        return "update" if found.changes == provider_pb2.DiffResponse.DIFF_SOME else "same"

    def _foresee(self, urn: str, old: Kept | None, news: Properties) -> tuple[str, Properties]:
        provider = self._engine.provider
        if old is None:
            request = provider_pb2.CreateRequest(urn=urn, properties=encode(news), preview=True)
            return UNKNOWN, decode(provider.Create(request).properties)
        return old.id, decode(provider.Update(_update(old, news, preview=True)).properties)

    def _make(
        self, urn: str, old: Kept | None, news: Properties, step: str
    ) -> tuple[str, Properties]:
        engine = self._engine
        if old is not None and step == "update":
            outputs = decode(engine.provider.Update(_update(old, news, preview=False)).properties)
            kept = Kept(urn, old.id, news, outputs)
        else:
            if old is not None:
                engine.provider.Delete(
                    provider_pb2.DeleteRequest(urn=urn, id=old.id, properties=encode(old.outputs))
                )
            made = engine.provider.Create(
                provider_pb2.CreateRequest(urn=urn, properties=encode(news))
            )
            kept = Kept(urn, made.id, news, decode(made.properties))
        with self._lock:
            engine.state[urn] = kept
        return kept.id, kept.outputs


def _update(old: Kept, news: Properties, *, preview: bool) -> Any:
    return provider_pb2.UpdateRequest(
        urn=old.urn,
        id=old.id,
        olds=encode(old.outputs),
        old_inputs=encode(old.inputs),
        news=encode(news),
        preview=preview,
    )
