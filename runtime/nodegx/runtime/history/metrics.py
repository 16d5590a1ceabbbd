"""How often a workflow ran in an hour, how it ended and how long it took."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .record import ExecutionRecord, Status
from .sketch import Sketch

HOUR = 3600


@dataclass(slots=True)
class HourlyMetrics:
    """Executions of one workflow that ended within one hour.

    `hour` is its start in seconds since the epoch; `error` counts every end but success;
    `total` is the sum of durations in seconds and `sketch` their distribution; interrupted
    executions have none, as nobody saw their end, and count in the hour of their start.
    """

    workflow: str
    hour: int
    count: int = 0
    success: int = 0
    error: int = 0
    total: float = 0.0
    sketch: Sketch = field(default_factory=Sketch)

    def add(self, record: ExecutionRecord) -> None:
        """Counts an execution that has ended."""
        self.count += 1
        self.success += record.status == Status.SUCCESS
        self.error += record.status != Status.SUCCESS
        if record.finished is not None:
            duration = max(0.0, record.finished - record.started)
            self.total += duration
            self.sketch.add(duration)

    def merge(self, other: HourlyMetrics) -> None:
        """Adds other executions of the same workflow, of this hour or another."""
        self.count += other.count
        self.success += other.success
        self.error += other.error
        self.total += other.total
        self.sketch.merge(other.sketch)


def roll_up(records: Iterable[ExecutionRecord]) -> list[HourlyMetrics]:
    """Metrics of the executions that have ended, one per workflow and hour, in that order."""
    found: dict[tuple[int, str], HourlyMetrics] = {}
    for record in records:
        if not record.status.ended:
            continue
        hour = int(record.finished or record.started) // HOUR * HOUR
        key = (hour, record.workflow)
        if key not in found:
            found[key] = HourlyMetrics(record.workflow, hour)
        found[key].add(record)
    return [found[key] for key in sorted(found)]
