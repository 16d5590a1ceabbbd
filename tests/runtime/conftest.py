from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.loopback import Loopback, loopback


@pytest.fixture
def site() -> Iterator[Loopback]:
    """A real HTTP server."""
    with loopback() as server:
        yield server


@pytest.fixture
def other_site() -> Iterator[Loopback]:
    """A second server, and so another origin."""
    with loopback() as server:
        yield server
