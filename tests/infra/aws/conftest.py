"""Programs that the compiler has written, ready to be run."""

from __future__ import annotations

from functools import partial

import pytest

from tests.support.programs import EVERYTHING, SPEC, Deploy, Programs, deploy


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    return Programs(tmp_path_factory.mktemp("programs"))


@pytest.fixture(scope="session")
def everything(programs: Programs) -> Deploy:
    """Deploys a project that has one of everything."""
    return partial(deploy, programs.everything())


@pytest.fixture(scope="session")
def small(programs: Programs) -> Deploy:
    """Deploys a project of three workflows: one with webhooks, one that it calls, one that reads
    queues."""
    some = [flow for flow in EVERYTHING if flow["name"] in ("/Web", "/Manual", "/Consumer")]
    return partial(deploy, programs.project("small", *some, **SPEC))
