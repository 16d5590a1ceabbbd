"""Compiling is as fast as promised."""

from __future__ import annotations

import pytest

from tests.benchmarks.compile_speed import measure


@pytest.mark.bench
def test_compile_speed() -> None:
    rows = measure()
    assert [row for row in rows if not row.kept] == []
