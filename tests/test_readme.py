"""The README shows what the product really does."""

from __future__ import annotations

import pytest

from tests.support.readme import BLOCKS, README, block


@pytest.mark.parametrize("name", BLOCKS)
def test_the_block_is_current(name: str) -> None:
    hint = "run `python -m tests.support.readme`"
    assert block(README.read_text(), name) == BLOCKS[name](), hint
