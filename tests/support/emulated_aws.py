"""A project deployed to the emulated cloud by its own Pulumi program and the real engine."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

from nodegx.compiler.project import load_project
from nodegx.compiler.targets.aws.names import Names, Place
from nodegx.providers.aws.emulator import ministack, plugin, pulumi_build
from nodegx.providers.aws.emulator.cloud import Cloud
from nodegx.providers.aws.engine import Engine
from nodegx.providers.aws.prepare import Prepared, prepare
from nodegx.providers.aws.steps import Outcome, Step

from tests.support.recording_proxy import Recorder, recording

REGION = "eu-central-1"
STACK = "test"
ROOT = Path(__file__).parents[2]

T = TypeVar("T")


def combined_project(root: Path, *examples: str, vars: Mapping[str, Any]) -> Path:
    """A project with the workflows of several examples, so that one deployment has them all."""
    workflows = root / "workflows"
    workflows.mkdir(parents=True)
    found: dict[str, Any] = {}
    for name in examples:
        example = ROOT / "examples" / name
        found |= json.loads((example / "nodegx.json").read_text("utf-8")).get("vars", {})
        for path in (example / "workflows").glob("*.json"):
            shutil.copy(path, workflows / path.name)
    (root / "nodegx.json").write_text(
        json.dumps({"name": "shop", "vars": {**found, **vars}}), "utf-8"
    )
    return root


@dataclass
class Deployment:
    """A project in the emulated cloud.

    Attributes:
        cloud: clients of the SDK, for what a person would do in the console.
        server: the emulator.
        recorder: has all calls that functions make.
        seconds: how long each step took.
    """

    root: Path
    cloud: Cloud
    server: ministack.Ministack
    recorder: Recorder
    engine: Engine
    prepared: Prepared
    seconds: dict[str, float] = field(default_factory=dict[str, float])
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def place(self) -> Place:
        """Its names and ARNs."""
        return Place(Names("shop", STACK), ministack.ACCOUNT, REGION)

    def compile(self) -> None:
        """Compiles and bundles the project again."""
        self.prepared = prepare(load_project(self.root))

    def run(self, operation: str, **options: Any) -> Outcome:
        """An operation of the engine, timed."""
        begin = time.monotonic()
        outcome = self.engine.run(operation, STACK, **options)
        name = f"{operation} {sum(1 for key in self.seconds if key.startswith(operation)) + 1}"
        self.seconds[name] = time.monotonic() - begin
        if outcome.outputs:
            self.outputs = outcome.outputs
        return outcome

    def request(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any, Mapping[str, str]]:
        """A request to the HTTP API, as a browser would make it."""
        host = str(self.outputs["url"]).partition("://")[2]
        connection = HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        try:
            given = {"Host": host, "Content-Type": "application/json", **(headers or {})}
            connection.request(method, path, None if body is None else json.dumps(body), given)
            answer = connection.getresponse()
            content = answer.read()
            told = {name.lower(): value for name, value in answer.getheaders()}
            is_json = "json" in told.get("content-type", "")
            return answer.status, json.loads(content) if is_json else content, told
        finally:
            connection.close()


def changes(outcome: Outcome) -> list[Step]:
    """The resources that became different, without what only groups them."""
    return [
        step
        for step in outcome.steps
        if step.phase == "done" and step.changes and not step.is_component
    ]


def eventually(check: Callable[[], T], *, seconds: float = 60.0) -> T:
    """The first true answer of `check`; fails when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        assert time.monotonic() < deadline, f"nothing in {seconds} s: {check}"
        time.sleep(0.1)


@contextmanager
def deployment(root: Path, directory: Path) -> Iterator[Deployment]:
    """The emulator with enforced policies, the engine, and the project ready to be deployed."""
    with ExitStack() as stack:
        gateway = ministack.free_port()
        recorder = stack.enter_context(recording(f"http://127.0.0.1:{gateway}", ministack.ACCOUNT))
        server = ministack.start(
            directory / "cloud",
            port=gateway,
            region=REGION,
            enforce=True,
            functions_endpoint=recorder.url,
            variables={"LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.2"},
        )
        stack.callback(server.stop)
        env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            **server.variables(recorder.url),
        }
        stack.enter_context(mock.patch.dict(os.environ, env, clear=True))
        attached = stack.enter_context(plugin.attached())
        found = pulumi_build.find_or_build()
        assert found is not None, "neither the pulumi command nor Go to build it with"
        state = directory / "state"
        state.mkdir()
        prepared = prepare(load_project(root))
        plugins = plugin.install(directory / "bin").parent
        engine = Engine(
            found,
            prepared.home,
            prepared.plan.project,
            {
                **env,
                **attached,
                "PATH": f"{plugins}{os.pathsep}{os.environ['PATH']}",
                "PULUMI_BACKEND_URL": f"file://{state}",
                "PULUMI_CONFIG_PASSPHRASE": "test",
                "PULUMI_HOME": str(directory / "pulumi"),
            },
        )
        engine.check()
        engine.init(STACK)
        yield Deployment(root, Cloud(REGION), server, recorder, engine, prepared)
