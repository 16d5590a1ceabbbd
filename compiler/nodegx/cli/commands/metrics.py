"""`nodegx metrics`: how workflows are doing."""

from __future__ import annotations

import time
from typing import Any

import click
from nodegx.cli.base import Command, State, pass_state
from nodegx.cli.deployments import complete_stack
from nodegx.cli.exit_codes import ExitCode
from nodegx.cli.output import clean, duration, json_document, line, style, table
from nodegx.cli.projects import complete_workflow, open_project, short_name
from nodegx.cli.stores import full_name, open_store
from nodegx.cli.when import moment
from nodegx.runtime.history.metrics import HourlyMetrics

QUANTILES = (0.5, 0.95, 0.99)
BARS = "▁▂▃▄▅▆▇█"
COLUMNS = 24


@click.command(cls=Command)
@click.argument("workflow", required=False, shell_complete=complete_workflow)
@click.option(
    "--stack",
    metavar="NAME",
    shell_complete=complete_stack,
    help="Of this deployment.  [default: of this machine]",
)
@click.option("--since", type=moment, default="24h", show_default=True, metavar="TIME")
@click.option("--until", type=moment, metavar="TIME")
@pass_state
def metrics(
    state: State, workflow: str | None, stack: str | None, since: float, until: float | None
) -> int:
    """Show how workflows are doing.

    How often they ran, how that ended and how long it took.
    """
    project = open_project(state)
    name = None if workflow is None else full_name(project, workflow)
    with open_store(project, stack) as store:
        rows = [] if store is None else store.metrics(workflow=name, since=since, until=until)
    totals = _totals(rows)
    if state.json:
        json_document([_data(total, rows) for total in totals])
    elif not totals:
        line("no executions in this time", err=True)
    else:
        end = time.time() if until is None else until
        table(
            ("workflow", "runs", "failed", "p50", "p95", "p99", "over time"),
            [_row(total, rows, since, end) for total in totals],
            right=range(1, 6),
            whole=range(1, 7),
        )
    return ExitCode.OK


def _totals(rows: list[HourlyMetrics]) -> list[HourlyMetrics]:
    """Each workflow's hours added up, the busiest workflow first."""
    found: dict[str, HourlyMetrics] = {}
    for row in rows:
        total = found.setdefault(row.workflow, HourlyMetrics(row.workflow, row.hour))
        total.merge(row)
    return sorted(found.values(), key=lambda total: (-total.count, total.workflow))


def _row(
    total: HourlyMetrics, rows: list[HourlyMetrics], since: float, until: float
) -> tuple[str, ...]:
    failed = f"{total.error:,} ({total.error / total.count:.1%})" if total.error else ""
    quantiles = (duration(total.sketch.quantile(share)) for share in QUANTILES)
    hours = [row for row in rows if row.workflow == total.workflow]
    return (
        clean(short_name(total.workflow)),
        f"{total.count:,}",
        style(failed, "red"),
        *quantiles,
        style(spark(hours, since, until), dim=True),
    )


def spark(hours: list[HourlyMetrics], since: float, until: float) -> str:
    """How runs spread over a time, a column for each part of it."""
    counts = [0] * COLUMNS
    length = max(until - since, 1.0)
    for each in hours:
        place = int((each.hour + 1800 - since) / length * COLUMNS)
        counts[min(max(place, 0), COLUMNS - 1)] += each.count
    top = max(counts)
    if not top:
        return " " * COLUMNS
    return "".join(
        BARS[(count * (len(BARS) - 1) + top - 1) // top] if count else " " for count in counts
    )


def _data(total: HourlyMetrics, rows: list[HourlyMetrics]) -> dict[str, Any]:
    """A workflow's metrics as JSON data; durations in seconds."""
    names = ("p50", "p95", "p99")
    return {
        "workflow": total.workflow,
        "count": total.count,
        "success": total.success,
        "error": total.error,
        "mean": total.total / total.count if total.count else None,
        **{n: total.sketch.quantile(q) for n, q in zip(names, QUANTILES, strict=True)},
        "hours": [
            {"hour": row.hour, "count": row.count, "error": row.error}
            for row in rows
            if row.workflow == total.workflow
        ],
    }
