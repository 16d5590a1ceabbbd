"""A project that is deployed to the emulated cloud with the commands of users."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, TypeVar

from nodegx.compiler.targets.aws.names import Names, Place
from nodegx.providers.aws.emulator import ministack, plugin
from nodegx.providers.aws.emulator.cloud import Cloud

from tests.support.engine import pulumi_command
from tests.support.interruptible import interruptible
from tests.support.recording_proxy import Recorder, recording

REGION = "eu-central-1"
STACK = "dev"
NAME = "shop"
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
    project = {"name": NAME, "vars": {**found, **vars}}
    (root / "nodegx.json").write_text(json.dumps(project), "utf-8")
    return root


@dataclass
class Deployment:
    """A project and the emulated cloud.

    Attributes:
        root: the project's directory.
        env: environment that leads the commands to the emulated cloud.
        cloud: clients of the SDK, for what a person would do in the console.
        server: the emulator.
        recorder: has all calls, those of functions included.
        seconds: how long each command took, in order.
        outputs: of the last deployment.
    """

    root: Path
    env: Mapping[str, str]
    cloud: Cloud
    server: ministack.Ministack
    recorder: Recorder
    seconds: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def place(self) -> Place:
        """Names and ARNs of what is deployed."""
        return Place(Names(NAME, STACK), ministack.ACCOUNT, REGION)

    def nodegx(self, *arguments: str, expect: int = 0) -> Any:
        """Runs a command in the project's directory; returns what it says in JSON."""
        program = Path(sys.executable).with_name("nodegx")
        command = [str(program), *arguments, "--json"]
        begin = time.monotonic()
        done = subprocess.run(
            command, cwd=self.root, env=dict(self.env), capture_output=True, text=True, check=False
        )
        self.seconds.append((" ".join(arguments), time.monotonic() - begin))
        assert done.returncode == expect, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    @contextmanager
    def following(self, *arguments: str) -> Generator[Iterator[Any]]:
        """Runs a command that has no end; gives the lines of JSON that it prints. In the end it is
        interrupted, as by Ctrl-C."""
        program = Path(sys.executable).with_name("nodegx")
        process = subprocess.Popen(
            interruptible(program, *arguments, "--json"),
            cwd=self.root,
            env=dict(self.env),
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            yield map(json.loads, process.stdout)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)

    def deploy(self, *arguments: str, expect: int = 0) -> Any:
        """`nodegx deploy`."""
        found = self.nodegx("deploy", "--stack", STACK, "--yes", *arguments, expect=expect)
        self.outputs = found["outputs"] or self.outputs
        return found

    def request(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """A request to the HTTP API, as a browser would make it: status and body."""
        host = str(self.outputs["url"]).partition("://")[2]
        connection = HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        try:
            given = {"Host": host, "Content-Type": "application/json", **(headers or {})}
            connection.request(method, path, None if body is None else json.dumps(body), given)
            answer = connection.getresponse()
            content = answer.read()
            is_json = "json" in (answer.getheader("Content-Type") or "")
            return answer.status, json.loads(content) if is_json else content
        finally:
            connection.close()

    def edit(self, file: str, change: Callable[[Any], None]) -> None:
        """Edits a workflow as a person would."""
        path = self.root / "workflows" / file
        data = json.loads(path.read_text("utf-8"))
        change(data)
        path.write_text(json.dumps(data, indent=2), "utf-8")


def eventually(check: Callable[[], T], *, seconds: float = 90.0) -> T:
    """The first true answer of `check`; fails when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        assert time.monotonic() < deadline, f"nothing in {seconds} s"
        time.sleep(0.2)


@contextmanager
def deployment(root: Path, directory: Path) -> Iterator[Deployment]:
    """The emulator with signatures checked and policies enforced, and a project beside it.

    Everything goes through the recorder: the commands, and what functions call.
    """
    with ExitStack() as stack:
        pulumi = pulumi_command()
        gateway = ministack.free_port()
        recorder = stack.enter_context(recording(f"http://127.0.0.1:{gateway}", ministack.ACCOUNT))
        server = ministack.start(
            directory / "cloud",
            port=gateway,
            region=REGION,
            enforce=True,
            functions_endpoint=recorder.url,
            # Events that failed are tried again within seconds instead of minutes.
            variables={"LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.2"},
        )
        stack.callback(server.stop)
        variables = server.variables(recorder.url)
        provider = _provider(variables)
        attached = stack.enter_context(plugin.attached(provider))
        tools = plugin.install(directory / "bin").parent
        state = directory / "state"
        state.mkdir()
        env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            **variables,
            **attached,
            "NODEGX_PULUMI": str(pulumi),
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "PULUMI_BACKEND_URL": f"file://{state}",
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_HOME": str(directory / "pulumi"),
        }
        yield Deployment(root, env, Cloud(REGION, variables), server, recorder)


def _provider(variables: Mapping[str, str]) -> Any:
    from nodegx.providers.aws.emulator.provider import EmulatorProvider

    return EmulatorProvider(lambda region: Cloud(region, variables), REGION)
