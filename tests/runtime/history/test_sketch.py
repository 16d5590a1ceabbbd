from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nodegx.runtime.history.sketch import ACCURACY, MAX_BINS, Sketch

DURATIONS = st.lists(st.floats(1e-6, 1e5), min_size=1, max_size=200)


def sketch_of(values: list[float]) -> Sketch:
    sketch = Sketch()
    for value in values:
        sketch.add(value)
    return sketch


@given(DURATIONS, st.floats(0, 1))
def test_quantiles_are_as_accurate_as_promised(values: list[float], share: float) -> None:
    exact = sorted(values)[math.floor(share * (len(values) - 1))]
    assert sketch_of(values).quantile(share) == pytest.approx(exact, rel=ACCURACY * 1.001)


@given(DURATIONS, DURATIONS)
def test_merging_is_the_same_as_counting_together(left: list[float], right: list[float]) -> None:
    merged = sketch_of(left)
    merged.merge(sketch_of(right))
    assert merged.bins() == sketch_of(left + right).bins()
    assert merged.count == len(left) + len(right)


@given(DURATIONS)
@settings(max_examples=50)
def test_a_stored_sketch_is_the_same(values: list[float]) -> None:
    sketch = sketch_of(values)
    again = Sketch.load(sketch.dump())
    assert (again.bins(), again.count) == (sketch.bins(), sketch.count)


def test_an_empty_sketch_has_no_quantiles() -> None:
    assert Sketch().quantile(0.5) is None
    assert Sketch.load(None).count == 0
    assert sketch_of([0.0, -1.0]).quantile(1.0) == pytest.approx(1e-6, rel=0.02)


def test_bins_stay_few_and_the_long_durations_exact() -> None:
    sketch = Sketch.of(dict.fromkeys(range(-800, 1000), 1))
    again = Sketch.load(sketch.dump())
    assert len(again.bins()) == MAX_BINS
    assert again.count == 1800
    assert again.quantile(0.99) == sketch.quantile(0.99)
