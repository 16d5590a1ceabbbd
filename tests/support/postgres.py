"""A real PostgreSQL server, private to the tests.

All processes of a test session share one. A keeper of its own process starts it and stops it once
none of them is left, however they ended. Run as a script, this is that keeper.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import BinaryIO

import psycopg
import pytest

USER = "nodegx"
PASSWORD = "p@ss:w/rd?#%"  # what URLs have to quote
FAST = {
    **{"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"},
    **{"max_connections": "200", "shared_buffers": "64MB", "autovacuum_naptime": "1s"},
}
"""Settings of a server whose data nobody will miss."""


class Cluster:
    """A server and its data.

    Its local socket trusts everybody, on loopback it wants the password. Texts sort by the rules of
    a language, as they do on many servers.

    Args:
        folder: where; with a short path, because of the socket.
        settings: of the server.
    """

    def __init__(self, folder: Path, settings: dict[str, str] = FAST) -> None:
        self.folder = folder
        self.port = _free_port()
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def create(self) -> None:
        """Makes the files."""
        self.folder.mkdir(parents=True, exist_ok=True)
        user = _server_user()
        if user is not None:
            os.chown(self.folder, pwd.getpwnam(user).pw_uid, -1)
            self.folder.chmod(0o755)
        password = self.folder / "password"
        password.write_text(PASSWORD)
        language = ["--locale-provider=icu", "--icu-locale=en-US"]
        if "--locale-provider" not in _help("initdb"):  # before version 15
            language = []
        subprocess.run(
            [
                *(program("initdb"), "-D", self.folder / "data", "-U", USER, "-E", "UTF8"),
                *("--no-sync", "--auth-local=trust", "--auth-host=scram-sha-256"),
                *("--locale=C.UTF-8", *language),
                f"--pwfile={password}",
            ],
            check=True,
            user=user,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
        )

    def start(self) -> None:
        """Starts the server and returns once it answers."""
        settings = {
            **self._settings,
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
        }
        options = [text for pair in settings.items() for text in ("-c", "=".join(pair))]
        log = (self.folder / "log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [program("postgres"), "-D", self.folder / "data", *options],
                user=_server_user(),
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        while True:
            if self._process.poll() is not None:
                raise RuntimeError((self.folder / "log").read_text())
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(self.url()).close()
                return
            time.sleep(0.02)

    def stop(self) -> None:
        """Ends all connections, then the server."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait()
            self._process = None

    def url(self, schema: str | None = None) -> str:
        """The URL over the local socket."""
        url = f"postgresql://{USER}@/postgres?host={self.folder}&port={self.port}"
        return url if schema is None else f"{url}&schema={schema}"

    @contextlib.contextmanager
    def schema(self) -> Iterator[str]:
        """The URL of a new schema, which goes at the end with all there is in it."""
        name = f"t_{os.urandom(6).hex()}"
        yield self.url(name)
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE".encode())


@cache
def postgres() -> Cluster:
    """The server of this test session. Fails in CI and skips elsewhere if there is none here."""
    if program("initdb") is None:
        message = "there is no PostgreSQL server on this machine: install `postgresql`"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    session = os.environ.get("PYTEST_XDIST_TESTRUNUID", os.urandom(8).hex())
    folder = Path(tempfile.gettempdir()) / f"nodegx-pg-{session[:16]}"
    folder.mkdir(exist_ok=True)
    users = (folder / "users").open("ab")
    fcntl.flock(users, fcntl.LOCK_SH)  # until this process ends
    atexit.register(users.close)
    ready = folder / "ready"
    with (folder / "starting").open("ab") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        if not ready.exists():
            keeper = subprocess.Popen(
                [sys.executable, "-m", "tests.support.postgres", folder],
                cwd=Path(__file__).parents[2],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=(folder / "keeper").open("wb"),
                start_new_session=True,
            )
            while not ready.exists():
                if keeper.poll() is not None:
                    raise RuntimeError((folder / "keeper").read_text())
                time.sleep(0.02)
    cluster = Cluster(folder / "server")
    cluster.port = int(ready.read_text())
    return cluster


@cache
def program(name: str) -> str | None:
    """The path of a program of the server's, of the newest version here."""
    installed = Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    newest = max(installed, key=lambda path: int(path.parts[-3]), default=None)
    return str(newest) if newest is not None else shutil.which(name)


def _help(name: str) -> str:
    told = subprocess.run([program(name), "--help"], capture_output=True, text=True, check=True)
    return told.stdout


def keep(folder: Path) -> None:
    """Starts a server, and stops it once nobody uses it any more."""
    cluster = Cluster(folder / "server")
    cluster.create()
    cluster.start()
    try:
        (folder / "port").write_text(str(cluster.port))
        (folder / "port").rename(folder / "ready")
        users: BinaryIO = (folder / "users").open("ab")
        fcntl.flock(users, fcntl.LOCK_EX)
    finally:
        cluster.stop()
        shutil.rmtree(folder)


def _server_user() -> str | None:
    """Who has to run the server, which refuses to be run by root; None for whoever this is."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in names)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
