"""Quantiles of durations in a few bytes that can be added up.

After Charles Masson, Jee E. Rim, Homin K. Lee: "DDSketch: A Fast and Fully-Mergeable Quantile
Sketch with Relative-Error Guarantees", PVLDB 12(12), 2019. A value x counts in the bin
ceil(log(x) / log(gamma)); every value of a bin is within 1 % of the bin's middle.
"""

from __future__ import annotations

import json
import math

ACCURACY = 0.01  # relative error of quantiles
MAX_BINS = 1024  # the lowest bins are merged beyond that: 1 µs to 1 h takes 1,100

_GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
_LOG_GAMMA = math.log(_GAMMA)
_SMALLEST = 1e-6


class Sketch:
    """Counts of durations in seconds, in bins whose widths grow by a constant factor."""

    __slots__ = ("_bins", "count")

    def __init__(self) -> None:
        self._bins: dict[int, int] = {}
        self.count = 0

    def add(self, value: float) -> None:
        """Counts a duration; those below a microsecond count as one."""
        bin = math.ceil(math.log(max(value, _SMALLEST)) / _LOG_GAMMA)
        self._bins[bin] = self._bins.get(bin, 0) + 1
        self.count += 1

    def merge(self, other: Sketch) -> None:
        """Adds what another sketch has counted."""
        for bin, count in other._bins.items():
            self._bins[bin] = self._bins.get(bin, 0) + count
        self.count += other.count

    def bins(self) -> list[tuple[int, int]]:
        """(bin, count) in ascending order of bins, for stores that add bins up themselves."""
        return sorted(self._bins.items())

    @classmethod
    def of(cls, bins: dict[int, int]) -> Sketch:
        """A sketch of counts by bin."""
        sketch = cls()
        sketch._bins = dict(bins)
        sketch.count = sum(bins.values())
        return sketch

    def quantile(self, share: float) -> float | None:
        """The duration that `share` (0 to 1) of the values do not exceed; None without values."""
        if not self.count:
            return None
        rank = share * (self.count - 1)
        seen = 0
        last = 0
        for last in sorted(self._bins):
            seen += self._bins[last]
            if seen > rank:
                break
        return 2 * _GAMMA**last / (_GAMMA + 1)

    def dump(self) -> bytes:
        """A compact form for storage."""
        bins = sorted(self._bins.items())
        if len(bins) > MAX_BINS:
            surplus = sum(count for _, count in bins[:-MAX_BINS])
            bins = bins[-MAX_BINS:]
            bins[0] = (bins[0][0], bins[0][1] + surplus)
        return json.dumps(bins, separators=(",", ":")).encode()

    @classmethod
    def load(cls, data: bytes | None) -> Sketch:
        """The sketch that `dump` wrote; an empty one for None."""
        return cls.of({int(bin): int(count) for bin, count in json.loads(data)} if data else {})
