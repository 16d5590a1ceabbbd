"""The emulated cloud for tests that need nothing but its services."""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nodegx.providers.aws.emulator import ministack
from nodegx.providers.aws.emulator.ministack import Ministack

from tests.support.moto import REGION


@contextmanager
def emulated_cloud() -> Generator[Ministack]:
    """A server without anything in it, ended afterwards; `reset` empties it again. It is installed
    when it is first asked for."""
    with tempfile.TemporaryDirectory() as folder:
        server = ministack.start(Path(folder), region=REGION)
        try:
            yield server
        finally:
            server.stop()


def sdk(server: Ministack, service: str) -> Any:
    """The SDK's client of a service."""
    from boto3.session import Session

    session: Any = Session()
    return session.client(
        service,
        region_name=server.region,
        endpoint_url=server.url,
        aws_access_key_id=ministack.KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=ministack.KEYS["AWS_SECRET_ACCESS_KEY"],
    )
