"""ministack, a server that acts like AWS and really runs functions: installed in a virtual environment
of its own in the user's cache, because it pins libraries of ours and runs functions in its own
environment."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .cache import PYTHON, EmulatorError, Tell, install_environment, kept

REQUIREMENT = "ministack==1.5.33"
PROGRAM = "ministack_gaps.py"
ACCOUNT = "000000000000"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
"""Keys of the account's root, whom the emulator lets do everything."""
START_SECONDS = 60.0


def environment(tell: Tell = print) -> Path:
    """The directory of the virtual environment, which is made when it is first needed.

    Raises:
        EmulatorError: it cannot be made, for example for want of a network.
    """
    name = f"{REQUIREMENT.replace('==', '-')}-{PYTHON}"
    return kept(name, lambda home: install_environment(REQUIREMENT, home), tell)


@dataclass(frozen=True)
class Ministack:
    """A running server.

    Args:
        url: where all its services are.
        region: the region it plays.
        pid: its process.
        log: the file it writes its log to.
    """

    url: str
    region: str
    pid: int
    log: Path

    @property
    def port(self) -> int:
        """The port of its `url`."""
        return int(self.url.rpartition(":")[2])

    def variables(self, endpoint: str | None = None) -> dict[str, str]:
        """The environment that leads the SDKs here, or to something in front of it."""
        return {
            **KEYS,
            "AWS_ENDPOINT_URL": endpoint or self.url,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
        }

    @property
    def alive(self) -> bool:
        """Whether it answers."""
        return _ready(self.url)

    def reset(self) -> None:
        """Forgets everything that was made."""
        request = urllib.request.Request(f"{self.url}/_ministack/reset", method="POST")  # noqa: S310
        with urllib.request.urlopen(request, timeout=60):  # noqa: S310
            pass

    def stop(self) -> None:
        """Ends it, and waits for its end."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGTERM)
        deadline = time.monotonic() + 10
        while _exists(self.pid):
            if time.monotonic() > deadline:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.pid, signal.SIGKILL)
                break
            time.sleep(0.05)


def start(
    directory: Path,
    *,
    port: int | None = None,
    region: str = "eu-central-1",
    enforce: bool = False,
    functions_endpoint: str | None = None,
    variables: Mapping[str, str] | None = None,
    tell: Tell = print,
) -> Ministack:
    """Starts a server.

    Args:
        directory: for its log and its temporary files.
        port: where to listen; a free one if None.
        region: the region it plays.
        enforce: whether it checks signatures and policies, as AWS does.
        functions_endpoint: what functions take for AWS, if that is not the server itself.
        variables: further ones of its environment; functions see them too.
        tell: is told what takes time.

    Raises:
        EmulatorError: it cannot be installed, or does not start.
    """
    home = environment(tell)
    port = port or free_port()
    directory.mkdir(parents=True, exist_ok=True)
    temporary = directory / "tmp"
    temporary.mkdir(exist_ok=True)
    log = directory / "ministack.log"
    env = {
        "PATH": f"{home / 'bin'}{os.pathsep}{_path()}",
        "HOME": str(directory),
        "TMPDIR": str(temporary),
        "LANG": "C.UTF-8",
        **KEYS,
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": region,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "LAMBDA_EXECUTOR": "local",
        "AUTH": "true" if enforce else "false",
        **({"AWS_ENDPOINT_URL": functions_endpoint} if functions_endpoint else {}),
        **(variables or {}),
    }
    url = f"http://127.0.0.1:{port}"
    # -P: this directory has a module called ministack, too.
    command = [str(home / "bin" / "python"), "-P", str(Path(__file__).with_name(PROGRAM))]
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603
            command,
            cwd=directory,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while not _ready(url):
        if process.poll() is not None or time.monotonic() > deadline:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            end = log.read_text("utf-8", "replace")[-2000:]
            raise EmulatorError(f"the emulated cloud has not started:\n{end}")
        time.sleep(0.05)
    return Ministack(url, region, process.pid, log)


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _path() -> str:
    return os.environ.get("PATH", os.defpath)


def _ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_ministack/ready", timeout=2) as answer:  # noqa: S310
            return answer.status == 200
    except (OSError, urllib.error.URLError):
        return False


def _exists(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
