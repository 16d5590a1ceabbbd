from __future__ import annotations

import pytest

from tests.support.moto import Moto, moto_server


@pytest.fixture
def moto() -> Moto:
    """moto's server, shared by all tests of this process."""
    return moto_server()


@pytest.fixture
def moto_url(moto: Moto) -> str:
    """Its base URL."""
    return moto.url
