"""The engine that makes and changes resources: the `pulumi` command, and programs run by it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from nodegx.providers.errors import ProviderError

from .operation import OnMessage, OnStep, run
from .steps import Outcome
from .troubles import explain

PROGRAM = "pulumi"
PATH_VARIABLE = "NODEGX_PULUMI"
"""Environment variable with the path of the command, where it is not on the PATH."""
OLDEST = (3, 181, 0)
"""The first version that runs programs of other processes for every operation."""
PLUGIN = "pulumi-resource-aws"
INSTALL = "install it as https://www.pulumi.com/docs/install describes: brew install pulumi, or \
curl -fsSL https://get.pulumi.com | sh"


def find_pulumi(env: Mapping[str, str] | None = None) -> Path:
    """The `pulumi` command: the one `NODEGX_PULUMI` names, else the first on the PATH.

    Raises:
        ProviderError: there is none.
    """
    env = os.environ if env is None else env
    named = env.get(PATH_VARIABLE)
    if named:
        path = Path(named)
        path = path / PROGRAM if path.is_dir() else path
        if not os.access(path, os.X_OK):
            raise ProviderError(f"{PATH_VARIABLE} names {named}, which cannot be run", INSTALL)
        return path.resolve()
    found = shutil.which(PROGRAM, path=env.get("PATH"))
    if found is None:
        raise ProviderError(
            "the pulumi command is not installed", f"{INSTALL}; or set {PATH_VARIABLE} to its path"
        )
    return Path(found).resolve()


@dataclass(frozen=True, slots=True)
class StackInfo:
    """A stack as the backend knows it. `resources` is None before the first deployment, `updated`
    an ISO time."""

    name: str
    updated: str | None
    resources: int | None
    locked: bool


@dataclass(slots=True)
class Engine:
    """The command, used on one program.

    Args:
        pulumi: path of the command.
        home: the program's directory.
        project: the program's name.
        env: environment of the command, with backend, passphrase and credentials.
        secrets_provider: what encrypts secrets of new stacks.
    """

    pulumi: Path
    home: Path
    project: str
    env: dict[str, str]
    secrets_provider: str = "passphrase"

    def __post_init__(self) -> None:
        path = self.env.get("PATH", os.defpath)
        self.env = {
            **self.env,
            "PATH": f"{self.pulumi.parent}{os.pathsep}{path}",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_AUTOMATION_API_SKIP_VERSION_CHECK": "true",
        }

    # --- the command itself --------------------------------------------------------------------

    def version(self) -> tuple[int, int, int]:
        """Version of the command; a build without one counts as new enough.

        Raises:
            ProviderError: it does not answer.
        """
        text = self._run("version").strip()
        match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", text)
        if match is None:
            return OLDEST
        return int(match[1]), int(match[2]), int(match[3])

    def check(self) -> None:
        """Makes sure that operations can be done.

        Raises:
            ProviderError: the command is too old, or a plugin is missing and cannot be installed.
        """
        found = self.version()
        if found < OLDEST:
            shown, needed = (".".join(map(str, each)) for each in (found, OLDEST))
            raise ProviderError(f"pulumi {shown} is too old: {needed} is needed", INSTALL)
        try:
            wanted = version("pulumi-aws")
        except PackageNotFoundError:
            raise ProviderError(
                "the Python package pulumi-aws is not installed", "pip install 'nodegx[aws]'"
            ) from None
        if not self._has_plugin(wanted):
            try:
                self._run("plugin", "install", "resource", "aws", f"v{wanted}")
            except ProviderError as error:
                raise ProviderError(
                    f"the plugin that talks to AWS, resource aws v{wanted}, cannot be installed: "
                    f"{error.message}",
                    f"once there is a network: pulumi plugin install resource aws v{wanted}",
                ) from None

    def _has_plugin(self, wanted: str) -> bool:
        attached = self.env.get("PULUMI_DEBUG_PROVIDERS", "")
        if any(each.startswith("aws:") for each in attached.split(",")):
            return True
        if shutil.which(PLUGIN, path=self.env["PATH"]) is not None:
            return True
        listed: list[dict[str, Any]] = json.loads(self._run("plugin", "ls", "--json") or "[]")
        return any(each["name"] == "aws" and each["version"] == wanted for each in listed)

    # --- stacks and their configuration --------------------------------------------------------

    def stacks(self) -> list[StackInfo]:
        """The stacks in the backend."""
        found: list[dict[str, Any]] = json.loads(self._run("stack", "ls", "--json"))
        return [
            StackInfo(
                str(each["name"]).rpartition("/")[2],
                each.get("lastUpdate"),
                each.get("resourceCount"),
                bool(each.get("updateInProgress")),
            )
            for each in found
        ]

    def init(self, stack: str) -> None:
        """Makes a stack in the backend."""
        arguments = ("--secrets-provider", self.secrets_provider, "--no-select")
        self._run("stack", "init", stack, *arguments)

    def remove(self, stack: str) -> None:
        """Forgets a stack that has no resources, and keeps its file."""
        self._run("stack", "rm", stack, "--yes", "--preserve-config")

    def config(self, stack: str, *, show_secrets: bool = False) -> dict[str, Any]:
        """The stack's configuration: values by key; secrets are None unless asked for."""
        shown = ("--show-secrets",) if show_secrets else ()
        text = self._run("config", "--json", "--stack", stack, *shown)
        found: dict[str, dict[str, Any]] = json.loads(text)
        return {key: each.get("value") for key, each in found.items()}

    def set_config(
        self, stack: str, key: str, value: str, *, secret: bool = False, path: bool = False
    ) -> None:
        """Sets a value; it is handed over where no list of processes shows it."""
        arguments = ["config", "set", key, "--stack", stack]
        arguments += ["--secret"] if secret else ["--plaintext"]
        arguments += ["--path"] if path else []
        self._run(*arguments, input=value)

    def remove_config(self, stack: str, key: str, *, path: bool = False) -> None:
        """Removes a value."""
        self._run("config", "rm", key, "--stack", stack, *(("--path",) if path else ()))

    def outputs(self, stack: str) -> dict[str, Any]:
        """What the last deployment put out; secrets are masked."""
        return json.loads(self._run("stack", "output", "--json", "--stack", stack) or "{}")

    def resources(self, stack: str) -> list[dict[str, Any]]:
        """The resources of a stack, as its state has them."""
        exported = json.loads(self._run("stack", "export", "--stack", stack))
        found: dict[str, Any] = exported.get("deployment") or {}
        return found.get("resources") or []

    def cancel(self, stack: str) -> None:
        """Takes a stack's lock away from whoever has it."""
        self._run("cancel", "--yes", "--stack", stack)

    # --- operations ----------------------------------------------------------------------------

    def run(
        self,
        operation: str,
        stack: str,
        *,
        on_step: OnStep = lambda step: None,
        on_message: OnMessage = lambda message: None,
        **options: Any,
    ) -> Outcome:
        """Does an operation in a process of its own; see `operation.run`."""
        request = {
            "operation": operation,
            "stack": stack,
            "project": self.project,
            "home": str(self.home),
            "secretsProvider": self.secrets_provider,
            **options,
        }
        return run(request, self.env, on_step=on_step, on_message=on_message)

    def _run(self, *arguments: str, input: str | None = None) -> str:
        command = [str(self.pulumi), *arguments, "--non-interactive", "--color", "never"]
        try:
            done = subprocess.run(  # noqa: S603 - a command the user has installed
                command,
                cwd=self.home,
                env=self.env,
                input=input if input is not None else "",
                capture_output=True,
                text=True,
                check=False,
                errors="replace",
            )
        except OSError as error:
            raise ProviderError(f"pulumi cannot be run: {error.strerror}", INSTALL) from None
        if done.returncode:
            raise explain(done.stderr or done.stdout)
        return done.stdout
