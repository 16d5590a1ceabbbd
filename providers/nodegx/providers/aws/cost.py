"""What a deployment will cost a month, workflow by workflow: an estimate from list prices, the
volumes somebody names and the durations that were measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from nodegx.compiler.targets.aws.alarms import alarms
from nodegx.compiler.targets.aws.plan import (
    EventTrigger,
    FileTrigger,
    Function,
    HttpTrigger,
    Plan,
    QueueTrigger,
    RecordTrigger,
    ScheduleTrigger,
)
from nodegx.runtime.history.metrics import HourlyMetrics

from .prices import Prices
from .stackfiles import StackFile

MONTH = 30 * 86_400
"""Seconds that a month is taken for."""
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
ASSUMED_SECONDS = 0.2
"""How long a run takes that was never measured."""
LOG_BYTES = 800
"""Bytes a run writes to its log: Lambda's own lines and one of ours."""
SQS_REQUESTS = 3
"""A message is sent, received and deleted."""
START_WRITES, END_WRITES, METRIC_WRITES = 4, 2, 1
"""Write units of a run's history: its start with the three index entries it has; its end with the
index entry that goes; its hour's metrics."""
ITEM_KB = 1
"""Further KB of a run's end whose details are kept."""
KEPT_WRITES = 20
"""Write units of a run that goes on in another invocation: its state, some entries of its journal,
their places in the indexes."""
SWEEP_SECONDS, SWEEP_READS = 0.05, 4
"""What looking for forgotten runs takes: time, and read units, of which a write unit costs five."""
READS_FOR_A_WRITE = 5

ASSUMPTIONS = (
    "list prices without free tiers, discounts, taxes and data transfer",
    f"a month of {MONTH // 86_400} days; billed time is a run's time, without cold starts",
    f"{START_WRITES + END_WRITES + METRIC_WRITES + ITEM_KB} write units of history and "
    f"{LOG_BYTES} bytes of log a run",
    "batches of one message, change or file",
    "one wait for each durable run, and nothing paid while it waits",
)


@dataclass(frozen=True, slots=True)
class Measured:
    """What history says of a workflow.

    Args:
        runs: how many there were.
        seconds: how long they took on average.
        monthly: how many a month there would be at that pace.
    """

    runs: int
    seconds: float
    monthly: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What a workflow costs a month.

    Args:
        slug: its directory's name.
        workflow: its name.
        runs: a month.
        seconds: of one run.
        is_measured: whether the seconds were measured, not assumed.
        memory: MiB.
        parts: money by what it is for: `compute`, `requests`, `triggers`, `history`, `logs`,
            `alarms`, `events`, `waits`.
    """

    slug: str
    workflow: str
    runs: float
    seconds: float
    is_measured: bool
    memory: int
    parts: Mapping[str, float]

    @property
    def total(self) -> float:
        """All of it."""
        return sum(self.parts.values())


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a project costs a month.

    Args:
        prices: on which it rests.
        costs: by workflow.
        shared: money for what they share, by what it is for.
        assumptions: what else it rests on.
    """

    prices: Prices
    costs: list[Cost]
    shared: Mapping[str, float]
    assumptions: tuple[str, ...] = field(default=ASSUMPTIONS)

    @property
    def total(self) -> float:
        """All of it."""
        return sum(cost.total for cost in self.costs) + sum(self.shared.values())


def estimate(
    plan: Plan,
    file: StackFile,
    prices: Prices,
    measured: Mapping[str, Measured],
    requests: int | None,
) -> Estimate:
    """Estimates the costs of a plan.

    Args:
        plan: the project.
        file: what its stack sets differently.
        prices: list prices.
        measured: what history says, by the workflows' names.
        requests: runs a month of every workflow that is not started by schedules alone; None takes
            what was measured.
    """
    costs = [
        _cost(function, file, prices, measured.get(function.workflow), requests)
        for function in plan.functions
    ]
    shared = {"secrets": len(plan.secrets) * prices.of("secret.month")}
    return Estimate(prices, costs, {name: money for name, money in shared.items() if money})


def measure(metrics: Iterable[HourlyMetrics], seconds: float) -> dict[str, Measured]:
    """What hourly metrics of the last `seconds` say, by workflow."""
    sums: dict[str, HourlyMetrics] = {}
    for each in metrics:
        if each.workflow in sums:
            sums[each.workflow].merge(each)
        else:
            sums[each.workflow] = HourlyMetrics(each.workflow, each.hour)
            sums[each.workflow].merge(each)
    return {
        name: Measured(found.count, found.total / found.count, found.count * MONTH / seconds)
        for name, found in sums.items()
        if found.count
    }


def scheduled_runs(function: Function) -> float | None:
    """Runs a month of a workflow that only schedules start; None for others."""
    triggers = function.triggers
    if not triggers or not all(isinstance(each, ScheduleTrigger) for each in triggers):
        return None
    return sum(
        _per_month(each.expression) for each in triggers if isinstance(each, ScheduleTrigger)
    )


def _cost(
    function: Function,
    file: StackFile,
    prices: Prices,
    measured: Measured | None,
    requests: int | None,
) -> Cost:
    scheduled = scheduled_runs(function)
    if scheduled is not None:
        runs = scheduled
    elif requests is not None:
        runs = float(requests)
    else:
        runs = 0.0 if measured is None else measured.monthly
    if function.durable:
        measured = None  # of durable runs, most of it is waiting
    memory = _memory(function, file)
    seconds = ASSUMED_SECONDS if measured is None else measured.seconds
    billed = math.ceil(seconds * 1000) / 1000
    gb_seconds = runs * billed * memory / 1024
    writes = START_WRITES + END_WRITES + METRIC_WRITES + ITEM_KB if function.history else 0
    parts = {
        "compute": gb_seconds * prices.gb_second(function.architecture),
        "requests": runs * prices.of("lambda.request"),
        "triggers": runs * sum(_trigger_prices(function, prices)),
        "events": runs * prices.of("events.event") * bool(function.emits),
        "history": runs * writes * prices.of("dynamodb.write"),
        "logs": runs * LOG_BYTES / 1e9 * prices.of("logs.gb"),
        "alarms": sum(_alarm_prices(function, prices)),
        "waits": _waits(function, file, prices, runs) if function.is_woken else 0.0,
    }
    return Cost(
        function.slug, function.workflow, runs, seconds, measured is not None, memory, parts
    )


def _waits(function: Function, file: StackFile, prices: Prices, runs: float) -> float:
    """What it costs that runs go on in other invocations: schedules and what they start, the state
    in between, and looking for those that were forgotten."""
    invocation = prices.of("lambda.request")
    write = prices.of("dynamodb.write")
    scheduled = prices.of("scheduler.invocation") if function.durable else 0.0
    each = scheduled + invocation + KEPT_WRITES * write
    sweeps = MONTH / (60 * int(file.value("sweepMinutes") or 1))
    gb_seconds = SWEEP_SECONDS * _memory(function, file) / 1024
    sweep = (
        prices.of("scheduler.invocation")
        + invocation
        + gb_seconds * prices.gb_second(function.architecture)
        + SWEEP_READS * write / READS_FOR_A_WRITE
    )
    return runs * each + sweeps * sweep


def _memory(function: Function, file: StackFile) -> int:
    return int(file.overrides(function.slug).get("memory") or function.memory)


def _trigger_prices(function: Function, prices: Prices) -> Iterator[float]:
    """Price of one start, for a function with several kinds of triggers that of the dearest."""
    found = [0.0]
    found += [
        _TRIGGERS[type(each)](prices) for each in function.triggers if type(each) in _TRIGGERS
    ]
    yield max(found)


_TRIGGERS: Mapping[type[Any], Callable[[Prices], float]] = {
    HttpTrigger: lambda prices: prices.of("http.request"),
    ScheduleTrigger: lambda prices: prices.of("scheduler.invocation"),
    QueueTrigger: lambda prices: SQS_REQUESTS * prices.of("sqs.request"),
    EventTrigger: lambda prices: 0.0,  # whoever emits the event pays for it
    FileTrigger: lambda prices: 0.0,
    RecordTrigger: lambda prices: 0.0,  # Lambda reads streams for nothing
}


def _alarm_prices(function: Function, prices: Prices) -> Iterator[float]:
    for alarm in alarms(function):
        yield prices.of("alarm.month")
        if alarm.source == "log":  # whose metric is made of the log
            yield prices.of("metric.month")


def _per_month(expression: str) -> float:
    """How often a schedule of EventBridge Scheduler starts something a month."""
    kind, _, rest = expression.partition("(")
    fields = rest.rstrip(")").split()
    if kind == "rate":
        unit = {"minute": 60, "hour": 3600, "day": 86_400}[fields[1].rstrip("s")]
        return MONTH / (int(fields[0]) * unit)
    minutes, hours, month_days, months, week_days, _ = fields
    per_day = _count(minutes, 60) * _count(hours, 24)
    dates = (date(2026, 1, 1) + timedelta(days=n) for n in range(365))
    days = sum(
        _on_day(month_days, each) and _on(months, each.month) and _on_weekday(week_days, each)
        for each in dates
    )
    return per_day * days * (MONTH / 86_400) / 365


def _count(field: str, size: int) -> int:
    """How many values below `size` a field of a cron expression takes."""
    return sum(_on(field, value) for value in range(size))


def _on(field: str, value: int) -> bool:
    """Whether a field of numbers takes a value."""
    return field in ("*", "?") or any(_on_part(part, value) for part in field.split(","))


def _on_part(part: str, value: int) -> bool:
    if "/" in part:
        begin, _, step = part.partition("/")
        first = 0 if begin == "*" else int(begin)
        return value >= first and (value - first) % int(step) == 0
    low, _, high = part.partition("-")
    return int(low) <= value <= int(high or low)


def _on_day(field: str, day: date) -> bool:
    """Whether a field of days of the month takes a day; `L` is the last."""
    if field == "L":
        return _is_in_last(day, 1)
    return _on(field, day.day)


def _on_weekday(field: str, day: date) -> bool:
    """Whether a field of days of the week takes a day. Sunday is 1; `2#1` is the first Monday of a
    month, `2L` its last."""
    for number, name in enumerate(WEEKDAYS, 1):
        field = field.replace(name, str(number))
    number = day.isoweekday() % 7 + 1
    if "#" in field:
        wanted, _, place = field.partition("#")
        return number == int(wanted) and (day.day - 1) // 7 + 1 == int(place)
    if field.endswith("L"):
        return number == int(field[:-1]) and _is_in_last(day, 7)
    return _on(field, number)


def _is_in_last(day: date, count: int) -> bool:
    """Whether a day is among the last days of its month."""
    return (day + timedelta(days=count)).month != day.month
