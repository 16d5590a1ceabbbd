"""One line of the speed table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """A measured figure.

    `baseline` is what it is compared with, in the same unit (a hand-written handler, a bare
    await, another tool), and `ratio` is value / baseline. `limit` is the promise: the largest
    ratio or value (or the smallest, where `more_is_better`) that is still as advertised.
    """

    name: str
    value: float
    unit: str
    baseline: float | None = None
    ratio: float | None = None
    limit: float | None = None
    more_is_better: bool = False

    @property
    def kept(self) -> bool:
        """Whether the promise holds; true where none is made."""
        return self.within(1.0)

    def within(self, allowance: float) -> bool:
        """Whether the promise holds, were it weaker by the factor `allowance`."""
        if self.limit is None:
            return True
        measured = self.ratio if self.ratio is not None else self.value
        if self.more_is_better:
            return measured >= self.limit / allowance
        return measured <= self.limit * allowance
