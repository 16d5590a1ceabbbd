"""The stack `local`: an emulated cloud on this machine, without an account.

It has all that a deployment is made of, and really runs functions, moves messages and keeps
executions. It lives as long as its server does; everything about it is in `.nodegx/local`.
"""

from __future__ import annotations

import atexit
import json
import os
import platform
import shutil
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nodegx.providers.errors import ProviderError

from .emulator import ministack, pulumi_build
from .emulator.cache import EmulatorError
from .platforms import MACHINES, Platform
from .stackfiles import LOCAL, stack_path
from .wheels import LOCK, Wheels

DIRECTORY = Path(".nodegx") / "local"
"""Where it keeps what it knows, in the project's directory."""
RECORD, STATE, TOOLS = "cloud.json", "state", "bin"
PORT = 4566
"""The port it takes where it is free, as other emulators do."""
REGION = "eu-central-1"
STACK_FILE = """\
# Stack "local": the emulated cloud on this machine, which needs no account. `nodegx deploy --local`
# starts it, `nodegx destroy --local` removes it.
config: {}
"""

Tell = Callable[[str], None]


def directory(root: Path) -> Path:
    """Where a project's emulated cloud keeps what it knows."""
    return root / DIRECTORY


def running(root: Path) -> ministack.Ministack | None:
    """A project's emulated cloud, if it runs."""
    found = _record(root)
    if found is None:
        return None
    server = ministack.Ministack(found["url"], found["region"], found["pid"], Path(found["log"]))
    return server if server.alive else None


def start(root: Path, tell: Tell) -> None:
    """Starts a project's emulated cloud, unless it runs.

    Args:
        root: the project's directory.
        tell: is told what takes time.

    Raises:
        ProviderError: it cannot be installed, or does not start.
    """
    if running(root) is not None:
        return
    home = directory(root)
    # What was deployed to a server that has ended is gone with it.
    shutil.rmtree(home, ignore_errors=True)
    try:
        pulumi = pulumi_build.find_or_build(tell)
        server = ministack.start(home, port=_port(), region=REGION, tell=tell)
    except EmulatorError as error:
        raise ProviderError(
            f"there is no emulated cloud: {error}",
            "what it needs is installed once there is a network",
        ) from None
    record = {**asdict(server), "log": str(server.log), "pulumi": str(pulumi)}
    (home / RECORD).write_text(json.dumps(record), "utf-8")
    tell(f"The emulated cloud runs on {server.url}; its log is {server.log}")


def stop(root: Path) -> None:
    """Ends a project's emulated cloud, and forgets it."""
    server = running(root)
    if server is not None:
        server.stop()
    shutil.rmtree(directory(root), ignore_errors=True)
    stack_path(root, LOCAL).unlink(missing_ok=True)


def enter(root: Path) -> None:
    """Leads this process and those it starts to the emulated cloud, instead of AWS.

    Args:
        root: the project's directory.

    Raises:
        ProviderError: it does not run.
    """
    server, record = running(root), _record(root)
    if server is None or record is None:
        raise ProviderError(
            "the emulated cloud does not run",
            "`nodegx deploy --target aws --local` starts it",
            "not found",
        )
    file = stack_path(root, LOCAL)
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(STACK_FILE, "utf-8")
    variables = server.variables()
    variables["NODEGX_PULUMI"] = record["pulumi"]
    _lead(root, variables)


def _record(root: Path) -> dict[str, Any] | None:
    """What is known of a project's emulated cloud."""
    try:
        return json.loads((directory(root) / RECORD).read_bytes())
    except (OSError, ValueError):
        return None


def _lead(root: Path, variables: Mapping[str, str]) -> None:
    from .emulator import plugin

    home = directory(root)
    state = home / STATE
    state.mkdir(parents=True, exist_ok=True)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]  # profiles, roles and endpoints of real accounts
    tools = plugin.install(home / TOOLS).parent
    os.environ.update(
        {
            **variables,
            "PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "PULUMI_BACKEND_URL": state.resolve().as_uri(),
            # Nothing in it is secret: it is gone with the emulated cloud.
            "PULUMI_CONFIG_PASSPHRASE": LOCAL,
        }
    )
    if "PULUMI_DEBUG_PROVIDERS" not in os.environ:
        server, port = plugin.start()
        atexit.register(server.stop, None)
        os.environ["PULUMI_DEBUG_PROVIDERS"] = f"aws:{port}"


def here() -> Platform:
    """The platform that functions run on here: this machine's Python, whatever AWS has."""
    machine = platform.machine().lower()
    found = {"amd64": "x86_64", **{each: name for name, each in MACHINES.items()}}
    return Platform(sys.version_info.minor, found.get(machine, machine))


def packages(root: Path) -> Wheels:
    """Packages for this machine; the project's lock file is for AWS."""
    return Wheels(directory(root) / LOCK, root / ".nodegx" / "packages")


def fill_secrets(client: Any, names: Mapping[str, str], values: Mapping[str, str]) -> list[str]:
    """Gives the deployment's secrets the values that they have on this machine.

    Args:
        client: the SDK's client of Secrets Manager.
        names: of the secrets in the cloud, by the names that workflows use.
        values: values by the same names.

    Returns:
        Names of the secrets that have no value here.
    """
    for name in sorted(names.keys() & values.keys()):
        client.put_secret_value(SecretId=names[name], SecretString=values[name])
    return sorted(names.keys() - values.keys())


def _port() -> int | None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", PORT))
        except OSError:
            return None
    return PORT
