"""Serves the provider: as the executable `pulumi-resource-aws`, or inside this process."""

from __future__ import annotations

import sys
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from .provider import EmulatorProvider

MAX_MESSAGE = 400 * 1024 * 1024
"""Bytes of a message that Pulumi's engine may send."""
EXECUTABLE = "pulumi-resource-aws"


def start(provider: EmulatorProvider | None = None) -> tuple[grpc.Server, int]:
    """Starts serving on a free port of the loopback interface, which is returned with the server."""
    server = grpc.server(
        ThreadPoolExecutor(max_workers=16),
        options=[
            ("grpc.max_receive_message_length", MAX_MESSAGE),
            ("grpc.max_send_message_length", MAX_MESSAGE),
        ],
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider or EmulatorProvider(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


@contextmanager
def attached(provider: EmulatorProvider | None = None) -> Generator[dict[str, str]]:
    """Serves inside this process; gives the environment by which the engine finds it."""
    server, port = start(provider)
    try:
        yield {"PULUMI_DEBUG_PROVIDERS": f"aws:{port}"}
    finally:
        server.stop(grace=1).wait()


def install(directory: Path) -> Path:
    """Puts the executable into a directory, for engines that start plugins on their own; they find
    it if the directory is in `PATH`."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / EXECUTABLE
    path.write_text(f"#!{sys.executable}\nfrom {__name__} import main\nmain()\n", "utf-8")
    path.chmod(0o755)
    return path


def main() -> None:
    """Serves until the engine ends this process; tells it the port on standard output."""
    server, port = start()
    print(port, flush=True)
    server.wait_for_termination()
