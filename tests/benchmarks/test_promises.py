"""The speed that the project promises, measured.

`make bench` holds the promises to the letter, on a quiet machine. A test must not depend on what
else a machine does, nor on how fast it is: it measures again where a promise seems broken, allows
for noise, and gives slow machines more time where a promise is one of absolute times. What it finds
is a real loss of speed.
"""

from __future__ import annotations

import importlib

import pytest

from tests.benchmarks.__main__ import BENCHMARKS
from tests.benchmarks.machine import slowness
from tests.benchmarks.row import Row

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]

ATTEMPTS = 3
NOISE = 1.5
TIMES = frozenset({"µs", "ms", "s", "/s", "req/s"})
"""Units that depend on how fast a machine is."""


@pytest.mark.parametrize("name", BENCHMARKS)
def test_promises_are_kept(name: str) -> None:
    measure = importlib.import_module(f"tests.benchmarks.{name}").measure
    kept: set[str] = set()
    broken: list[Row] = []
    for _ in range(ATTEMPTS):
        slow = slowness()
        rows: list[Row] = measure()
        kept |= {row.name for row in rows if row.within(_allowance(row, slow))}
        broken = [row for row in rows if row.name not in kept]
        if not broken:
            return
    assert not broken


def _allowance(row: Row, slow: float) -> float:
    return max(NOISE, slow) if row.ratio is None and row.unit in TIMES else NOISE
